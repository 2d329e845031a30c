"""Rows read by their form say what they say when each is put to its model anew: jobs, problems, warnings."""

import csv
import io
import json
import random
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.catalog.registry import MODELS
from jobs.errors import SheetProblems
from jobs.sheets import PlannedJob, SheetSource, Survey, open_sheet, plan
from jobs.sheets.rows import odd_texts
from jobs.sheets.rows.forms import RowForms
from jobs.sheets.rows.validate import validate_row
from tests.unit.jobs.sheets.test_odd_sheets import NOBODY_MEANS

TEXT = "bytedance/seedream-4-5/text-to-image"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
EXPIRED = "https://a.example/1.png?Expires=1500000000"
PAGE = "https://drive.google.com/file/d/1/view"
GOOD = "https://a.example/1.png"
POOLS: dict[str, Sequence[str]] = {
    "prompt": (
        *("A pier in the fog, long exposure", "Generate 2 images of a pier in the fog", "A fox", "x" * 700),
        *(
            "A banana on a plate in the sun",
            "None of the piers is in the fog",
            "a -- b in the long fog of it",
        ),
        *(
            "{note} in the fog",
            "{nobody} in the fog of the morning",
            "{prompt}",
            "\u6d77",
            "  A pier, far   ",
        ),
        *("Three pictures of a lonely pier in fog", "A pier &amp; a fox in the long fog", "w " * 700),
        *NOBODY_MEANS,
        *(
            "# the second part",
            "\u201cA red barn, in the fog",
            "=) a smile in the long fog",
            "1. A pier in the fog",
        ),
        *(
            "/imagine a pier in the long fog",
            "A [SUBJECT] in the long fog",
            "(pier:1.3) in the long fog, far",
        ),
    ),
    "model": (*MODELS, *MODELS, "seedream", "", " bytedance/seedream-4-5/sequential "),
    "size": ("", "2K", "2048x2048", "2048:2048 (1:1)", "2048 X 2048", "9K", "{note}", "4K"),
    "count": ("", "1", "2", "3", "3.0", "15", "16", "-1", "two", "{note}"),
    "seed": ("", "7", "-1", "007", "9999999999", "9" * 30, "x"),
    "images": (
        *("", GOOD, f"{GOOD}|https://b.example/2.gif", "http://a.example", "a|b", "pier.png", EXPIRED, PAGE),
        *(f"{GOOD}, https://b.example/2.jpg", "{note}", "|".join([GOOD] * 15), "|"),
    ),
    "id": ("", "a", "b", "c", "d", " e ", "#REF!", "=A1", "Loading...", "x" * 201, "f\tg"),
    "again": ("", "2026-11-29", "{note}", " "),
    "priority": ("", "1", "2.5", "high"),
    "note": ("", "n", "2", "#N/A", "none", GOOD, "1024x768"),
    "text": ("A pier by its other name",),
    "promt": ("A slip of a heading",),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Columns, and rows of which many have cells in the same ones."""
    names = draw(st.lists(st.sampled_from(sorted(POOLS)), min_size=1, max_size=5, unique=True))
    columns = [*dict.fromkeys(("prompt", *names))] if draw(st.booleans()) else names
    pools = {name: draw(st.lists(st.sampled_from(POOLS[name]), min_size=1, max_size=3)) for name in columns}
    rows = st.tuples(*(st.sampled_from(pools[name]) for name in columns)).map(list)
    return columns, draw(st.lists(rows, min_size=2, max_size=10))


def said(text: str, suffix: str, model: str | None, priority_by: str | None) -> list[object]:
    """All that a pass over a sheet tells."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"sheet{suffix}")
        path.write_text(text, encoding="utf-8", newline="")
        try:
            sheet = open_sheet(SheetSource(path), model=model)
        except SheetProblems as error:
            return [str(error.problems).replace(folder, "")]
        survey = Survey()
        items = list(plan(sheet, random.Random(7), priority_by, survey=survey, now=NOW))
        found: list[object] = [item._asdict() if isinstance(item, PlannedJob) else item for item in items]
        found += [survey.named, survey.models, survey.unsent, survey.left_out, list(survey.warnings(sheet))]
        return [
            json.dumps(one).replace(folder, "") if isinstance(one, dict) else str(one).replace(folder, "")
            for one in found
        ]


def same(text: str, suffix: str, model: str | None = None, priority_by: str | None = None) -> None:
    """With forms and without."""
    with patch.object(RowForms, "of", return_value=None):
        anew = said(text, suffix, model, priority_by)
    assert said(text, suffix, model, priority_by) == anew


def written(columns: list[str], rows: list[list[str]]) -> str:
    """A table of CSV."""
    file = io.StringIO()
    csv.writer(file).writerows([columns, *rows])
    return file.getvalue()


MODEL = st.sampled_from([*MODELS])


@given(table=tables(), model=MODEL, priority_by=st.sampled_from([None, None, "priority"]))
@settings(max_examples=150, deadline=None)
def test_rows_of_a_table(table: tuple[list[str], list[list[str]]], model: str, priority_by: str) -> None:
    """Every pairing of sound and odd cells."""
    same(written(*table), ".csv", model, priority_by)


@given(table=tables(), model=MODEL)
@settings(max_examples=80, deadline=None)
def test_rows_that_name_their_own_columns(table: tuple[list[str], list[list[str]]], model: str) -> None:
    """Lists of images among them."""
    columns, rows = table
    lines = [dict(zip(columns, row, strict=True)) for row in rows]
    listed = [{**line, "images": line["images"].split("|")} if "images" in line else line for line in lines]
    same("".join(f"{json.dumps(line)}\n" for line in lines + listed), ".jsonl", model)


@given(table=tables(), defaults=tables(), model=MODEL, families=st.booleans())
@settings(max_examples=80, deadline=None)
def test_rows_of_a_document(
    table: tuple[list[str], list[list[str]]],
    defaults: tuple[list[str], list[list[str]]],
    model: str,
    families: bool,
) -> None:
    """With values that are written once for all of them, image sets and families."""
    columns, rows = table
    given_once = dict(zip(defaults[0], defaults[1][0], strict=True))
    jobs: list[dict[str, Any]] = [dict(zip(columns, row, strict=True)) for row in rows]
    for job in jobs if families else ():
        job["matrix"] = {"note": ["a", "b"]} if "note" not in job else {"style": ["c", "d"]}
    sets = {"a": [GOOD, EXPIRED], "b": [GOOD]}
    tree = {"model": model, "defaults": given_once, "image_sets": sets, "jobs": jobs}
    same(yaml.safe_dump(tree), ".yaml")


SENTENCES = st.text(st.sampled_from("abcn N-/.,;!?'\"&:#<{_$%()[]|=@\t\u00e9\u201c7 "), max_size=50)
PARTS = st.sampled_from(
    ["nan", "None", "null", "undefined", "--ar 2", "A pier ", "in the long fog", ":", "1. "]
)


@given(text=SENTENCES | st.lists(PARTS | SENTENCES, max_size=5).map("".join))
@settings(max_examples=500, deadline=None)
def test_nothing_is_odd_about_an_ordinary_prompt(text: str) -> None:
    """What is told at a glance is what the whole look would tell."""
    if odd_texts.is_ordinary(text):
        assert odd_texts.why_not_a_prompt(text) is None
        assert list(odd_texts.odd_in_a_prompt(text)) == []


@given(text=st.text(st.sampled_from("#=AN/!D1(.Loading"), max_size=12).map(str.strip))
def test_no_odd_value_passes_at_a_glance(text: str) -> None:
    """An id is looked at closely wherever something may be found."""
    assert odd_texts.may_be_no_value(text) or odd_texts.why_not_a_value(text) is None


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_second_row_of_a_form_is_not_put_to_its_model(suffix: str) -> None:
    """Else all of this compares one way with itself."""
    rows = [{"prompt": f"A pier in the fog, number {number}", "size": "2K"} for number in range(5)]
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    if suffix == ".csv":
        text = written(["prompt", "size"], [list(row.values()) for row in rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"sheet{suffix}")
        path.write_text(text)
        with patch("jobs.sheets.planning.validate_row", wraps=validate_row) as anew:
            items = list(plan(open_sheet(path, model=TEXT), random.Random(1)))
    assert len(items) == 5
    assert anew.call_count == 1
