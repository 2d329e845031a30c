"""A sheet with thirty different mistakes: thirty problems, each with its row and column, in one go."""

import csv
import random
from pathlib import Path

from openpyxl import Workbook

from jobs.problems import Problem
from jobs.sheets import open_sheet, plan

FAMILY = "bytedance/seedream-4-5"
TEXT, EDIT, SERIES = (f"{FAMILY}/{name}" for name in ("text-to-image", "edit", "sequential"))
OLDER = "bytedance/seedream-4-0/sequential"
URL = "https://a.example/1.png"
COLUMNS = ("id", "prompt", "model", "size", "resolution", "count", "images", "seed", "note", "szie")
SOUND = {"prompt": "Generate 3 images of a pier", "model": SERIES}

# What each row says besides a sound one, the column that is told, and a word of what is said about it.
MISTAKES: list[tuple[dict[str, str], str, str]] = [
    ({"size": "1024x1024"}, "size", "choices"),
    ({"size": "2048x2048 (16:9)"}, "size", "choices"),
    ({"size": "{note}", "note": "9K"}, "size", "choices"),
    ({"size": "2K", "resolution": "4K"}, "resolution", "two names for the same input"),
    ({"model": OLDER, "size": "5404x3040"}, "size", "choices"),
    ({"count": "20"}, "count", "1 to 15"),
    ({"count": "0"}, "count", "1 to 15"),
    ({"count": "2.5"}, "count", "1 to 15"),
    ({"count": "three"}, "count", "1 to 15"),
    ({"model": TEXT, "count": "4"}, "count", "no input for this"),
    ({"id": "twice"}, "id", "already the key"),
    ({"id": "x" * 201}, "id", "at most 200"),
    ({"id": "a\nb"}, "id", "line break"),
    ({"prompt": ""}, "prompt", "needs a value"),
    ({"prompt": "{prompt} again"}, "prompt", "stands for this cell itself"),
    ({"model": "seedream-4-5/sequentail"}, "model", "no such model"),
    ({"model": "dall-e"}, "model", "no such model"),
    ({"model": ""}, "model", "No model is named"),
    ({"model": EDIT}, "images", "needs a value"),
    ({"model": EDIT, "images": "pier.png"}, "images", "no such file"),
    ({"model": EDIT, "images": "http://a.example/1.png"}, "images", "https"),
    ({"model": EDIT, "images": "ftp://a.example/1.png"}, "images", "ftp"),
    ({"model": EDIT, "images": "https://192.168.0.1/1.png"}, "images", "private network"),
    ({"model": EDIT, "images": "data:image/png;base64,AAAA"}, "images", "data: URI"),
    ({"model": EDIT, "images": f"{URL}|"}, "images", "empty"),
    ({"model": EDIT, "images": "https:///1.png"}, "images", "cannot be read"),
    ({"model": EDIT, "images": "|".join([URL] * 15)}, "images", "at most 14"),
    ({"model": TEXT, "images": URL}, "images", "no input for this"),
    ({"seed": "lucky"}, "seed", "whole number"),
    ({"seed": "99999999999999999999"}, "seed", "too large"),
]


def told(path: Path) -> list[Problem]:
    """Every problem of the sheet, in its order."""
    return [item for item in plan(open_sheet(path), random.Random(1)) if isinstance(item, Problem)]


def rows() -> list[list[str]]:
    """The header, a sound row, then the thirty."""
    written = [{**SOUND, "id": "twice"}, *({**SOUND, **more} for more, _column, _word in MISTAKES)]
    return [list(COLUMNS), *([row.get(name, "") for name in COLUMNS] for row in written)]


def check(problems: list[Problem], lines: list[int]) -> None:
    """The slip in the header, then one problem for each mistake: where it is, what it is, what would do."""
    slip, *rest = problems
    assert (slip.row, slip.column) == (1, "szie")
    assert "size" in slip.hint
    places = [(problem.row, problem.column) for problem in rest]
    assert places == [(line, column) for line, (_, column, _) in zip(lines, MISTAKES, strict=True)]
    for problem, (_more, _column, word) in zip(rest, MISTAKES, strict=True):
        assert word in problem.message, problem
    assert len({str(more) for more, _, _ in MISTAKES}) == len(MISTAKES) == 30


def test_in_csv(tmp_path: Path) -> None:
    """One of them spans two lines: those after it are counted on."""
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows())
    broken = next(number for number, (more, _, _) in enumerate(MISTAKES) if "\n" in more.get("id", ""))
    check(told(path), [number + 3 + (number > broken) for number in range(30)])


def test_in_xlsx(tmp_path: Path) -> None:
    """The very same, in the rows that the spreadsheet shows."""
    book = Workbook()
    assert book.active is not None
    for row in rows():
        book.active.append([cell or None for cell in row])
    path = tmp_path / "a.xlsx"
    book.save(path)
    check(told(path), [number + 3 for number in range(30)])
