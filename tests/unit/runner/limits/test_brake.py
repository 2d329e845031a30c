"""The brake: how far each trouble reaches, and what it lets end."""

from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest

from jobs.pauses import PauseReason
from runner.limits.brake import Brake, Reach, Stop
from tests.support.virtual_time import virtual


@pytest.mark.parametrize(
    ("reason", "reach"),
    [
        (PauseReason.BALANCE, Reach.SUBMITS),
        (PauseReason.BUDGET, Reach.SUBMITS),
        (PauseReason.GUARD, Reach.SUBMITS),
        (PauseReason.PERSON, Reach.SUBMITS),
        (PauseReason.DISK, Reach.SUBMITS),
        (PauseReason.TOKEN, Reach.POLLS),
        (PauseReason.OUTAGE, Reach.POLLS),
    ],
)
def test_how_far_a_pause_reaches(reason: PauseReason, reach: Reach) -> None:
    """No reason stops the downloads of what is paid for."""
    brake = Brake()
    assert not brake.stops(Reach.SUBMITS)
    brake.pause(reason, "why")
    assert brake.stop == Stop(reason, "why")
    assert [brake.stops(what) for what in list(Reach)[1:]] == [what <= reach for what in list(Reach)[1:]]


def test_a_full_disk_weighs_more_than_an_empty_purse() -> None:
    """Both stop submits alone; but pictures do not come home either, and the exit code says so."""
    brake = Brake()
    brake.pause(PauseReason.BALANCE, "empty")
    brake.pause(PauseReason.DISK, "full")
    brake.pause(PauseReason.PERSON, "by hand")
    assert brake.stop == Stop(PauseReason.DISK, "full")
    assert brake.reach is Reach.SUBMITS


def test_only_what_reaches_further_takes_the_place_of_a_pause() -> None:
    """Each is told once."""
    told: list[Stop] = []
    brake = Brake(told.append)
    brake.pause(PauseReason.BALANCE, "first")
    brake.pause(PauseReason.BALANCE, "again")
    brake.pause(PauseReason.GUARD, "no further")
    brake.pause(PauseReason.TOKEN, "further")
    brake.pause(PauseReason.BALANCE, "back")
    brake.pause(PauseReason.OUTAGE, "as far")
    assert told == [Stop(PauseReason.BALANCE, "first"), Stop(PauseReason.TOKEN, "further")]
    assert brake.stop == told[-1]
    assert brake.reach is Reach.POLLS


def test_an_interruption_is_no_pause() -> None:
    """It reaches as far as it is told, and never less than what stands."""
    brake = Brake()
    brake.interrupt(Reach.DOWNLOADS)
    brake.interrupt(Reach.POLLS)
    assert (brake.interrupted, brake.stop, brake.reach) == (True, None, Reach.DOWNLOADS)


@pytest.mark.parametrize(
    ("pull", "ending"),
    [
        (lambda brake: brake.pause(PauseReason.PERSON, "wait"), False),
        (lambda brake: brake.pause(PauseReason.DISK, "full"), True),
        (lambda brake: brake.pause(PauseReason.TOKEN, "refused"), True),
        (lambda brake: brake.pause(PauseReason.OUTAGE, "down"), True),
        (lambda brake: brake.interrupt(Reach.POLLS), True),
        (lambda brake: brake.end(), True),
    ],
)
def test_what_ends_a_run(pull: Callable[[Brake], None], ending: bool) -> None:
    """It is said once the brake is as it is to be, and nothing takes it back."""
    said: list[tuple[bool, Reach]] = []
    brake = Brake(on_change=lambda brake: said.append((brake.ending, brake.reach)))
    brake.pause(PauseReason.PERSON, "wait")
    assert said == [(False, Reach.SUBMITS)]
    pull(brake)
    assert brake.ending is ending
    assert said[-1] == (ending, brake.reach)
    reach = brake.reach
    brake.release()
    assert (brake.ending, brake.reach) == (ending, reach if ending else Reach.NOTHING)
    assert said[-1] == (brake.ending, brake.reach)


def test_a_person_may_clear_a_pause_that_stops_submits_alone() -> None:
    """Polls that were cancelled do not come back in this run, nor does an interrupted run."""
    brake = Brake()
    brake.pause(PauseReason.PERSON, "wait")
    brake.release()
    assert (brake.stop, brake.reach) == (None, Reach.NOTHING)
    brake.pause(PauseReason.TOKEN, "refused")
    brake.release()
    assert brake.stops(Reach.POLLS)
    interrupted = Brake()
    interrupted.pause(PauseReason.PERSON, "wait")
    interrupted.interrupt(Reach.POLLS)
    interrupted.release()
    assert interrupted.stops(Reach.POLLS)
    assert interrupted.stop is not None


@virtual
async def test_what_waits_is_cancelled_as_far_as_the_brake_reaches() -> None:
    """And nothing beyond it."""
    brake = Brake()
    cancelled: list[Reach] = []

    async def wait(what: Reach) -> None:
        with brake.guarding(what) as scope:
            await anyio.sleep(100)
        if scope.cancelled_caught:
            cancelled.append(what)

    async with anyio.create_task_group() as tasks:
        for what in (Reach.SUBMITS, Reach.POLLS, Reach.DOWNLOADS):
            tasks.start_soon(wait, what)
        await anyio.sleep(1)
        brake.pause(PauseReason.BALANCE, "")
        await anyio.sleep(1)
        assert cancelled == [Reach.SUBMITS]
        brake.pause(PauseReason.TOKEN, "")
        await anyio.sleep(1)
        assert cancelled == [Reach.SUBMITS, Reach.POLLS]
    assert cancelled == [Reach.SUBMITS, Reach.POLLS]


@virtual
async def test_what_begins_too_late_is_cancelled_at_its_first_wait() -> None:
    """A block entered when the brake is pulled already."""
    brake = Brake()
    brake.interrupt(Reach.POLLS)
    reached = False
    with brake.guarding(Reach.POLLS) as scope:
        await anyio.lowlevel.checkpoint()
        reached = True
    assert scope.cancelled_caught
    assert not reached
    with brake.guarding(Reach.DOWNLOADS) as scope:
        await anyio.lowlevel.checkpoint()
    assert not scope.cancelled_caught


@virtual
async def test_what_is_shielded_ends() -> None:
    """A submit on its way is recorded, whatever the brake says meanwhile."""
    brake = Brake()
    ended = False
    with brake.guarding(Reach.SUBMITS):
        with anyio.CancelScope(shield=True):
            brake.pause(PauseReason.TOKEN, "")
            await anyio.sleep(5)
            ended = True
        await anyio.sleep(5)
        raise AssertionError("not cancelled")
    assert ended


@virtual
async def test_a_block_that_has_ended_is_forgotten() -> None:
    """However it ended."""
    brake = Brake()
    with pytest.raises(ValueError, match="why"), brake.guarding(Reach.SUBMITS):
        raise ValueError("why")
    with brake.guarding(Reach.SUBMITS):
        pass
    brake.interrupt(Reach.SUBMITS)
    await anyio.sleep(1)
