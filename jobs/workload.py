"""How much there is to send, by model: jobs, and the most images that they ask for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple


class Amount(NamedTuple):
    """A number of jobs, and the most images that they ask for in total."""

    jobs: int
    images: int


class Workload(dict[str, Amount]):
    """An `Amount` for each model_id. A model without jobs has no entry."""

    def add(self, model: str, images: int, jobs: int = 1) -> None:
        """Add jobs of one model, with their images."""
        so_far = self.get(model)
        self[model] = Amount(jobs, images) if so_far is None else Amount(so_far[0] + jobs, so_far[1] + images)

    def remove(self, model: str, images: int, jobs: int = 1) -> None:
        """Remove jobs of one model that were added before."""
        left = Amount(self[model].jobs - jobs, self[model].images - images)
        if left.jobs:
            self[model] = left
        else:
            del self[model]

    @property
    def jobs(self) -> int:
        """The number of jobs of all models."""
        return sum(amount.jobs for amount in self.values())

    @property
    def images(self) -> int:
        """The most images that the jobs of all models ask for."""
        return sum(amount.images for amount in self.values())

    def price_range(self, prices: Mapping[str, Decimal]) -> tuple[Decimal | None, Decimal | None]:
        """The lowest and the highest price in USD; `prices` are USD an image by model.

        The lowest counts one image a job: a model may return fewer images than asked for, and what is billed
        then is unknown. Both are None if the price of a model is unknown.
        """
        if any(model not in prices for model in self):
            return None, None
        low = sum((prices[model] * amount.jobs for model, amount in self.items()), Decimal(0))
        high = sum((prices[model] * amount.images for model, amount in self.items()), Decimal(0))
        return low, high
