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
from runner.recovery.lock import Holder, holding, try_holding
from tests.support.virtual_time import VirtualClock, virtual

Held = AbstractAsyncContextManager[Holder | None]


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
