"""`nightsheet tune`: what it writes into the table, what it takes back, and what it refuses."""

from decimal import Decimal
from typing import Any

import pytest

from jobs.store.store import Store
from jobs.views import BatchView
from tests.unit.runner.cli.world import World, job


def batch(world: World, name: str = "night") -> BatchView:
    """The batch as it stands."""

    async def find(store: Store) -> BatchView:
        return await store.batches.named(name)

    return world.store(find)


def tuned(world: World, name: str = "night") -> tuple[Any, Any, Any]:
    found = batch(world, name)
    return found.concurrency, found.rate, found.budget


def test_what_is_said_is_kept(world: World) -> None:
    """And shown."""
    world.load(job(0, "a"))
    ran = world.run("tune", "night", "--concurrency", "4", "--rate", "7.5", "--budget", "25.50")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "concurrency: 4\nrate: 7.5\nbudget: 25.5\n"
    assert tuned(world) == (4, 7.5, Decimal("25.5"))


@pytest.mark.parametrize(("said", "told"), [("30", "30"), ("0.5", "0.5"), ("100000", "100000")])
def test_a_rate_is_told_as_it_was_said(world: World, said: str, told: str) -> None:
    """Without places that say nothing."""
    world.load(job(0, "a"))
    assert f"rate: {told}\n" in world.run("tune", "--rate", said).out


def test_what_is_not_said_stays(world: World) -> None:
    """One after the other; with nothing said, it only shows."""
    world.load(job(0, "a"))
    assert world.run("tune").out == ("concurrency: not set\nrate: not set\nbudget: not set\n")
    world.run("tune", "--concurrency", "4")
    world.run("tune", "--budget", "9")
    ran = world.run("tune")
    assert ran.out == "concurrency: 4\nrate: not set\nbudget: 9\n"
    assert tuned(world) == (4, None, Decimal(9))


@pytest.mark.parametrize("word", ["none", "None", "NONE"])
def test_none_takes_it_back(world: World, word: str) -> None:
    """That one alone."""
    world.load(job(0, "a"))
    world.run("tune", "--concurrency", "4", "--rate", "7", "--budget", "9")
    assert "rate: not set" in world.run("tune", "--rate", word).out
    assert tuned(world) == (4, None, Decimal(9))
    world.run("tune", "--concurrency", word, "--budget", word)
    assert tuned(world) == (None, None, None)


def test_a_budget_may_be_nothing(world: World) -> None:
    """Send no more of it: that is a budget, and not none."""
    world.load(job(0, "a"))
    assert world.run("tune", "--budget", "0").code == 0
    assert tuned(world) == (None, None, Decimal(0))


@pytest.mark.parametrize(
    ("flag", "text", "needed"),
    [
        ("--concurrency", "0", "a number above 0"),
        ("--concurrency", "-3", "a number above 0"),
        ("--concurrency", "2.5", "a whole number up to 1000"),
        ("--concurrency", "1001", "a whole number up to 1000"),
        ("--rate", "0", "a number above 0"),
        ("--rate", "fast", "a number above 0"),
        ("--rate", "nan", "a number above 0"),
        ("--rate", "inf", "a number above 0"),
        ("--budget", "-1", "a number above 0"),
        ("--budget", "$5", "a number above 0"),
        ("--budget", "", "a number above 0"),
    ],
)
def test_what_does_not_do(world: World, flag: str, text: str, needed: str) -> None:
    """Exit 2 with what was said; nothing is changed, not even what does."""
    world.load(job(0, "a"))
    ran = world.run("tune", "--concurrency" if flag != "--concurrency" else "--rate", "5", f"{flag}={text}")
    assert ran.code == 2
    assert f"{flag} {text}: {needed}" in ran.err
    assert "Nothing was changed" in ran.err
    assert tuned(world) == (None, None, None)


def test_all_that_does_not_do_is_told_at_once(world: World) -> None:
    """Not one after the other."""
    world.load(job(0, "a"))
    ran = world.run("tune", "--concurrency", "0", "--rate", "fast", "--budget", "much")
    for said in ("--concurrency 0", "--rate fast", "--budget much"):
        assert said in ran.err


def test_the_largest_concurrency(world: World) -> None:
    """As many as a run may be told."""
    world.load(job(0, "a"))
    assert world.run("tune", "--concurrency", "1000").code == 0
    assert tuned(world)[0] == 1000


def test_only_the_batch_that_is_named(world: World) -> None:
    """Or the one last run."""
    world.load(job(0, "a"))
    world.load(job(0, "x"), name="other")
    world.run("tune", "night", "--concurrency", "4")
    assert (tuned(world)[0], tuned(world, "other")[0]) == (4, None)
    world.run("tune", "--concurrency", "5")
    assert (tuned(world)[0], tuned(world, "other")[0]) == (4, 5)
    assert world.run("tune", "nowhere", "--concurrency", "4").code == 2


def test_tuning_makes_no_database(world: World) -> None:
    """There is nothing to tune."""
    assert world.run("tune", "--concurrency", "4").code == 2
    assert not world.database.exists()
