"""The budget. A submit is admitted only if its highest price fits."""

from collections.abc import Mapping
from decimal import Decimal

from runner.humanize import count_of


class Budget:
    """The most that a batch may cost, in USD; `limit` None is no limit.

    `committed` is money that is or may be spent: reported costs, estimates where no cost is reported yet, and
    estimates of unconfirmed submits. Beside it, `unpriced` is the number of submits whose price nobody knows.
    """

    def __init__(
        self, limit: Decimal | None, committed: Decimal, prices: Mapping[str, Decimal], unpriced: int = 0
    ) -> None:
        self.limit = limit
        self.committed = committed
        self.unpriced = unpriced
        self._prices = prices

    @property
    def prices(self) -> Mapping[str, Decimal]:
        """USD an image, by model, as far as they are known."""
        return self._prices

    def estimate(self, model: str, images: int) -> Decimal | None:
        """The most that a job may cost, in USD; None where its model's price is unknown."""
        price = self._prices.get(model)
        return None if price is None else price * images

    def reserve(self, estimate: Decimal | None) -> "Reservation | None":
        """Reserve the money for a submit; None where it does not fit.

        An unknown price, of this submit or of an earlier one, fits only where there is no limit.
        """
        if self.limit is not None and (
            estimate is None or self.unpriced or self.committed + estimate > self.limit
        ):
            return None
        self.hold(estimate)
        return Reservation(self, estimate)

    def hold(self, estimate: Decimal | None) -> None:
        """Count a submit."""
        self.committed += estimate or Decimal(0)
        self.unpriced += estimate is None

    def let_go(self, estimate: Decimal | None) -> None:
        """Count a submit no more."""
        self.committed -= estimate or Decimal(0)
        self.unpriced -= estimate is None

    def settle(self, counted: Decimal | None, cost: Decimal | None) -> None:
        """Replace `counted`, the amount held for a submit, by the cost that the API reports."""
        if cost is not None:
            self.let_go(counted)
            self.hold(cost)

    def __str__(self) -> str:
        """What the batch has cost, for a person."""
        unknown = ""
        if self.unpriced:
            unknown = f", and the price of {count_of(self.unpriced, 'submit')} is unknown"
        return f"{self.committed:.2f} USD are spent or unconfirmed{unknown}"


class Reservation:
    """The money reserved for one submit: the most that it may cost.

    As a context manager it returns the money at the end, unless the submit may have been paid for.
    """

    def __init__(self, budget: Budget, estimate: Decimal | None) -> None:
        self.estimate = estimate
        self._budget = budget
        self._may_be_paid = False

    def __enter__(self) -> "Reservation":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._may_be_paid:
            self.give_back()

    def spend(self) -> None:
        """Keep the money: the submit is being sent, and may be paid for whatever happens next."""
        self._may_be_paid = True

    def give_back(self) -> None:
        """Return the money: the submit was surely not accepted, and that is recorded."""
        self._budget.let_go(self.estimate)
