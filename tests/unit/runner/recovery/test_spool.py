"""The last resort for a request_id: on disk at once, there after a crash, gone when it is not needed."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from jobs.errors import CannotWrite
from runner.recovery.spool import Spool, Spooled, open_spool

LINE = Spooled(1, 7, "key", "req-1", "2026-11-20T22:00:00+00:00")
OTHER = Spooled(2, 8, "ключ\n", "req-2", "2026-11-20T22:00:01+00:00")

NEW = Spooled(1, 9, "new", "req-3", "2026-11-20T22:00:02+00:00")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "night.db"


def spool_of(database: Path) -> Path:
    return database.with_name("night.db.spool")


def test_a_line_survives_a_crash(database: Path) -> None:
    """It is on disk when `add` returns; nothing has to be closed."""
    with open_spool(database) as spool:
        spool.add(LINE)
        spool.add(OTHER)
        held = spool_of(database).read_bytes()
    spool_of(database).write_bytes(held)
    with open_spool(database) as again:
        assert again.lines == (LINE, OTHER)
    assert LINE.moment == datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def test_room_is_taken_at_the_start(database: Path) -> None:
    """So that a disk that fills up cannot refuse a line: the file does not grow."""
    with open_spool(database) as spool:
        before = spool_of(database).stat()
        assert before.st_size == 64 * 1024
        for number in range(20):
            spool.add(Spooled(1, number, "k" * 2000, f"req-{number}", LINE.at))
        assert spool_of(database).stat().st_size == before.st_size
        assert spool_of(database).stat().st_mode & 0o777 == 0o600
        for number in range(20):  # more than there is room for: it grows then
            spool.add(Spooled(1, number, "k" * 2000, f"again-{number}", LINE.at))
    with open_spool(database) as again:
        assert len(again.lines) == 40


def test_what_is_in_the_database_is_dropped(database: Path) -> None:
    """An empty spool leaves no file behind; one with lines does."""
    with open_spool(database) as spool:
        spool.add(LINE)
        spool.add(OTHER)
        spool.keep((OTHER,))
        assert spool.lines == (OTHER,)
    with open_spool(database) as spool:
        assert spool.lines == (OTHER,)
        spool.keep(())
    assert not spool_of(database).exists()


def test_a_torn_line_takes_nothing_else_with_it(database: Path) -> None:
    """A crash may cut the last line; junk is skipped."""
    whole = json.dumps({"batch_id": 1, "job_id": 7, "key": "key", "request_id": "req-1", "at": LINE.at})
    junk = ['{"batch_id": 1}', "[]", "null", '"text"', "\ufffd", whole[:-10]]
    spool_of(database).write_bytes(("\n".join([*junk[:3], whole, *junk[3:]])).encode() + b"\0" * 100)
    with open_spool(database) as spool:
        assert spool.lines == (LINE,)


def test_a_write_that_is_cut_off_anywhere_takes_no_whole_line_with_it(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill or a power cut in the middle of dropping some lines, or of adding one, leaves the others."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    kept = tuple(replace(OTHER, request_id=f"kept-{number}", key="k" * 400) for number in range(3))
    with open_spool(database) as spool:
        for line in (LINE, *kept):
            spool.add(line)
    before = spool_of(database).read_bytes()
    real = os.write

    def broken(descriptor: int, data: memoryview) -> int:
        real(descriptor, data[:cut])
        raise OSError(errno.EIO, "I/O error")

    for cut in range(0, len(before.rstrip(b"\0")) + 300, 7):
        for drops in (True, False):
            spool_of(database).write_bytes(before)
            with open_spool(database) as spool:
                act = partial(spool.keep, kept) if drops else partial(spool.add, NEW)
                with monkeypatch.context() as patch:
                    patch.setattr(os, "write", broken)
                    with pytest.raises(CannotWrite if drops else OSError):
                        act()
                held = spool_of(database).read_bytes()
            spool_of(database).write_bytes(held)
            with open_spool(database) as again:
                assert set(kept) <= set(again.lines), cut


def test_a_line_behind_a_torn_one_is_a_line(database: Path) -> None:
    """What a crash has left of one does not swallow the next."""
    spool_of(database).write_bytes(b'{"batch_id": 1, "jo')
    with open_spool(database) as spool:
        spool.add(LINE)
    with open_spool(database) as again:
        assert again.lines == (LINE,)


def test_it_is_synced(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line, before `add` returns: power may go."""
    synced: list[bytes] = []
    with open_spool(database) as spool:
        real = os.fsync

        def fsync(descriptor: int) -> None:
            real(descriptor)
            synced.append(spool_of(database).read_bytes())

        monkeypatch.setattr(os, "fsync", fsync)
        spool.add(LINE)
    assert b"req-1" in synced[-1]


def test_no_room_for_it_is_said_before_anything_is_sent(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt could be lost."""

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with (
        pytest.raises(CannotWrite, match=r"night\.db\.spool cannot be written: No space"),
        open_spool(database),
    ):
        pass


def test_a_link_is_not_followed(database: Path, tmp_path: Path) -> None:
    """Whoever planted it wants another file overwritten."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    spool_of(database).symlink_to(victim)
    with pytest.raises(CannotWrite), open_spool(database):
        pass
    assert victim.read_text() == "precious"


def test_receipts_that_come_at_once_are_all_kept(tmp_path: Path) -> None:
    """A refused group commit refuses up to a gate of them, each in a thread of its own."""
    for night in range(40):
        database = tmp_path / f"{night}.db"
        with open_spool(database) as spool:
            ready = Barrier(8)

            def add(number: int, spool: Spool = spool, ready: Barrier = ready) -> None:
                ready.wait()
                spool.add(Spooled(1, number, str(number), f"req-{number}", LINE.at))

            with ThreadPoolExecutor(8) as threads:
                list(threads.map(add, range(8)))
            text = spool.path.read_bytes().rstrip(b"\0").decode()
            assert {json.loads(line)["job_id"] for line in text.splitlines()} == set(range(8))
            spool.keep(())
