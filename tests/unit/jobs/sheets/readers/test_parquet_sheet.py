"""Parquet: values as text, rows by their number."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from jobs.problems import Problem
from jobs.sheets.readers import parquet_sheet
from jobs.sheets.readers.parquet_sheet import open_parquet
from jobs.sheets.row import Row
from jobs.sheets.source import SheetSource


def written(folder: Path, columns: Mapping[str, Any], **how: Any) -> SheetSource:
    """A file of these columns."""
    path = folder / "a.parquet"
    parquet.write_table(arrow.table(dict(columns)), path, **how)
    return SheetSource(path)


def rows(source: SheetSource) -> list[tuple[int, dict[str, object]]]:
    """The rows of a file without problems."""
    opened = open_parquet(source)
    assert opened.problems == ()
    read = list(opened.rows())
    assert all(isinstance(row, Row) for row in read), read
    return [(row.line, dict(row.cells)) for row in read if isinstance(row, Row)]


def test_rows_are_counted_from_one(tmp_path: Path) -> None:
    """Across row groups; empty ones are counted and not read."""
    source = written(
        tmp_path,
        {"id": ["a", None, "c"], "prompt": ["x", None, " "], "note": ["", None, "n"]},
        row_group_size=1,
    )
    assert rows(source) == [(1, {"id": "a", "prompt": "x"}), (3, {"id": "c", "note": "n"})]
    opened = open_parquet(source)
    assert (opened.columns, opened.header_line) == (("id", "prompt", "note"), None)
    assert list(opened.rows()) == list(opened.rows())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (arrow.array([3]), "3"),
        (arrow.array([3.0]), "3"),
        (arrow.array([0.1]), "0.1"),
        (arrow.array([float("inf")]), "inf"),
        (arrow.array([2**63], arrow.uint64()), str(2**63)),
        (arrow.array([True]), "true"),
        (arrow.array([Decimal("3.50")]), "3.50"),
        (arrow.array([date(2026, 3, 4)]), "2026-03-04"),
        (arrow.array([datetime(2026, 3, 4, 5, 6, 7)]), "2026-03-04 05:06:07"),
        (arrow.array([1], arrow.timestamp("ns")), "1970-01-01"),
        (arrow.array([1], arrow.time64("ns")), "00:00"),
        (arrow.array([time(5, 6)], arrow.time32("s")), "05:06"),
        (arrow.array([timedelta(hours=30)], arrow.duration("ns")), "30:00:00"),
        (arrow.array(["x"]).dictionary_encode(), "x"),
        (arrow.array(["x"], arrow.large_string()), "x"),
        (arrow.array([["u", "v"]]), ("u", "v")),
        (arrow.array([[1, 2]]), ("1", "2")),
    ],
)
def test_values_become_text(tmp_path: Path, value: Any, text: object) -> None:
    """As a person would write them."""
    assert rows(written(tmp_path, {"prompt": value})) == [(1, {"prompt": text})]


@pytest.mark.parametrize(
    "value", [arrow.array([None], arrow.string()), arrow.array([float("nan")]), arrow.array([[]])]
)
def test_gaps_are_absent(tmp_path: Path, value: Any) -> None:
    """Data frames write a gap between whole numbers as 'not a number'."""
    assert rows(written(tmp_path, {"id": ["a"], "prompt": value})) == [(1, {"id": "a"})]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (arrow.array([{"a": 1}]), "An object cannot stand here"),
        (arrow.array([b"x"]), "An object cannot stand here"),
        (arrow.array([[["x"]]]), "A list holds texts only"),
        (arrow.array([["x", None]]), "A list holds texts only"),
        (arrow.array(["a\0"]), "NUL"),
    ],
)
def test_a_value_that_is_no_cell_is_told_in_its_row(tmp_path: Path, value: Any, message: str) -> None:
    """The rest of the row is read."""
    problem, row = open_parquet(written(tmp_path, {"id": ["a"], "prompt": value})).rows()
    assert isinstance(problem, Problem)
    assert (problem.row, problem.column) == (1, "prompt")
    assert message in problem.message
    assert isinstance(row, Row)
    assert (row.cells, row.refused) == ({"id": "a"}, {"prompt"})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], "No column is known."),
        (["prompt", "prompt"], "Two columns have this name."),
        (["prompt", ""], "The name of a column is empty."),
        ([], "No column is known."),
    ],
)
def test_columns_that_will_not_do_are_told(tmp_path: Path, names: list[str], message: str) -> None:
    """Once, and no row is read."""
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table([["x"] for _ in names], names=names), path)
    opened = open_parquet(SheetSource(path))
    assert [problem.message for problem in opened.problems] == [message]
    assert list(opened.rows()) == []


@pytest.mark.parametrize("data", [b"", b"PAR1", b"id,prompt\na,b\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_told(tmp_path: Path, data: bytes) -> None:
    """In a sentence, whatever Arrow says."""
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    (problem,) = open_parquet(SheetSource(path)).problems
    assert problem.message.startswith("This cannot be read as Parquet: ")


def test_damage_further_on_is_told_after_what_was_read(tmp_path: Path) -> None:
    """And a file that is gone meanwhile."""
    texts = [f"{number} {'x' * 50}" for number in range(5000)]
    source = written(
        tmp_path, {"prompt": texts}, row_group_size=1000, compression="zstd", use_dictionary=False
    )
    data = bytearray(source.path.read_bytes())
    start = parquet.ParquetFile(source.path).metadata.row_group(3).column(0).data_page_offset
    data[start + 30 : start + 200] = bytes(170)
    source.path.write_bytes(data)
    opened = open_parquet(source)
    *read, problem = opened.rows()
    assert len(read) >= 1000
    assert isinstance(problem, Problem)
    source.path.unlink()
    (gone,) = opened.rows()
    assert isinstance(gone, Problem)


def test_a_row_group_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few kilobytes may say the same text a thousand million times."""
    source = written(tmp_path, {"prompt": ["x" * 1000] * 3000}, use_dictionary=False)
    assert len(rows(source)) == 3000
    monkeypatch.setattr(parquet_sheet, "LARGEST_GROUP", 2_000_000)
    (problem,) = open_parquet(source).problems
    assert problem.message == "A row group unpacks to more than 2 MB."
