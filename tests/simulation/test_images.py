"""What a crash may leave of a night's files: nothing is paid twice for it, and no id is lost.

`python -m tests.simulation.images --rows 20 --images 300` searches further, `--prefixes all` to the end.
"""

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.images.disk import SECTOR, Image, Log, Named, Op, Sent, Sized, Synced, Unnamed, Written
from tests.simulation.images.recording import Recording
from tests.simulation.images.search import (
    Found,
    every_prefix,
    finds_of,
    has_strace,
    judge,
    recorded,
    search,
)
from tests.support.part import Part

traced = pytest.mark.skipif(not has_strace(), reason="nights are recorded by strace, which is not here")


@traced
@pytest.mark.timeout(300)
def test_crash_images() -> None:
    """Prefixes of a night, and what POSIX allows of it beside them."""
    found = search(rows=8, images=40, seed=1)
    assert found.wrong == []
    assert found.prefixes + found.power_cuts + found.without_wal == 40
    assert (found.paid_twice, found.lost) == (0, 0)


@traced
@pytest.mark.timeout(300)
def test_every_prefix() -> None:
    """Of a part of a night, which is the same night for whoever takes another part."""
    first, second = (every_prefix(2, 1, Part(number, 12)) for number in (5, 9))
    assert first.wrong + second.wrong == []
    assert first.nights == second.nights
    for found in (first, second):
        assert (found.paid_twice, found.lost) == (0, 0)
        assert 0 < found.resumed < found.prefixes


def test_parts_make_the_whole() -> None:
    """However they are cut."""
    moments, halves = list(range(7, 1000)), [Part.read("1/2"), Part.read("2/2")]
    for parts in (halves, [part for half in halves for part in half.parts(3)], [Part()]):
        assert sorted(moment for part in parts for moment in part.take(moments, 16)) == moments
    for text in ("0/2", "3/2", "2"):
        with pytest.raises(ValueError, match=r"0/2|3/2|unpack"):
            Part.read(text)


def test_what_a_run_cannot_tell_from_another(tmp_path: Path) -> None:
    """What SQLite has not been told of is nothing; a submit, a file and a folder are something."""
    database = tmp_path / "made.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        main, wal = database.read_bytes(), Path(f"{database}-wal").read_bytes()
    ops: list[Op | Sent] = [Named(1, Path("night.db")), Written(1, 0, main), Named(2, Path("night.db-wal"))]
    ops += [Written(2, 0, wal[:-9]), Written(2, 0, wal), Sent("a boat", True), Sent("id", False), Named(3, A)]
    ops += [Written(3, 0, b"1"), Named(0, B, is_folder=True)]
    recording = Recording(tmp_path / "night", Log(ops), {}, ())
    finds = [finds_of(recording, moment, image) for moment, image in recording.log.prefixes(range(1, 11))]
    is_new = [one not in finds[:number] for number, one in enumerate(finds)]
    assert is_new == [True, True, False, *[True] * 7]


@traced
@pytest.mark.timeout(300)
def test_the_search_sees_what_is_not_synced() -> None:
    """The same night on a disk that syncs nothing: some of what was paid is on no disk."""
    found = Found()
    with recorded(4) as recording:
        deaf = Log([op for op in recording.log.ops if not isinstance(op, Synced)])
        lying = replace(recording, log=deaf)
        dice = random.Random(20261121)
        for number in range(6):
            moment = deaf.moments[-1 - number]
            judge(found, lying, moment, deaf.after_power_cut(moment, dice), f"image {number}")
    assert found.wrong


A, B = Path("a"), Path("b")


def _disks(*ops: Op | Sent) -> set[frozenset[tuple[Path, bytes]]]:
    """Every disk that is found in a while."""
    log, dice = Log(ops), random.Random(7)
    return {frozenset(log.after_power_cut(len(ops), dice).held().items()) for _ in range(200)}


def test_what_is_synced_is_certain() -> None:
    """A file by its own sync, its name by its folder's."""
    made = (Named(1, A), Written(1, 0, b"one"))
    assert _disks(*made, Synced(1, 2), Synced(Path(), 3)) == {frozenset({(A, b"one")})}
    assert _disks(*made, Synced(1, 2)) == {frozenset(), frozenset({(A, b"one")})}
    assert _disks(*made, Synced(Path(), 2)) == {frozenset({(A, b"")}), frozenset({(A, b"one")})}


def test_a_sync_is_of_what_was_done_before_it_began() -> None:
    """What is written while it is under way may be missing."""
    ops = (Named(1, A), Written(1, 0, b"1"), Written(1, 1, b"2"), Synced(1, 2), Synced(Path(), 4))
    assert _disks(*ops) == {frozenset({(A, b"1")}), frozenset({(A, b"12")})}


def test_a_write_may_be_torn_between_sectors() -> None:
    """And what is missing before a sector that is there is zeros."""
    data = b"1" * SECTOR + b"2" * SECTOR
    ops = (Named(1, A), Synced(Path(), 1), Written(1, 0, data))
    found = {dict(disk)[A] for disk in _disks(*ops)}
    assert found == {b"", data, data[:SECTOR], bytes(SECTOR) + data[SECTOR:]}


def test_a_name_that_was_given_anew() -> None:
    """Before it is synced, the old name or the new one; a file is never at both."""
    ops = (Named(1, A), Written(1, 0, b"1"), Synced(1, 2), Synced(Path(), 3), Named(1, B, A))
    assert _disks(*ops) == {frozenset({(A, b"1")}), frozenset({(B, b"1")})}
    assert _disks(*ops, Synced(Path(), 5)) == {frozenset({(B, b"1")})}


def test_in_order() -> None:
    """A killed process leaves what it had done, synced or not."""
    log = Log(
        (
            *(Named(0, Path("f"), is_folder=True), Named(1, Path("f/a")), Written(1, 2, b"12")),
            *(Sent("a boat", True), Sized(1, 3), Sized(1, 2, only_grows=True), Sent("id", False)),
            *(Unnamed(Path("f/a")), Named(2, Path("g/b"))),
        )
    )
    assert log.prefix(3).held() == {Path("f/a"): b"\0\x0012"}
    assert log.prefix(6).held() == {Path("f/a"): b"\0\0" + b"1"}
    assert log.prefix(9).held() == {}, "a name in a folder that is not there"
    kept_up = [(moment, image.held()) for moment, image in log.prefixes((3, 6, 9))]
    assert kept_up == [(moment, log.prefix(moment).held()) for moment in (3, 6, 9)]
    assert (log.submitted(3), log.submitted(4)) == ([], ["a boat"])
    assert (log.asked_about(6), log.asked_about(7)) == (set(), {"id"})


def test_it_is_put_on_a_disk(tmp_path: Path) -> None:
    """Folders first; what lies in none is nowhere."""
    image = Image({Path("f/a"): 1, Path("g/b"): 1}, {Path("f"), Path("f/e"), Path("h/i")})
    image.files[1] += b"1"
    image.names[Path("f/a-wal")] = 1
    image.forget("-wal").put(tmp_path)
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} == {
        Path("f"),
        Path("f/e"),
        Path("f/a"),
    }
    assert (tmp_path / "f" / "a").read_bytes() == b"1"
