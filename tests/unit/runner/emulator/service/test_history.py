"""Replay: the journal and the clock are all there is."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import UsageProblem
from runner.emulator.service.journal import MemoryJournal
from tests.unit.runner.emulator.world import World

LIFE = {"in_queue": 0, "in_progress": 1, "completed": 2, "cancelled": 2}
SETTINGS: dict[str, Any] = {
    "slots": 2,
    "sigma": 0.8,
    "failed_share": 0.2,
    "short_share": 0.3,
    "failed_cost": "free",
}

steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0, 30)),
        st.tuples(st.just("submit"), st.integers(1, 15)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("pay"), st.integers(0, 100)),
    ),
    max_size=30,
)


def _picture(world: World) -> list[object]:
    """All that can be seen of a world."""
    seen: list[object] = [world.service.balance_usd]
    for entry in world.service.ledger:
        status = world.status(entry.request_id)
        result = world.result(entry.request_id, include_cost=True)
        result.pop("output", None)
        seen.append((entry, status, result))
    return seen


@settings(max_examples=60, deadline=None)
@given(steps=steps, later=st.floats(0, 60))
def test_a_replayed_journal_gives_the_same_answers(steps: list[tuple[str, Any]], later: float) -> None:
    """Whenever it is killed, and however often it was looked at; states only ever move on."""
    world = World(**SETTINGS)
    furthest: dict[str, int] = {}
    for what, value in steps:
        match what:
            case "wait":
                world.clock.advance(value)
            case "submit" if world.service.balance_usd >= 1:
                world.series(value)
            case "cancel" if value < len(world.service.ledger):
                world.cancel(world.service.ledger[value].request_id)
            case "pay":
                world.service.set_balance(Decimal(value))
            case _:
                pass
        states = {entry.request_id: str(world.word(entry.request_id)) for entry in world.service.ledger}
        assert list(states.values()).count("in_progress") <= 2
        for request_id, state in states.items():
            assert LIFE[state] >= furthest.get(request_id, 0)
            furthest[request_id] = LIFE[state]
    world.clock.advance(later)
    assert isinstance(world.journal, MemoryJournal)
    again = World(clock=world.clock, journal=MemoryJournal("nonce", world.journal.events), **SETTINGS)
    assert _picture(again) == _picture(world)


def test_other_settings_do_not_change_what_was_drawn() -> None:
    """A rehearsal resumed at another speed and with another seed keeps its past."""
    world = World()
    request_id = world.accepted()
    world.clock.advance(9)
    assert isinstance(world.journal, MemoryJournal)
    again = World(clock=world.clock, journal=world.journal, seed=5, speed=1000, failed_share=1)
    assert again.word(request_id) == "in_progress"
    world.clock.advance(1)
    assert again.result(request_id)["status"] == "succeeded"
    assert again.service.ledger == world.service.ledger


def test_more_slots_count_from_the_opening_on() -> None:
    """What waited is started then, not before."""
    world = World(slots=1)
    world.accepted()
    waiting = world.accepted()
    world.clock.advance(4)
    again = World(clock=world.clock, journal=world.journal, slots=2)
    world.clock.advance(10)
    assert again.result(waiting)["finished_at"] == "2026-11-20T22:00:14.000Z"


def test_two_emulators_never_give_the_same_id() -> None:
    """With the same seed and the same calls; one emulator's ids replay."""
    one, other = World(), World(journal=MemoryJournal("another"))
    ids = [world.accepted() for world in (one, one, other, World())]
    assert len(set(ids)) == 3
    assert ids[0] == ids[3]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event": "flood", "at": 1},
        {"event": "submit", "at": 1},
        {"event": "cancel", "at": 1, "ordinal": 7},
        {"event": "balance", "at": 1, "usd": "much"},
        {"event": "opened", "at": None},
    ],
)
def test_events_that_no_emulator_wrote_are_refused(event: dict[str, Any]) -> None:
    """With the number of the event."""
    with pytest.raises(UsageProblem, match="Event 1 of the emulator's state"):
        World(journal=MemoryJournal("nonce", [event]))


def test_many_requests_are_no_burden() -> None:
    """No call looks at all of them: were it so, this would run into the time limit."""
    world = World(slots=16, balance_usd=Decimal(10**9))
    ids = [world.accepted() for _ in range(20_000)]
    positions = [world.status(request_id).get("queue_position") for request_id in ids[::-199]]
    assert positions[0] == 20_000 - 16
    for request_id in ids[16:10_016]:
        world.cancel(request_id)
    assert world.status(ids[-1])["queue_position"] == 9_984
    world.clock.moment += timedelta(days=3)
    assert {world.word(request_id) for request_id in ids[::97]} == {"completed", "cancelled"}
