"""Where pictures of this computer lie is known as soon as a job names them, and never before."""

from pathlib import Path

import pytest

from jobs.errors import SheetProblems
from jobs.problems import Problem
from jobs.sheets.images.album import LocalImage
from jobs.views import ReferenceView
from tests.support.tables import Table, planned, select

A, B = "a" * 64, "b" * 64


def local(sha256: str, path: str) -> LocalImage:
    """A picture at this place."""
    return LocalImage(Path(path), path, sha256, 7, "PNG", ())


async def test_places_are_noted_once_and_the_newest_comes_first(table: Table) -> None:
    """In the transaction of the load."""
    one, moved, other = local(A, "/s/1.png"), local(A, "/s/2.png"), local(B, "/s/3.png")
    rows = [planned(f"k{n}", n)._replace(files=(one, other)) for n in range(1200)]
    await table.load(rows)
    await table.load([rows[0]._replace(files=(moved,)), *rows[1:]])
    assert await table.store.jobs.places_of([A, B, "c" * 64]) == [
        ReferenceView(A, "/s/2.png", 7, "image/png"),
        ReferenceView(B, "/s/3.png", 7, "image/png"),
        ReferenceView(A, "/s/1.png", 7, "image/png"),
    ]


async def test_a_sheet_with_problems_leaves_no_place(table: Table) -> None:
    """Nothing of it is loaded."""
    bad = Problem("a.csv", 2, None, None, "no")
    with pytest.raises(SheetProblems):
        await table.load([planned("k")._replace(files=(local(A, "/s/1.png"),)), bad])
    assert select(table.path, "SELECT * FROM reference") == []
