"""Manifests over any text: no cell is a formula, no record is lost or changed."""

import csv
import io
import json
import unicodedata
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from jobs.failures import Failure, FailureKind
from jobs.manifests.columns import ColumnNames
from jobs.manifests.csv import CsvTable
from jobs.manifests.jsonl import JsonLines
from jobs.manifests.record import record
from jobs.states import JobState
from jobs.views import JobView
from tests.support.manifests import view

TRIGGERS = "=+-@"
text = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.text(st.sampled_from("=+-@\t\r\n '\"|,;\uff1d\uff0b\uff0d\uff20\u200b\ufeffa1"), max_size=8),
)


@st.composite
def jobs(draw: st.DrawFn) -> JobView:
    """A job whose texts are anything at all."""
    job = view(
        key=draw(text),
        inputs=json.dumps(
            {"prompt": draw(text), "seed": draw(st.integers()), "images": draw(st.lists(text))}
        ),
        warnings=tuple(draw(st.lists(text, max_size=3))),
        columns=draw(st.dictionaries(text, text, max_size=3)),
        attempts=draw(st.integers(0, 9)),
    )
    failure = Failure(FailureKind.REFUSED, draw(text), draw(st.none() | text))
    return replace(job, state=JobState.FAILED, failure=failure)


def plain(cell: str) -> str:
    """A cell as a lenient spreadsheet sees it: full-width forms made plain, invisible beginnings skipped."""
    seen = unicodedata.normalize("NFKC", cell)
    while seen and (seen[0].isspace() or unicodedata.category(seen[0]) in {"Cc", "Cf"}):
        seen = seen[1:]
    return seen


@given(st.lists(jobs(), min_size=1, max_size=3))
def test_no_cell_is_a_formula(found: list[JobView]) -> None:
    """Neither in the header nor below it, but for whole numbers, which are numbers."""
    own = tuple(dict.fromkeys(name for job in found for name in job.columns))
    table = CsvTable(ColumnNames(("prompt", "seed", "images"), own))
    data = table.head + b"".join(table.line(record(job, Path("/out"))) for job in found)
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == len(found) + 1
    for cell in (cell for row in rows for cell in row):
        assert cell[:1] not in {"\t", "\r", "\n"}
        assert not plain(cell).startswith(tuple(TRIGGERS)) or cell.lstrip("-").isdecimal()


@given(jobs())
def test_a_cell_says_what_the_job_says(job: JobView) -> None:
    """But for the ' that is put before a formula."""
    table = CsvTable(ColumnNames(("prompt",), tuple(job.columns)))
    data = table.head + table.line(record(job, Path("/out")))
    (row,) = csv.DictReader(io.StringIO(data.decode(), newline=""))
    for cell, said in [(row["key"], job.key), *((row[f"columns.{n}"], v) for n, v in job.columns.items())]:
        assert cell in {said, f"'{said}"}


@given(jobs())
def test_a_line_is_its_record(job: JobView) -> None:
    """Reading gives back what was written, and a line is one line to every reader."""
    wanted = record(job, Path("/out"))
    line = JsonLines(ColumnNames()).line(wanted)
    assert json.loads(line) == wanted
    assert len(line.decode().splitlines()) == 1
