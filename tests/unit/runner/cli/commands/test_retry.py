"""`nightsheet retry`: what is free is reopened, what is paid is said and asked."""

from collections.abc import Callable

import pytest

from jobs.failures import Failure, FailureKind
from jobs.outcomes import Discarded
from jobs.store.store import Store
from jobs.workload import Workload
from runner.providers.base import UnknownId
from tests.unit.runner.cli.world import (
    NOW,
    World,
    accepted,
    done,
    fetch_failed,
    fetched,
    job,
    refused,
    remote_failed,
    unanswered,
)

Terminal = Callable[[str], list[str]]


@pytest.fixture
def night(world: World) -> World:
    """One job for each way to end."""
    keys = ("fine", "expired", "lost", "failed", "moderated", "refused", "unanswered", "gone", "cancelled")
    world.load(*(job(position, key) for position, key in enumerate(keys)))
    world.price()
    world.move("fine", accepted("r-0"), done(), fetched())
    world.move("expired", accepted("r-1"), done(), fetch_failed())
    world.move("lost", accepted("r-2"), remote_failed(FailureKind.LOST))
    world.api.statuses["r-2"] = UnknownId("ResourceNotFound", "404001")
    world.move("failed", accepted("r-3"), remote_failed())
    world.move("moderated", accepted("r-4"), remote_failed(FailureKind.MODERATED))
    world.move("refused", refused())
    world.move("unanswered", unanswered())
    let_go = Failure(FailureKind.DISCARDED, "let go")
    world.move("gone", unanswered(), lambda job_id: Discarded(job_id, let_go, NOW))

    async def cancel(store: Store) -> None:
        await store.jobs.cancel(1, ["cancelled"])

    world.store(cancel)
    return world


def test_all_that_failed(night: World) -> None:
    """What the API holds is free, the rest is paid; what a person or a rule decided is left out."""
    ran = night.run("retry", "--yes")
    assert ran.code == 0
    assert "1 job will be fetched again: free." in ran.out
    assert "3 jobs will be sent again and paid for, for $0.12 to $0.24." in ran.out
    assert "Nothing was sent yet. Next: nightsheet resume night" in ran.out
    assert "moderated: moderated: only with --kind moderated" in ran.err
    assert night.states() == {
        "fine": "succeeded",
        "expired": "running",
        "lost": "queued",
        "failed": "queued",
        "moderated": "failed",
        "refused": "queued",
        "unanswered": "unconfirmed",
        "gone": "failed",
        "cancelled": "cancelled",
    }


def test_the_json(night: World) -> None:
    """For scripts."""
    assert night.run("retry", "--yes", "--json").json == {
        "batch": "night",
        "reopened": ["expired"],
        "requeued": ["lost", "failed", "refused"],
        "linked": [],
        "left": [
            {"key": "moderated", "reason": "moderated: only with --kind moderated, or --job"},
            {"key": "gone", "reason": "discarded: only with --kind discarded, or --job"},
            {"key": "cancelled", "reason": "cancelled: only with --kind cancelled, or --job"},
        ],
        "price": {"low_usd": 0.12, "high_usd": 0.24},
    }


def test_by_kind(night: World) -> None:
    """Only those, named kinds included; the others are not talked about."""
    ran = night.run("retry", "night", "--yes", "--kind", "moderated", "--kind", "cancelled")
    assert (ran.code, ran.err) == (0, "")
    states = night.states()
    assert (states["moderated"], states["cancelled"], states["failed"]) == ("queued", "queued", "failed")


def test_by_key(night: World) -> None:
    """A moderated job too: a person asks for it."""
    ran = night.run(
        "retry", "--yes", "--job", "moderated", "--job", "fine", "--job", "unanswered", "--job", "moderated"
    )
    assert ran.code == 0
    assert "Not retried: fine: it is succeeded" in ran.err
    assert "Not retried: unanswered: unconfirmed: see review" in ran.err
    assert "1 job will be sent again and paid for, for $0.04 to $0.08." in ran.out
    assert night.states()["moderated"] == "queued"


def test_a_key_and_a_kind_that_do_not_agree(night: World) -> None:
    """Nothing to do is exit 1, and says why."""
    ran = night.run("retry", "--yes", "--job", "failed", "--kind", "expired")
    assert ran.code == 1
    assert "Not retried: failed: it is remote_failed" in ran.err
    assert "Nothing to retry." in ran.out


def test_an_unknown_key_changes_nothing(night: World) -> None:
    """And the keys that were probably meant are named."""
    before = night.states()
    ran = night.run("retry", "--yes", "--job", "failed", "--job", "expird")
    assert ran.code == 2
    assert "no job 'expird'" in ran.err
    assert "Did you mean expired?" in ran.err
    assert night.states() == before


def test_a_row_that_left_the_sheet(night: World) -> None:
    """Nobody pays for a row that is not there."""
    night.load(job(0, "new"))
    ran = night.run("retry", "--yes", "--job", "failed")
    assert ran.code == 1
    assert "its row is no longer in the sheet" in ran.err


def test_a_person_is_asked_before_paying(night: World, terminal: Terminal) -> None:
    """And a no keeps what is free."""
    questions = terminal("n")
    ran = night.run("retry")
    assert questions == ["3 jobs would be sent and paid for again, for $0.12 to $0.24. Go on?"]
    assert ran.code == 0
    states = night.states()
    assert (states["expired"], states["failed"]) == ("running", "failed")
    assert "Not retried: failed: not agreed to" in ran.err


@pytest.mark.parametrize("arguments", [("--yes",), ("--kind", "expired")])
def test_nobody_is_asked(night: World, terminal: Terminal, arguments: tuple[str, ...]) -> None:
    """With --yes, and where it is free."""
    questions = terminal("n")
    assert night.run("retry", *arguments).code == 0
    assert questions == []
    assert night.states()["expired"] == "running"


def test_yes_at_the_terminal(night: World, terminal: Terminal) -> None:
    """It is done."""
    terminal("y")
    night.run("retry", "--kind", "remote_failed")
    assert night.states()["failed"] == "queued"


def test_what_was_retried_needs_no_second_agreement(night: World) -> None:
    """The next run sends it without asking."""
    night.run("retry", "--yes", "--kind", "remote_failed")

    async def unagreed(store: Store) -> Workload:
        return await store.preview.unagreed(1)

    assert night.store(unagreed) == {}


def test_many_that_are_left_are_summed_up(world: World) -> None:
    """By their state and the reason: a line each would push the result off the screen."""
    world.load(*(job(position, f"k{position:02}") for position in range(14)))
    world.price()
    for key in ("k00", "k01"):
        world.move(key, accepted(f"r-{key}"), remote_failed(FailureKind.MODERATED))

    async def cancel(store: Store) -> None:
        await store.jobs.cancel(1)

    world.store(cancel)
    assert world.run("retry", "night", "--yes").err == (
        "Not retried: 2 failed jobs: moderated: only with --kind moderated, or --job\n"
        "Not retried: 12 cancelled jobs: cancelled: only with --kind cancelled, or --job\n"
    )
    assert len(world.run("retry", "night", "--yes", "--verbose").err.splitlines()) == 14
    assert len(world.run("retry", "--yes", "--json").json["left"]) == 14


@pytest.mark.parametrize(("many", "lines"), [(10, 10), (11, 1)])
def test_ten_are_told_one_by_one(world: World, many: int, lines: int) -> None:
    """So many can be read."""
    world.load(*(job(position, f"k{position:02}") for position in range(many)))

    async def cancel(store: Store) -> None:
        await store.jobs.cancel(1)

    world.store(cancel)
    assert len(world.run("retry", "night", "--yes").err.splitlines()) == lines


def test_nothing_failed(world: World) -> None:
    """No error."""
    world.load(job(0, "a"))
    ran = world.run("retry", "--yes")
    assert (ran.code, ran.out) == (0, "Nothing to retry.\n")


def test_an_unknown_price_is_said(world: World) -> None:
    """It is not made up."""
    world.load(job(0, "a"))
    world.move("a", refused())
    ran = world.run("retry", "--yes")
    assert "at an unknown price" in ran.out
    assert ran.code == 0


def test_without_a_terminal_nobody_pays_unasked(night: World) -> None:
    """A cron job's `retry; resume` would buy every failed row each night."""
    before = night.states()
    ran = night.run("retry")
    assert ran.code == 2
    assert (
        "3 jobs would be sent and paid for again, for $0.12 to $0.24: there is nobody to agree to it"
        in ran.err
    )
    assert "--free" in ran.err
    assert night.states() == before


def test_what_is_free_alone(night: World) -> None:
    """It asks nobody; what would be paid is named, and left."""
    ran = night.run("retry", "--free")
    assert ran.code == 0
    assert "1 job will be fetched again: free." in ran.out
    assert "Not retried: failed: not agreed to" in ran.err
    states = night.states()
    assert (states["expired"], states["failed"], states["refused"]) == ("running", "failed", "failed")
