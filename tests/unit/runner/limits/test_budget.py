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
        pass
    free.settle(None, usd("0.05"))
    assert free.committed == usd("0.05")


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
