"""How much is to be sent, by model: jobs, and the images that they ask for at most."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple


class Amount(NamedTuple):
    """A number of jobs, and the most images that they ask for in all."""

    jobs: int
    images: int


class Workload(dict[str, Amount]):
    """An `Amount` by model_id. A model of which nothing is to be sent is not in it."""

    def add(self, model: str, images: int, jobs: int = 1) -> None:
        """Jobs of one model more, with their images."""
        so_far = self.get(model, Amount(0, 0))
        self[model] = Amount(so_far.jobs + jobs, so_far.images + images)

    def remove(self, model: str, images: int, jobs: int = 1) -> None:
        """Jobs of one model less, which were added before."""
        left = Amount(self[model].jobs - jobs, self[model].images - images)
        if left.jobs:
            self[model] = left
        else:
            del self[model]

    @property
    def jobs(self) -> int:
        """Jobs of all models."""
        return sum(amount.jobs for amount in self.values())

    @property
    def images(self) -> int:
        """Images of all models, at most."""
        return sum(amount.images for amount in self.values())

    def price_range(self, prices: Mapping[str, Decimal]) -> tuple[Decimal | None, Decimal | None]:
        """The least and the most that it costs in USD; `prices` are USD an image by model.

        The least is one image a job: a model may bring fewer than asked for, and what is billed then is
        unknown. Both are None where the price of a model is unknown.
        """
        if any(model not in prices for model in self):
            return None, None
        low = sum((prices[model] * amount.jobs for model, amount in self.items()), Decimal(0))
        high = sum((prices[model] * amount.images for model, amount in self.items()), Decimal(0))
        return low, high
