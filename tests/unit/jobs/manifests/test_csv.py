"""The CSV manifest: flat, and safe to open in a spreadsheet."""

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.failures import Failure, FailureKind
from jobs.manifests.columns import ColumnNames
from jobs.manifests.csv import CsvTable, escape_formula
from jobs.manifests.record import record
from jobs.states import JobState
from jobs.views import ArtifactView, JobView
from tests.support.manifests import view

NAMES = ColumnNames(("prompt", "seed", "images"), ("note",))


def read(*jobs: JobView, names: ColumnNames = NAMES) -> list[dict[str, Any]]:
    """The rows, as Python's own reader finds them."""
    table = CsvTable(names)
    data = table.head + b"".join(table.line(record(job, Path("/out"))) for job in jobs)
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def picture(number: int) -> ArtifactView:
    return ArtifactView(number, f"/out/a/0{number}.jpg", "https://p", "ab", 10, 2, 3, "image/jpeg")


def test_the_columns() -> None:
    """In the order of the contract, inputs and own columns in their places."""
    assert CsvTable(NAMES).head.decode() == (
        "batch,key,row,model,state,inputs.prompt,inputs.seed,inputs.images,request_id,attempts,cost_usd,images,"
        "error.kind,error.code,error.message,warnings,columns.note,created_at,submitted_at,finished_at\r\n"
    )


def test_a_row() -> None:
    """Lists are joined by |, what is not known is empty."""
    failure = Failure(FailureKind.BAD_PICTURE, "two,\nlines", None)
    (row,) = read(
        view(
            state=JobState.FAILED,
            failure=failure,
            images=(picture(1), picture(2)),
            inputs='{"prompt":"A \\"pier\\"","images":["https://a","https://b"]}',
            warnings=("one", "two"),
            columns={"note": "n"},
            cost_usd=Decimal("0.08"),
        )
    )
    assert row == {
        "batch": "night",
        "key": "a",
        "row": "2",
        "model": "bytedance/seedream-4-5/sequential",
        "state": "failed",
        "inputs.prompt": 'A "pier"',
        "inputs.seed": "",
        "inputs.images": "https://a|https://b",
        "request_id": "",
        "attempts": "1",
        "cost_usd": "0.08",
        "images": "a/01.jpg|a/02.jpg",
        "error.kind": "bad_picture",
        "error.code": "",
        "error.message": "two,\nlines",
        "warnings": "one | two",
        "columns.note": "n",
        "created_at": "2026-03-04T01:02:03Z",
        "submitted_at": "",
        "finished_at": "",
    }


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =1", "\u00a0=1", "\u200b=1", "\ufeff=1"),
        *("\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "\u22121", "\ufe631", "\x00=1"),
    ],
)
def test_what_looks_like_a_formula_is_text(text: str) -> None:
    """A ' before it keeps a spreadsheet from reckoning, or worse."""
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=1", "'=1", "", "1", "A - B", "é", 0, 7, -5, 0.04])
def test_what_does_not_is_left_alone(value: str | float) -> None:
    """Numbers that we write ourselves are numbers, a negative seed too."""
    assert escape_formula(value) == value


def test_odd_values_are_json() -> None:
    """Nothing is lost where an input is of no simple type."""
    assert escape_formula([1, "a"]) == '[1, "a"]'
    assert escape_formula({"a": True}) == '{"a": true}'
    assert escape_formula(True) == "true"


def test_a_column_name_cannot_be_a_formula() -> None:
    """A user's own column keeps its name behind `columns.`."""
    assert b",columns.=1+1," in CsvTable(ColumnNames((), ("=1+1",))).head


def test_a_name_that_came_up_late_is_left_out() -> None:
    """The header is written by then."""
    (row,) = read(view(columns={"late": "x"}))
    assert "x" not in row.values()


def test_half_a_character_does_not_stop_it() -> None:
    """A sheet may hold one in a column of its own."""
    (row,) = read(view(columns={"note": "a\ud800"}))
    assert row["columns.note"] == "a\\ud800"
