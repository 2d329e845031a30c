"""Decisions in files: a CSV as a spreadsheet writes it, JSON Lines, a manifest."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import UsageProblem
from jobs.review.decisions import DecisionWish, Verdict
from runner.deciding.decisions import wishes_in


def written(folder: Path, text: str | bytes, name: str = "verdicts.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "key,number,verdict,stars,note\r\na,1,accepted,4,good\r\nb,,reroll,,\r\nc,2,none,0,\r\n",
        "\ufeffKey;Number;Verdict;Stars;Note\na;1;Accepted;4;good\nb;;reroll;;\nc;2;NONE;0;\n",
        'stars\tkey\tother\tnote\tverdict\tnumber\n4\ta\t"x\ny"\tgood\taccepted\t1\n\n\tb\t\t\treroll\n0\tc\t\t\tnone\t2\n',
    ],
)
def test_a_table_is_read(tmp_path: Path, text: str) -> None:
    """An empty cell says nothing, `none` takes a verdict away, other columns are left aside."""
    assert wishes_in(written(tmp_path, text)) == [
        DecisionWish("a", {"verdict": Verdict.ACCEPTED, "stars": 4, "note": "good"}, 1),
        DecisionWish("b", {"verdict": Verdict.REROLL}),
        DecisionWish("c", {"verdict": None, "stars": 0}, 2),
    ]


def test_a_row_that_says_nothing_decides_nothing(tmp_path: Path) -> None:
    """Nor does a blank line; a key that an export has marked as no formula is the key."""
    path = written(tmp_path, "key,verdict\na,\n,\n\n'=b,rejected\n")
    assert wishes_in(path) == [DecisionWish("=b", {"verdict": Verdict.REJECTED})]


@pytest.mark.parametrize("name", ["verdicts.jsonl", "verdicts.txt"])
def test_lines_of_json_are_read(tmp_path: Path, name: str) -> None:
    """Null takes a verdict away; other fields are left aside."""
    lines = [{"key": "a", "number": 1, "sha256": "x", "stars": 2, "more": 1}, {"key": "b", "verdict": None}]
    path = written(tmp_path, "\n".join(map(json.dumps, lines)) + "\n\n", name)
    assert wishes_in(path) == [
        DecisionWish("a", {"stars": 2}, 1, "x"),
        DecisionWish("b", {"verdict": None}),
    ]


def test_a_manifest_is_read(tmp_path: Path) -> None:
    """Each review is about the picture of its hash."""
    review = {"verdict": "rejected", "stars": 0, "note": "six fingers"}
    record: dict[str, Any] = {
        "key": "a",
        "images": [{"sha256": "x"}, {"sha256": "y", "review": review}, {"sha256": "z", "review": None}],
    }
    path = written(tmp_path, json.dumps(record) + "\n", "manifest.jsonl")
    assert wishes_in(path) == [
        DecisionWish("a", {"verdict": Verdict.REJECTED, "stars": 0, "note": "six fingers"}, None, "y")
    ]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("v.csv", "id,verdict\na,accepted\n", "Line 1: The header has no column `key`"),
        ("v.csv", "", "Line 1: The header has no column `key`"),
        ("v.csv", "key,verdict\na,maybe\n", "Line 2: A verdict is accepted, rejected, reroll or null."),
        ("v.csv", "key,verdict\n,accepted\n", "Line 2: A decision has a key."),
        ("v.csv", "key,stars\na,6\n", "Line 2: Stars are a number from 0 to 5."),
        ("v.csv", "key,stars\na,four\n", "Line 2: 'four' is no number \\(stars\\)."),
        ("v.csv", "key,number\na,-1\n", "Line 2: '-1' is no number \\(number\\)."),
        ("v.csv", 'key,note\na,"x\n', "Line 2: It is no CSV"),
        ("v.csv", b"key,note\na,\xff\n", "cannot be read: it is not UTF-8"),
        ("v.jsonl", "[]\n", "Line 1: It is no JSON object."),
        ("v.jsonl", "{\n", "Line 1: It is no JSON object."),
        ("v.jsonl", '{"stars": 1}\n', "Line 1: A decision has a key."),
        ("v.jsonl", '{"key": "a", "stars": null}\n', "Line 1: Stars are a number"),
        ("v.jsonl", '{"images": [{"review": {"stars": 1}}]}\n', "Line 1: A decision has a key."),
    ],
)
def test_what_is_no_decision_is_told_with_its_line(
    tmp_path: Path, name: str, text: str | bytes, why: str
) -> None:
    """And nothing of the file is decided."""
    with pytest.raises(UsageProblem, match=why):
        wishes_in(written(tmp_path, text, name))


def test_many_wrong_lines_are_counted(tmp_path: Path) -> None:
    """The first few by themselves."""
    with pytest.raises(UsageProblem, match=r"Line 6: .* 3 more[.]$"):
        wishes_in(written(tmp_path, "key,stars\n" + "a,9\n" * 8))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(UsageProblem, match=r"no\.csv cannot be read: No such file"):
        wishes_in(tmp_path / "no.csv")
