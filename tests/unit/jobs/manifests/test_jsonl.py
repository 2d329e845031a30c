"""The JSONL manifest: one record a line, to the letter."""

import json
from pathlib import Path

from jobs.manifests.columns import ColumnNames
from jobs.manifests.jsonl import JsonLines
from jobs.manifests.record import record
from tests.support.manifests import view


def line(**columns: str) -> bytes:
    return JsonLines(ColumnNames()).line(record(view(columns=columns), Path("/out")))


def test_one_line_that_reads_back() -> None:
    """What people write stays readable, and nothing is lost."""
    found = line(note="Ü \u2028 \x9b31m \x00 \n 中")
    assert found.endswith(b"\n")
    assert len(found.decode().splitlines()) == 1
    assert "Ü".encode() in found
    assert json.loads(found)["columns"] == {"note": "Ü \u2028 \x9b31m \x00 \n 中"}


def test_nothing_a_terminal_would_act_on() -> None:
    """The second set of control characters is escaped as well as the first."""
    assert [letter for letter in line(note="\x9b\x1b\x7f").decode() if not letter.isprintable()] == ["\n"]


def test_half_a_character_is_kept() -> None:
    """It has no UTF-8 of its own, so that it is escaped."""
    found = line(note="a\ud800")
    assert json.loads(found)["columns"] == {"note": "a\ud800"}
    assert found.count(b"\n") == 1


def test_there_is_no_head() -> None:
    """The first line is a record, too."""
    assert JsonLines(ColumnNames()).head == b""
