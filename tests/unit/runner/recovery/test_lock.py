"""One at a time works on a database."""

import errno
import os
import socket
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio
import pytest
from anyio import Event

from jobs.errors import CannotWrite
from runner.clock import Clock
from runner.recovery.lock import Holder, Phase, holding, say_phase, settled_phase, try_holding
from tests.support.virtual_time import VirtualClock, virtual

Held = AbstractAsyncContextManager[Holder | None]


async def never() -> bool:
    """A runner that does not pause again."""
    return False


def test_one_holds_the_other_does_not(tmp_path: Path) -> None:
    """And it is free again afterwards."""
    path = tmp_path / "db"
    with try_holding(path) as first, try_holding(path) as second:
        assert (first, second) == (True, False)
    with try_holding(path) as again:
        assert again is True


def held_by(path: Path, clock: Clock, told: list[str], command: str = "run") -> Held:
    """Hold it as that command would."""
    return holding(path, command=command, batch="night", clock=clock, notice=told.append)


async def let_go_after(path: Path, clock: Clock, seconds: float, *, told: Event | None = None) -> None:
    """Who holds it without saying so, until then."""
    with try_holding(path) as held:
        assert held
        if told is not None:
            told.set()
        await clock.sleep(seconds)


@virtual
async def test_a_runner_waits_for_one_who_only_asks(tmp_path: Path) -> None:
    """`status` asks by taking the lock for an instant."""
    path, clock, told, asking = tmp_path / "db", VirtualClock(), list[str](), Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: let_go_after(path, clock, 0.2, told=asking))
        await asking.wait()
        async with held_by(path, clock, told) as other:
            assert other is None
    assert told == []


@virtual
async def test_a_command_is_waited_for(tmp_path: Path) -> None:
    """It talks to the API about some jobs, and has ended in a minute; who waits is told for whom."""
    path, clock, told, at_work = tmp_path / "db", VirtualClock(), list[str](), Event()

    async def cancel() -> None:
        async with held_by(path, clock, [], "cancel") as other:
            assert other is None
            at_work.set()
            await clock.sleep(60)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel)
        await at_work.wait()
        async with held_by(path, clock, told) as other:
            assert other is None
            assert 60 <= clock.monotonic() < 61
    assert told == [
        f"`nightsheet cancel` (process {os.getpid()} on {socket.gethostname()}, since 2026-11-20T22:00:00Z) "
        f"is at work on {path}: waiting until it has ended."
    ]


@virtual
async def test_a_command_is_waited_for_through_a_change_of_hands(tmp_path: Path) -> None:
    """Who takes it from there has not signed yet, or only asks: no runner, for as long as it is short."""
    path, clock, at_work = tmp_path / "db", VirtualClock(), Event()

    async def commands() -> None:
        for command in ("cancel", "review"):
            async with held_by(path, clock, [], command) as other:
                assert other is None
                at_work.set()
                await clock.sleep(60)
            await let_go_after(path, clock, 0.2)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(commands)
        await at_work.wait()
        async with held_by(path, clock, []) as other:
            assert other is None


@virtual
async def test_a_command_that_hangs_is_not_waited_for_all_night(tmp_path: Path) -> None:
    """After ten minutes it is said who stands in the way."""
    path, clock = tmp_path / "db", VirtualClock()
    async with held_by(path, clock, [], "cancel"), held_by(path, clock, []) as other:
        assert other is not None
        assert other.makes_room_soon
        assert 600 <= clock.monotonic() < 601


@virtual
@pytest.mark.parametrize("command", ["run", "resume"])
async def test_a_runner_is_not_waited_for(tmp_path: Path, command: str) -> None:
    """It is at work all night; who it is and what it is at is told."""
    path, clock, told = tmp_path / "db", VirtualClock(), list[str]()
    async with held_by(path, clock, [], command), held_by(path, clock, told) as other:
        assert other is not None
        assert not other.makes_room_soon
        assert (other.command, other.batch, other.pid) == (command, "night", os.getpid())
        assert f"`nightsheet {command}` (process {os.getpid()} on" in str(other)
        assert clock.monotonic() < 1
    assert told == []


@virtual
async def test_a_runner_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    """By whoever comes, from the moment that it says so; who waits is told for whom."""
    path, clock, told, at_work = tmp_path / "db", VirtualClock(), list[str](), Event()

    async def runner() -> None:
        async with held_by(path, clock, []) as other:
            assert other is None
            at_work.set()
            await clock.sleep(0.2)
            say_phase(path, Phase.PAUSED)
            await clock.sleep(0.2)
            say_phase(path, Phase.ENDING)
            await clock.sleep(60)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner)
        await at_work.wait()
        async with held_by(path, clock, told, "cancel") as other:
            assert other is None
            assert 60 <= clock.monotonic() < 61
    assert told == [
        f"`nightsheet run` (process {os.getpid()} on {socket.gethostname()}, since 2026-11-20T22:00:00Z) "
        "is ending: waiting until it has ended."
    ]


@virtual
async def test_who_comes_after_is_not_ending(tmp_path: Path) -> None:
    """The next holder signs for itself."""
    path, clock = tmp_path / "db", VirtualClock()
    async with held_by(path, clock, []):
        say_phase(path, Phase.ENDING)
    async with held_by(path, clock, []), held_by(path, clock, []) as other:
        assert other is not None
        assert other.phase is Phase.WORKING


def test_a_phase_without_a_lock_is_nobody_s(tmp_path: Path) -> None:
    """Its file is not made: what is wanted is to tell others, and there are none."""
    say_phase(tmp_path / "db", Phase.ENDING)
    assert list(tmp_path.iterdir()) == []


async def _phase_after(path: Path, clock: Clock, *steps: tuple[float, Phase]) -> tuple[Phase, float]:
    """How a runner stands that says so after these seconds each, and when that was certain."""
    said = Event()

    async def runner() -> None:
        async with held_by(path, clock, []):
            said.set()
            for seconds, phase in steps:
                await clock.sleep(seconds)
                say_phase(path, phase)
            await clock.sleep(3600)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner)
        await said.wait()
        async with held_by(path, clock, []) as other:
            assert other is not None
        found = await settled_phase(path, other, clock, never)
        seconds = clock.monotonic()
        tasks.cancel_scope.cancel()
    return found, seconds


@pytest.mark.parametrize(
    ("steps", "phase", "seconds"),
    [
        ((), Phase.WORKING, 3.5),
        (((0.1, Phase.PAUSED), (40.0, Phase.WORKING)), Phase.WORKING, 43.1),
        (((0.1, Phase.PAUSED), (40.0, Phase.ENDING)), Phase.ENDING, 40.1),
        (((2.0, Phase.PAUSED), (1.0, Phase.WORKING), (1.0, Phase.ENDING)), Phase.ENDING, 4.0),
        (((0.1, Phase.PAUSED),), Phase.PAUSED, 600.5),
    ],
)
def test_how_a_runner_stands(
    tmp_path: Path, steps: tuple[tuple[float, Phase], ...], phase: Phase, seconds: float
) -> None:
    """One that works has done so for some seconds; one that is paused is given time to go on or to end."""

    @virtual
    async def test() -> None:
        found, moment = await _phase_after(tmp_path / "db", VirtualClock(), *steps)
        assert found is phase
        assert moment == pytest.approx(seconds, abs=0.11)

    test()


@virtual
async def test_a_runner_that_was_followed_by_another_has_ended(tmp_path: Path) -> None:
    """The other may be at anything."""
    path, clock = tmp_path / "db", VirtualClock()
    async with held_by(path, clock, []), held_by(path, clock, []) as first:
        assert first is not None
        assert await settled_phase(path, first, clock, never) is Phase.WORKING
    async with held_by(path, clock, []):
        assert await settled_phase(path, first, clock, never) is Phase.ENDING
    assert await settled_phase(path, first, clock, never) is Phase.ENDING


@virtual
async def test_a_runner_that_pauses_again_is_not_waited_for(tmp_path: Path) -> None:
    """As the table has it; it had its seconds to look into it."""

    async def pauses_again() -> bool:
        return clock.monotonic() > 5

    path, clock = tmp_path / "db", VirtualClock()
    async with held_by(path, clock, []), held_by(path, clock, []) as other:
        assert other is not None
        say_phase(path, Phase.PAUSED)
        assert await settled_phase(path, other, clock, pauses_again) is Phase.PAUSED
        assert clock.monotonic() < 6


@virtual
@pytest.mark.parametrize(
    "note", [b"", b" ", b" {", b" []\n", b' {"since": 1, "pid": {}}\n', b" \xff\n", b"\n" * 9]
)
async def test_a_holder_that_cannot_be_read(tmp_path: Path, note: bytes) -> None:
    """Of a version before this one, or one that is just about to sign: some runner, then."""
    path, clock = tmp_path / "db", VirtualClock()
    (tmp_path / "db.lock").write_bytes(note)
    with try_holding(path):
        async with held_by(path, clock, []) as other:
            assert str(other) == "Another runner"
            assert clock.monotonic() < 1


@virtual
async def test_who_held_it_before_is_not_named(tmp_path: Path) -> None:
    """A shorter name over a longer one, and none when it was let go."""
    path, clock = tmp_path / "db", VirtualClock()
    async with holding(path, command="cancel", batch="x" * 500, clock=clock, notice=print):
        pass
    with try_holding(path):
        async with held_by(path, clock, []) as other:
            assert str(other) == "Another runner"
    async with held_by(path, clock, []), held_by(path, clock, []) as other:
        assert other is not None
        assert other.batch == "night"


@virtual
async def test_a_name_that_cannot_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, say: held all the same, and others are not told by whom."""
    path, clock = tmp_path / "db", VirtualClock()
    (tmp_path / "db.lock").touch(0o600)

    def full(*_: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    async with held_by(path, clock, []) as first, held_by(path, clock, []) as second:
        assert first is None
        assert str(second) == "Another runner"


def test_the_loser_does_not_free_it(tmp_path: Path) -> None:
    """Leaving its block changes nothing for the holder."""
    path = tmp_path / "db"
    with try_holding(path):
        with try_holding(path):
            pass
        with try_holding(path) as third:
            assert third is False


def test_an_error_inside_frees_it(tmp_path: Path) -> None:
    """However the block ends."""
    path = tmp_path / "db"
    with pytest.raises(ZeroDivisionError), try_holding(path):
        raise ZeroDivisionError
    with try_holding(path) as held:
        assert held is True


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    """Told in a sentence."""
    (tmp_path / "db.lock").mkdir()
    with pytest.raises(CannotWrite, match="cannot be written"), try_holding(tmp_path / "db"):
        pass


@pytest.mark.process
def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    """The system frees the lock, however the process died."""
    path = tmp_path / "db"
    code = (
        "import os, sys; from pathlib import Path; from runner.recovery.lock import try_holding\n"
        "with try_holding(Path(sys.argv[1])) as held:\n"
        "    print(held, flush=True); sys.stdin.read(); os._exit(9)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=Path(__file__).parents[4],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "True\n"
    with try_holding(path) as held:
        assert held is False
    process.stdin.close()
    assert process.wait() == 9
    process.stdout.close()
    with try_holding(path) as held:
        assert held is True


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX modes")
def test_the_lock_is_for_its_owner(tmp_path: Path) -> None:
    """As the database is."""
    path = tmp_path / "db"
    with try_holding(path):
        assert Path(f"{path}.lock").stat().st_mode & 0o077 == 0
