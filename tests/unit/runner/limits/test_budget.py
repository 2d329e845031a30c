"""Money set aside, given back and settled."""

from decimal import Decimal

import pytest

from runner.limits.budget import Budget

PRICES = {"known": Decimal("0.04")}


def usd(text: str) -> Decimal:
    return Decimal(text)


def test_the_highest_price_is_estimated() -> None:
    """Of a model whose price is known."""
    budget = Budget(None, usd("0"), PRICES)
    assert budget.estimate("known", 3) == usd("0.12")
    assert budget.estimate("unknown", 3) is None


def test_a_submit_is_admitted_only_if_its_highest_price_fits() -> None:
    """To the cent."""
    budget = Budget(usd("1.00"), usd("0.88"), PRICES)
    assert budget.reserve(usd("0.12"))
    assert budget.committed == usd("1.00")
    assert not budget.reserve(usd("0.01"))
    assert budget.committed == usd("1.00")
    assert budget.reserve(usd("0"))


def test_an_unknown_price_fits_only_where_there_is_no_limit() -> None:
    """Nothing can be held against it."""
    assert not Budget(usd("100"), usd("0"), PRICES).reserve(None)
    free = Budget(None, usd("0"), PRICES)
    money = free.reserve(None)
    assert money is not None
    with money:
        assert free.unpriced == 1
        money.spend()
    free.settle(None, usd("0.05"))
    assert (free.committed, free.unpriced) == (usd("0.05"), 0)


def test_an_earlier_submit_of_unknown_price_leaves_room_for_none() -> None:
    """Until its cost is told: `tune --budget` beside a run that has begun without prices."""
    budget = Budget(None, usd("0"), PRICES)
    first, second = budget.reserve(None), budget.reserve(None)
    assert first is not None
    assert second is not None
    budget.limit = usd("100")
    assert budget.reserve(usd("0.04")) is None
    assert str(budget) == "0.00 USD are spent or unconfirmed, and the price of 2 submits is unknown"
    first.give_back()
    budget.settle(None, usd("0.05"))
    assert budget.reserve(usd("0.04")) is not None
    assert str(budget) == "0.09 USD are spent or unconfirmed"


def test_what_was_not_accepted_is_given_back() -> None:
    """And may be spent on another."""
    budget = Budget(usd("0.12"), usd("0"), PRICES)
    money = budget.reserve(usd("0.12"))
    assert money is not None
    with money:
        assert not budget.reserve(usd("0.12"))
        money.spend()
        money.give_back()
    assert budget.committed == usd("0")
    assert budget.reserve(usd("0.12"))


def test_what_may_be_paid_is_not_given_back() -> None:
    """Whatever goes wrong behind the submit."""
    budget = Budget(usd("0.12"), usd("0"), PRICES)
    money = budget.reserve(usd("0.12"))
    assert money is not None

    def send() -> None:
        with money:
            money.spend()
            raise OSError("broke")

    with pytest.raises(OSError, match="broke"):
        send()
    assert budget.committed == usd("0.12")
    assert not budget.reserve(usd("0.12"))


def test_what_it_cost_takes_the_place_of_the_estimate() -> None:
    """An unknown cost leaves the estimate."""
    budget = Budget(usd("1"), usd("0"), PRICES)
    budget.reserve(usd("0.12"))
    budget.settle(usd("0.12"), None)
    assert budget.committed == usd("0.12")
    budget.settle(usd("0.12"), usd("0.08"))
    assert budget.committed == usd("0.08")
