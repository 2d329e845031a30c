"""Journals: in memory and in a file."""

import errno
import json
import os
from pathlib import Path

import pytest

from jobs.errors import CannotWrite, LockHeld, UsageProblem
from runner.emulator.service.journal import FileJournal, MemoryJournal, keep


def _reopened(path: Path) -> list[dict[str, object]]:
    journal = FileJournal(path, "unused")
    events = journal.replay()
    journal.close()
    return events


def test_memory_keeps_what_it_was_given() -> None:
    """And never has anything pending."""
    journal = MemoryJournal("n", [{"a": 1}])
    journal.append({"a": 2})
    journal.sync()
    assert journal.replay() == [{"a": 1}, {"a": 2}]
    assert not journal.pending


def test_a_file_gives_back_its_events_and_its_nonce(tmp_path: Path) -> None:
    """The nonce of a later opening does not count; missing folders are made."""
    path = tmp_path / "deep" / "state.jsonl"
    first = FileJournal(path, "one")
    first.append({"event": "x"})
    assert first.pending
    first.sync()
    assert not first.pending
    first.append({"event": "y", "text": "zażółć\n"})
    first.close()
    second = FileJournal(path, "two")
    assert second.nonce == "one"
    assert second.replay() == [{"event": "x"}, {"event": "y", "text": "zażółć\n"}]
    second.append({"event": "z"})
    second.close()
    assert len(_reopened(path)) == 3


@pytest.mark.parametrize("torn", [b'{"event":"sub', b"{", b'{"event":"whole but unfinished"}'])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    """It was never answered for; what follows is written in its place."""
    path = tmp_path / "state.jsonl"
    FileJournal(path, "n").close()
    with path.open("ab") as file:
        file.write(b'{"event":"a"}\n' + torn)
    journal = FileJournal(path, "n")
    assert journal.replay() == [{"event": "a"}]
    journal.append({"event": "b"})
    journal.close()
    assert _reopened(path) == [{"event": "a"}, {"event": "b"}]


@pytest.mark.parametrize("torn", [b"", b'{"emul', b'{"emulator":1,"non'])
def test_a_file_torn_at_its_head_is_begun_afresh(tmp_path: Path, torn: bytes) -> None:
    """Nothing can have happened with it."""
    path = tmp_path / "state.jsonl"
    path.write_bytes(torn)
    journal = FileJournal(path, "new")
    assert (journal.nonce, journal.replay()) == ("new", [])
    journal.close()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"SQLite format 3\0", 1),
        (b"id,prompt\na,b\n", 1),
        (b'{"emulator":2,"nonce":"n"}\n', 1),
        (b'{"emulator":1}\n', 1),
        (b'{"emulator":1,"nonce":"n"}\n[]\n', 2),
        (b'{"emulator":1,"nonce":"n"}\n{"event":"a"}\n\xff\xfe\n{}\n', 3),
    ],
)
def test_other_files_are_refused_and_left_alone(tmp_path: Path, text: bytes, line: int) -> None:
    """A sheet or a database named by mistake is not cut to pieces."""
    path = tmp_path / "state.jsonl"
    path.write_bytes(text)
    with pytest.raises(UsageProblem, match=f"line {line} "):
        FileJournal(path, "n")
    assert path.read_bytes() == text


def test_one_file_is_held_by_one_emulator(tmp_path: Path) -> None:
    """Until that one is closed."""
    path = tmp_path / "state.jsonl"
    holder = FileJournal(path, "n")
    with pytest.raises(LockHeld, match="Another emulator"):
        FileJournal(path, "n")
    holder.close()
    FileJournal(path, "n").close()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A folder in the file's place, and a file in the folder's."""
    with pytest.raises(CannotWrite, match="cannot be written"):
        FileJournal(tmp_path, "n")
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite, match="cannot be written"):
        FileJournal(tmp_path / "file" / "state.jsonl", "n")


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written stays pending, and is written whole later."""
    path = tmp_path / "state.jsonl"
    journal = FileJournal(path, "n")
    journal.append({"event": "a"})
    whole = os.write

    def half(file: int, data: bytes) -> int:
        if len(data) < 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(file, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        journal.sync()
    monkeypatch.undo()
    assert journal.pending
    assert len(path.read_bytes().splitlines()) == 1
    journal.append({"event": "b"})
    journal.close()
    assert _reopened(path) == [{"event": "a"}, {"event": "b"}]


async def test_keep_writes_what_is_pending(tmp_path: Path) -> None:
    """And returns once it is in the file."""
    path = tmp_path / "state.jsonl"
    journal = FileJournal(path, "n")
    await keep(journal)
    journal.append({"event": "a"})
    await keep(journal)
    assert json.loads(path.read_bytes().splitlines()[1]) == {"event": "a"}
    journal.close()
