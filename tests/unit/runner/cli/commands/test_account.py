"""`nightsheet account`: what it sets, what it shows, and what `status` says of it."""

from decimal import Decimal
from typing import Any

import pytest

from jobs.admission import ACCOUNT_BUDGET, NO_KNOWN_PRICE
from jobs.pauses import PauseReason
from jobs.store.store import Store
from tests.unit.runner.cli.world import World, job

NAME = "https://api.example 0123456789abcdef"


def enter(world: World, **limits: Any) -> None:
    """Have the batch be an account's, as its first run does, and that have limits."""

    async def act(store: Store) -> None:
        batch = await store.batches.named("night")
        await store.accounts.enter(NAME, batch.id)
        await store.accounts.set_limits(NAME, limits)

    world.store(act)


def test_what_is_set_is_kept_and_shown(world: World) -> None:
    """Each limit by itself; what is not named stays, and `none` takes one away."""
    world.load(job(0, "a"))
    ran = world.run("account", "set", "--emulator", "--concurrency", "24", "--rate", "60", "--gate", "4")
    assert (ran.code, ran.err) == (0, "")
    ran = world.run("account", "set", "--emulator", "--budget", "500", "--gate", "none")
    assert ran.out == (
        "Account at emulator, of this token\n"
        "  in flight  0, at most 24\n"
        "  gate       no limit\n"
        "  rate       60 submits a minute\n"
        "  budget     $500.00, $0.00 spent or unconfirmed\n"
    )
    assert world.run("account", "show", "--emulator").out == ran.out


def test_for_scripts(world: World) -> None:
    """As JSON: what is set, and what is in use; and whose token it is."""
    world.load(job(0, "a"))
    enter(world, in_flight_max=2)
    (account,) = world.run("account", "show", "--json").json
    assert account == {
        "account": NAME,
        "own": False,
        "concurrency": 2,
        "gate": None,
        "rate": None,
        "budget_usd": None,
        "in_flight": 0,
        "committed_usd": 0.0,
        "unpriced": 0,
        "doubted_since": None,
    }


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--concurrency", "0"), "--concurrency 0: a whole number from 1 to 1,000, or none, is needed."),
        (("--concurrency", "auto"), "--concurrency auto: a whole number"),
        (("--gate", "65"), "--gate 65: a whole number from 1 to 64"),
        (("--rate", "0"), "--rate 0: a number above 0"),
        (("--budget", "-1"), "--budget -1: an amount in USD"),
        (("--budget", "much"), "--budget much: an amount in USD"),
    ],
)
def test_what_is_no_limit_changes_nothing(world: World, flags: tuple[str, ...], told: str) -> None:
    """Whatever else is set with it."""
    world.load(job(0, "a"))
    ran = world.run("account", "set", "--emulator", "--rate", "6", *flags)
    assert ran.code == 2
    assert told in ran.err
    assert "Nothing was changed." in ran.err
    assert not (world.folder / "nightsheet-emulator.db").exists()


def test_show_sets_nothing_and_set_needs_something(world: World) -> None:
    """Either is a slip."""
    world.load(job(0, "a"))
    assert world.run("account", "show", "--emulator", "--rate", "6").code == 2
    assert world.run("account", "set", "--emulator").code == 2


def test_status_says_the_limits_that_are_set(world: World) -> None:
    """And nothing where there is none: most people have none."""
    world.load(job(0, "a"))
    assert "No account is known here yet" in world.run("account", "show").out
    enter(world)
    assert "Account" not in world.run("status").out
    assert "account" not in world.run("status", "--json").json
    enter(world, in_flight_max=2, budget=Decimal(5))
    told = world.run("status").out
    assert "Account: 0 of 2 in flight, $0.00 of $5.00 spent or unconfirmed\n" in told
    assert world.run("status", "--json").json["account"]["concurrency"] == 2


def test_a_limit_needs_a_token(world: World) -> None:
    """It tells whose it is."""
    world.load(job(0, "a"))
    ran = world.run("account", "set", "--rate", "6")
    assert ran.code != 0
    assert "There is no API token" in ran.err


def test_a_pause_for_the_account_s_budget_says_which_to_raise(world: World) -> None:
    """Not the batch's: that would help nobody."""
    world.load(job(0, "a"))
    enter(world, budget=Decimal(0))

    async def pause(store: Store) -> None:
        batch = await store.batches.named("night")
        await store.batches.pause(batch.id, PauseReason.BUDGET, f"No room in {ACCOUNT_BUDGET} of 0 USD.")

    world.store(pause)
    told = world.run("status").out
    assert "Raise the account's budget: nightsheet account set --budget USD\n" in told
    assert "Go on with: nightsheet resume night\n" in told


def test_a_pause_for_an_unknown_price_does_not_say_to_raise_it(world: World) -> None:
    """More money helps nobody there."""
    world.load(job(0, "a"))
    enter(world, budget=Decimal(9))

    async def pause(store: Store) -> None:
        batch = await store.batches.named("night")
        told = f"No room in {ACCOUNT_BUDGET} of 9 USD, and this one has {NO_KNOWN_PRICE}."
        await store.batches.pause(batch.id, PauseReason.BUDGET, told)

    world.store(pause)
    told = world.run("status").out
    assert "Raise the account's budget" not in told
    assert "Without a price: nightsheet account set --budget none\n" in told
    assert "Go on with: nightsheet resume night\n" in told
