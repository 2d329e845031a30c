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

    def reserve(self, estimate: Decimal | None) -> "Reservation | None":
        """Set the money for a submit aside; None where it does not fit.

        A price that is unknown fits only where there is no limit.
        """
        if self.limit is not None and (estimate is None or self.committed + estimate > self.limit):
            return None
        self.committed += estimate or Decimal(0)
        return Reservation(self, estimate)

    def settle(self, counted: Decimal | None, cost: Decimal | None) -> None:
        """The API said what it cost; until now it was reckoned with as `reckoned`."""
        if cost is not None:
            self.committed += cost - (counted or Decimal(0))


class Reservation:
    """The most that one submit may cost, set aside: the one owner of that money until it is spent.

    A block under it gives the money back at its end, unless the submit may have been paid for.
    """

    def __init__(self, budget: Budget, estimate: Decimal | None) -> None:
        self.estimate = estimate
        self._budget = budget
        self._may_be_paid = False

    def __enter__(self) -> "Reservation":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._may_be_paid:
            self._budget.committed -= self.estimate or Decimal(0)

    def spend(self) -> None:
        """The submit leaves: from here on it may be paid for, whatever goes wrong."""
        self._may_be_paid = True

    def not_accepted(self) -> None:
        """The submit was surely not accepted, which is on record: nothing is paid."""
        self._may_be_paid = False
