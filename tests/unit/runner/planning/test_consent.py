"""What is asked before anything is paid."""

from decimal import Decimal

from runner.planning.consent import Ask, agreed_to_all, price_of

PRICES = {"a": Decimal("0.04"), "b": Decimal("0.03")}


def test_the_price_is_a_range() -> None:
    """From one picture a job to all that are asked for."""
    assert price_of({"a": (2, 6), "b": (1, 1)}, PRICES) == (Decimal("0.11"), Decimal("0.27"))


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    """A part of the price would look like the price."""
    assert price_of({"a": (2, 6), "c": (1, 1)}, PRICES) == (None, None)


def test_nothing_costs_nothing() -> None:
    """Even where no price is known."""
    assert price_of({}, {}) == (Decimal(0), Decimal(0))


async def test_agreed_to_all() -> None:
    """The answer of --yes."""
    assert await agreed_to_all(Ask("night", 1, 1, 1, None, None)) is True
