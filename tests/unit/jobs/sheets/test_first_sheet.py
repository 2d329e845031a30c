"""A first sheet on a disk that refuses it. What is in one is tested by the command, which `check` takes."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.catalog.registry import MODELS
from jobs.errors import CannotWrite
from jobs.sheets.first_sheet import example_rows, write_first_sheet


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The disk takes no more of any file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_half_a_sheet_is_not_left(tmp_path: Path) -> None:
    """It would be taken for one, and never overwritten."""
    path = tmp_path / "a.csv"
    with files_of_at_most(20), pytest.raises(CannotWrite, match="cannot be written"):
        write_first_sheet(path, [*MODELS.values()])
    assert list(tmp_path.iterdir()) == []
    assert write_first_sheet(path, [*MODELS.values()]) == 2 * len(MODELS)


def test_columns_come_in_the_order_that_a_sheet_is_read_in() -> None:
    """Whatever the order of the models; and keys are told apart."""
    columns, rows = example_rows([*MODELS.values()])
    assert columns == ["id", "model", "prompt", "size", "count", "images", "seed", "optimize"]
    assert len({row["id"] for row in rows}) == len(rows)
