"""One runner at a time a database."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from jobs.database import open_database
from jobs.errors import CannotWrite, LockHeld
from jobs.store.door import Store
from runner.lock import holding, try_holding

NOW = datetime(2026, 3, 4, 1, 2, 3, tzinfo=UTC)


def test_one_holds_the_other_does_not(tmp_path: Path) -> None:
    """And it is free again afterwards."""
    path = tmp_path / "db"
    with try_holding(path) as first, try_holding(path) as second:
        assert (first, second) == (True, False)
    with try_holding(path) as again:
        assert again is True


def test_a_runner_waits_for_one_who_only_asks(tmp_path: Path) -> None:
    """`status` asks by taking the lock for an instant."""
    path = tmp_path / "db"
    asking = Event()

    def ask() -> None:
        with try_holding(path):
            asking.set()
            time.sleep(0.05)  # the instant

    with ThreadPoolExecutor(1) as threads:
        threads.submit(ask)
        assert asking.wait(10)
        with try_holding(path, patience_seconds=10) as held:
            assert held


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
        "import os, sys; from pathlib import Path; from runner.lock import try_holding\n"
        "with try_holding(Path(sys.argv[1])) as held:\n"
        "    print(held, flush=True); sys.stdin.read(); os._exit(9)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=Path(__file__).parents[3],
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


async def test_who_holds_it_is_told(tmp_path: Path) -> None:
    """The process, its machine, and since when."""
    path = tmp_path / "db"
    async with open_database(path, create=True) as database:
        store = Store(database, lambda: NOW)
        batch, _ = await store.load(name="n", sheet=tmp_path / "n.csv", origin="https://api", planned=())
        with try_holding(path):
            with pytest.raises(LockHeld, match="Another runner holds") as told:
                async with holding(path, store):
                    pass
            await store.begin_run(batch.id, pid=os.getpid(), host="here")
            with pytest.raises(LockHeld) as told:
                async with holding(path, store):
                    pass
        assert f"process {os.getpid()} on here, since 2026-03-04T01:02:03Z" in told.value.message
        assert told.value.exit_code == 73
        async with holding(path, store):
            with try_holding(path) as second:
                assert second is False


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX modes")
def test_the_lock_is_for_its_owner(tmp_path: Path) -> None:
    """As the database is."""
    path = tmp_path / "db"
    with try_holding(path):
        assert Path(f"{path}.lock").stat().st_mode & 0o077 == 0
