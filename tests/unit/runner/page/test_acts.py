"""What a person does on the page about a night: pause, go on, less of everything, cancel, discard, fetch."""

import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import LockHeld
from jobs.failures import FailureKind
from jobs.pauses import FREE_TO_END, PauseReason
from jobs.states import JobState, Move
from jobs.store.sql.retirement import MARK, Retirement
from runner.page.acting import ACTS
from runner.page.acts.jobs_named import MOST_NAMED
from tests.support.served_page import Served, served_page
from tests.support.tables import MODEL, Table, planned, tamper

LIMITS = sorted(set(PauseReason) - FREE_TO_END)


async def paused(served: Served) -> str | None:
    """Why the batch is paused."""
    found = (await served.table.store.batches.get(served.table.batch.id)).paused
    return None if found is None else found.reason.value


async def pause_for(table: Table, reason: PauseReason) -> None:
    await table.store.batches.pause(table.batch.id, reason, f"For {reason}.")


async def state_of(served: Served, key: str) -> JobState | None:
    """Where a job stands."""
    found = await served.table.store.jobs.by_key(served.table.batch.id, key)
    return None if found is None else found.state


# -- re-rolls --------------------------------------------------------------------------------------------


async def marked(served: Served) -> None:
    """A picture that is marked for a re-roll."""
    await served.table.load([planned("fox", inputs={"prompt": "a fox"})])
    await served.shoot("fox")
    await served.act("decisions", {"decisions": [{"key": "fox", "verdict": "reroll"}]})


async def test_the_sheet_of_re_rolls_is_written_once(served: Served) -> None:
    """However often a click is sent; to run it is a line to type, and nothing is queued here."""
    await marked(served)
    asked = {"action": "x" * 20, "variants": 2, "seed": "same"}
    first, again = [(await served.act("reroll", asked)).json() for _ in range(2)]
    assert first == again
    assert (first["jobs"], first["images"]) == (2, 2)
    path = Path(first["sheet"])
    assert path == served.root.parent / "night-rerolls-1.csv"
    assert first["command"] == f"nightsheet run {path}"
    lines = path.read_text().splitlines()  # noqa: ASYNC240 - a small file
    assert [line.partition(",")[0] for line in lines] == ["id", "fox-r1", "fox-r2"]
    assert (await served.act("reroll", {})).json() == {"sheet": None, "jobs": 0, "not_said_count": 0}
    assert [one.name for one in served.root.parent.glob("*.csv")] == ["night-rerolls-1.csv"]
    assert await served.table.store.batches.find("night-rerolls-1") is None


@pytest.mark.parametrize(
    "told",
    [{"variants": 0}, {"variants": 9}, {"variants": "2"}, {"variants": True}, {"seed": 7}, {"seed": "old"}],
)
async def test_no_other_sheet_is_written(served: Served, told: dict[str, Any]) -> None:
    """What is no number of rows, or no kind of seed, is no act."""
    await marked(served)
    assert (await served.act("reroll", told)).status_code == 400
    assert not list(served.root.parent.glob("*.csv"))


# -- pause and its end -----------------------------------------------------------------------------------


async def test_a_person_pauses_and_goes_on(served: Served) -> None:
    """Twice the same is no error."""
    for _ in range(2):
        told = (await served.act("pause", {})).json()["paused"]
        assert (told["reason"], told["detail"]) == ("person", "Paused on the page.")
        assert await paused(served) == "person"
    for _ in range(2):
        assert (await served.act("resume", {})).json() == {"paused": None}
        assert await paused(served) is None


@pytest.mark.parametrize("reason", sorted(FREE_TO_END))
async def test_a_pause_that_stands_for_no_limit_is_ended(served: Served, reason: PauseReason) -> None:
    """And a person's takes its place, so that no run mends it by itself."""
    await pause_for(served.table, reason)
    assert (await served.act("pause", {})).json()["paused"]["reason"] == "person"
    await pause_for(served.table, reason)
    assert (await served.act("resume", {})).status_code == 200
    assert await paused(served) is None


@pytest.mark.parametrize("reason", LIMITS)
async def test_a_pause_that_stands_for_a_limit_is_not(served: Served, reason: PauseReason) -> None:
    """Neither ended, nor hidden behind a person's pause, which could be ended then."""
    await pause_for(served.table, reason)
    assert (await served.act("pause", {})).json()["paused"]["reason"] == reason
    answered = await served.act("resume", {})
    assert answered.status_code == 409
    assert f"paused ({reason})" in answered.json()["error"]
    assert await paused(served) == reason


async def test_the_guards_count_on(served: Served) -> None:
    """A pause and its end would start them anew, which is a limit that is loosened."""
    before = (await served.table.store.batches.get(served.table.batch.id)).guards_since
    await served.act("pause", {})
    await served.act("resume", {})
    assert (await served.table.store.batches.get(served.table.batch.id)).guards_since == before


# -- less of everything ----------------------------------------------------------------------------------


async def tuned(served: Served) -> tuple[Any, Any, Any]:
    batch = await served.table.store.batches.get(served.table.batch.id)
    return batch.concurrency, batch.rate, batch.budget


async def test_what_is_lowered_holds(served: Served) -> None:
    """Below what the settings say, where the batch has nothing of its own."""
    told = await served.act("tune", {"concurrency": 7, "rate": 30, "budget": "12.50"})
    assert told.json() == {"concurrency": 7, "rate": 30.0, "budget": 12.5}
    await served.act("tune", {"budget": 12, "action": "once"})
    assert await tuned(served) == (7, 30.0, Decimal(12))


@pytest.mark.parametrize(
    "told",
    [
        {"concurrency": 5},
        {"concurrency": 6},
        {"concurrency": "auto"},
        {"concurrency": "none"},
        {"rate": "none"},
        {"rate": 31},
        {"budget": "10.01"},
        {"budget": 10},
        {"budget": "NONE"},
        {"concurrency": 1, "budget": 11},
        {"rate": "1e9"},
    ],
)
async def test_nothing_is_raised(served: Served, told: dict[str, Any]) -> None:
    """Nor taken away, nor set to what it is; one that is refused keeps the others back."""
    await served.table.store.batches.tune(
        served.table.batch.id, {"concurrency": 5, "rate": 30.0, "budget": Decimal(10)}
    )
    answered = await served.act("tune", told)
    assert (answered.status_code, "not lower" in answered.json()["error"]) == (409, True)
    assert await tuned(served) == (5, 30.0, Decimal(10))


async def test_the_settings_are_not_exceeded(served: Served) -> None:
    """Eight are in flight where the table says nothing: nine would be more."""
    assert (await served.act("tune", {"concurrency": 9})).status_code == 409
    assert await tuned(served) == (None, None, None)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({}, 400),
        ({"action": "x"}, 400),
        ({"prices": 1}, 400),
        ({"budget": "9" * 50}, 400),
        ({"budget": "-1"}, 409),
        ({"budget": "NaN"}, 409),
        ({"rate": "few"}, 409),
        ({"concurrency": True}, 409),
        ({"concurrency": 1.5}, 409),
    ],
)
async def test_odd_values_change_nothing(served: Served, told: dict[str, Any], status: int) -> None:
    """As at the command line."""
    assert (await served.act("tune", told)).status_code == status
    assert await tuned(served) == (None, None, None)


# -- cancel ----------------------------------------------------------------------------------------------


async def test_what_waits_is_cancelled_and_what_is_at_the_api_is_asked_for(served: Served) -> None:
    """By a run, as the page asks nobody; what has ended is told."""
    running = await served.table.bring("b", JobState.RUNNING)
    await served.table.bring("c", JobState.FAILED)
    told = (await served.act("cancel", {"keys": ["a", "b", "c", "a"]})).json()
    assert told == {"cancelled": 1, "asked": 1, "not_changed": [{"key": "c", "why": "it is failed"}]}
    assert served.table.row(running)["cancel_requested"]
    assert await state_of(served, "a") is JobState.CANCELLED


async def test_all_is_cancelled_by_its_word_alone(served: Served) -> None:
    """A request that lost its list cancels nothing."""
    lost: list[Any] = [
        {},
        {"all": 1},
        {"keys": []},
        {"keys": None, "all": True},
        {"keys": "a"},
        {"keys": [1]},
    ]
    for told in lost:
        assert (await served.act("cancel", told)).status_code == 400
    assert (await served.act("cancel", {"keys": ["a"] * (MOST_NAMED + 1)})).status_code == 400
    assert (await served.act("cancel", {"keys": ["a", "nobody"]})).status_code == 409
    assert (await served.act("cancel", {"all": True})).json()["cancelled"] == 3


# -- discard ---------------------------------------------------------------------------------------------


async def test_a_doubt_is_let_go_after_the_journal_was_asked(served: Served) -> None:
    """Once for a double click; it ends as at the command line."""
    await served.table.bring("a", JobState.UNCONFIRMED)
    told = {"keys": ["a"], "action": "one"}
    for _ in range(2):
        assert (await served.act("discard", told)).json() == {"discarded": ["a"], "not_changed": []}
    assert served.settled == 1
    found = await served.table.store.jobs.by_key(served.table.batch.id, "a")
    assert found is not None
    assert found.failure is not None
    assert (found.state, found.failure.kind) == (JobState.FAILED, FailureKind.DISCARDED)


async def test_what_the_journal_settles_is_not_let_go(served: Served) -> None:
    """Its receipt has come back: then it is paid for, and under way."""
    await served.table.bring("a", JobState.UNCONFIRMED)

    async def settle() -> None:
        await served.table.move("a", Move.ATTACH)

    served.settling = settle
    answered = await served.act("discard", {"keys": ["a"]})
    assert (answered.status_code, "not unconfirmed" in answered.json()["error"]) == (409, True)
    assert await state_of(served, "a") is JobState.RUNNING


async def test_beside_another_command_nothing_is_decided(served: Served) -> None:
    """Its name and place are nobody's business."""
    await served.table.bring("a", JobState.UNCONFIRMED)

    async def settle() -> None:
        raise LockHeld("`nightsheet review` (process 7) still holds /home/me/night.db.")

    served.settling = settle
    answered = await served.act("discard", {"keys": ["a"]})
    assert answered.status_code == 409
    assert "/home" not in answered.text
    assert await state_of(served, "a") is JobState.UNCONFIRMED


async def test_a_page_that_was_open_when_its_table_was_retired(served: Served) -> None:
    """It says where the jobs are, and decides nothing that nobody would see."""
    await served.table.bring("a", JobState.UNCONFIRMED)
    mark = Retirement("/elsewhere.db", is_done=True).as_json()
    tamper(
        served.table.path,
        f"INSERT INTO settledjournal (name, stamp, settled_to) VALUES ('{MARK}', '', '{mark}')",
    )
    answered = await served.act("discard", {"keys": ["a"]})
    assert answered.status_code == 409
    assert "is retired: its jobs are in /elsewhere.db" in answered.json()["error"]
    assert await state_of(served, "a") is JobState.UNCONFIRMED


@pytest.mark.parametrize(("told", "status"), [({}, 400), ({"keys": ["all"]}, 409), ({"keys": ["b"]}, 409)])
async def test_what_is_no_doubt_is_not_let_go(served: Served, told: dict[str, Any], status: int) -> None:
    """`all` is a word of the command line, and here a key that is not there."""
    await served.table.bring("a", JobState.UNCONFIRMED)
    assert (await served.act("discard", told)).status_code == status
    assert await state_of(served, "a") is JobState.UNCONFIRMED


# -- free retries ----------------------------------------------------------------------------------------


async def test_only_what_is_free_is_fetched_again(served: Served) -> None:
    """What would be paid for again is told."""
    await served.table.bring("a", JobState.FETCHING)
    await served.table.move("a", Move.FETCH_FAILED)
    await served.table.bring("b", JobState.RUNNING)
    await served.table.move("b", Move.REMOTE_FAILED)
    told = (await served.act("fetch", {"keys": ["a", "b", "c"]})).json()
    assert told["fetched"] == ["a"]
    assert {one["key"]: one["why"] for one in told["not_changed"]} == {
        "b": "not agreed to",
        "c": "it is queued",
    }
    states = {job.key: job.state async for job in served.table.store.jobs.each(served.table.batch.id)}
    assert states == {"a": JobState.RUNNING, "b": JobState.FAILED, "c": JobState.QUEUED}


@pytest.mark.parametrize(
    "told",
    [{}, {"kinds": []}, {"kinds": ["odd"]}, {"kinds": "lost"}, {"keys": [None]}, {"kinds": [["lost"]]}],
)
async def test_an_odd_wish_to_fetch_changes_nothing(served: Served, told: dict[str, Any]) -> None:
    """Nothing named is not everything."""
    await served.table.bring("a", JobState.FETCHING)
    await served.table.move("a", Move.FETCH_FAILED)
    assert (await served.act("fetch", told)).status_code == 400
    assert await state_of(served, "a") is JobState.FAILED


# -- never paid ------------------------------------------------------------------------------------------


def wishes(dice: random.Random) -> Iterator[tuple[str, Any]]:
    """Requests of every kind, sensible and not."""
    keys = ["a", "b", "c", "d", "e", "f", "all", "", "nobody"]
    values: list[Any] = [
        0,
        1,
        3,
        8,
        99,
        -1,
        1.5,
        "none",
        "auto",
        "1e6",
        "",
        None,
        True,
        [],
        {},
        "12.5",
        "0.01",
    ]
    names = [
        "keys",
        "kinds",
        "all",
        "budget",
        "rate",
        "concurrency",
        "agreed",
        "yes",
        "paid",
        "resubmit",
        "action",
    ]
    names += ["decisions", "reason", "state"]
    for _ in range(40):
        told: dict[str, Any] = {name: dice.choice(values) for name in dice.sample(names, dice.randrange(4))}
        if dice.random() < 0.6:
            told["keys"] = dice.sample(keys, dice.randrange(1, 4))
        if dice.random() < 0.3:
            told["kinds"] = dice.sample([*FailureKind], 2)
        if dice.random() < 0.3:
            told = {dice.choice(["budget", "rate", "concurrency"]): dice.choice(values)}
        yield dice.choice([*ACTS]), told


def money(table: Table) -> dict[str, Any]:
    """All that could pay, as it is on disk."""
    (batch,), jobs, attempts, *_ = table.everything()
    return {
        "agreed": {job["id"] for job in jobs if job["agreed"]},
        "queued": {job["id"] for job in jobs if job["state"] == "queued"},
        "attempts": len(attempts),
        "limits": {name: batch[name] for name in ("concurrency", "rate", "budget")},
        "paused": batch["paused_reason"],
        "guards_since": batch["guards_since"],
        "prices": batch["prices"],
    }


def above(new: Any, old: Any) -> bool:
    """Whether a limit was loosened."""
    return new != old and (new is None or (old is not None and float(new) > float(old)))


@pytest.mark.parametrize("seed", range(4))
async def test_no_request_pays(tmp_path: Path, seed: int) -> None:
    """Whatever is asked, in whatever order: nobody agrees, nothing is sent again, no limit is loosened.

    And a pause for money or by a guard stays.
    """
    dice = random.Random(seed)
    async with served_page(tmp_path, "a", "b", "c", "d", "e", "f", "g") as served:
        await served.enter()
        table = served.table
        states = [
            JobState.UNCONFIRMED,
            JobState.RUNNING,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.FETCHING,
        ]
        for key, state in zip("abcde", states, strict=True):
            await table.bring(key, state)
        await table.move("e", Move.FETCH_FAILED)
        await table.store.batches.note_prices(table.batch.id, {MODEL: Decimal("0.04")})
        await table.store.batches.tune(table.batch.id, {"concurrency": 6, "rate": 9.0, "budget": Decimal(10)})
        for act, told in wishes(dice):
            if dice.random() < 0.2:
                await table.store.batches.resume(table.batch.id)
                await table.store.batches.pause(table.batch.id, dice.choice([*PauseReason]), "So be it.")
            before = money(table)
            answered = await served.act(act, told)
            assert answered.status_code in (200, 400, 409), (act, told, answered.text)
            after = money(table)
            assert after["agreed"] <= before["agreed"], (act, told)
            assert after["queued"] <= before["queued"], (act, told)
            for name in ("attempts", "guards_since", "prices"):
                assert after[name] == before[name], (act, told)
            for name, limit in before["limits"].items():
                assert not above(after["limits"][name], limit), (act, told)
            if before["paused"] in LIMITS:
                assert after["paused"] == before["paused"], (act, told)


async def test_a_page_that_looks_does_none_of_it(tmp_path: Path) -> None:
    """Every act has its key; without one, nothing."""
    async with served_page(tmp_path, "a") as served:
        await served.enter()
        served.key = None
        before = served.table.everything()
        for act in ACTS:
            assert (await served.act(act, {"keys": ["a"], "all": True})).status_code == 403
        assert served.table.everything() == before
