"""Money: what may still be spent. A submit is admitted only if its highest price fits."""

from collections.abc import Mapping
from decimal import Decimal


class Budget:
    """What a batch may cost in all, in USD; `limit` None is no limit.

    `committed` is what is or may be paid already: told costs, estimates where none was told, and doubts.
    """

    def __init__(self, limit: Decimal | None, committed: Decimal, prices: Mapping[str, Decimal]) -> None:
        self.limit = limit
        self.committed = committed
        self._prices = prices

    def estimate(self, model: str, pictures: int) -> Decimal | None:
        """The most that a job may cost; None where its model's price is unknown."""
        price = self._prices.get(model)
        return None if price is None else price * pictures

    def reserve(self, estimate: Decimal | None) -> bool:
        """Set the money for a submit aside; False if it does not fit.

        A price that is unknown fits only where there is no limit.
        """
        if self.limit is not None and (estimate is None or self.committed + estimate > self.limit):
            return False
        self.committed += estimate or Decimal(0)
        return True

    def release(self, estimate: Decimal | None) -> None:
        """The submit was not accepted: nothing is paid."""
        self.committed -= estimate or Decimal(0)

    def settle(self, reckoned: Decimal | None, cost: Decimal | None) -> None:
        """The API said what it cost; until now it was reckoned with as `reckoned`."""
        if cost is not None:
            self.committed += cost - (reckoned or Decimal(0))
