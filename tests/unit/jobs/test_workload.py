"""How much is to be sent: counted by model, priced as a range."""

from decimal import Decimal

from jobs.workload import Amount, Workload

PRICES = {"a": Decimal("0.04"), "b": Decimal("0.03")}


def test_jobs_are_added_and_removed() -> None:
    """A model of which nothing is left is not in it."""
    work = Workload()
    work.add("a", 3)
    work.add("a", 1)
    work.add("b", 6, jobs=2)
    assert work == {"a": Amount(2, 4), "b": Amount(2, 6)}
    assert (work.jobs, work.images) == (4, 10)
    work.remove("a", 3)
    work.remove("b", 6, jobs=2)
    assert work == {"a": (1, 1)}


def test_a_copy_is_apart() -> None:
    """What is counted further does not change what was counted before."""
    work = Workload({"a": Amount(1, 1)})
    more = Workload(work)
    more.add("a", 1)
    assert (work.jobs, more.jobs) == (1, 2)


def test_the_price_is_a_range() -> None:
    """From one image a job to all that are asked for: a model may bring fewer."""
    work = Workload({"a": Amount(2, 6), "b": Amount(1, 1)})
    assert work.price_range(PRICES) == (Decimal("0.11"), Decimal("0.27"))


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    """A part of the price would look like the price."""
    assert Workload({"a": Amount(2, 6), "c": Amount(1, 1)}).price_range(PRICES) == (None, None)


def test_nothing_costs_nothing() -> None:
    """Even where no price is known."""
    assert Workload().price_range({}) == (Decimal(0), Decimal(0))
