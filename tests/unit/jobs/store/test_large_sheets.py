"""Large sheets: ten thousand rows are no matter, and they are held in memory a piece at a time."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from jobs.sheets.planned import PlannedJob
from jobs.views import LoadReport
from tests.support.tables import opened_table, planned

MEGABYTE = 1 << 20


def sheet(rows: int, prompt: str) -> Iterator[PlannedJob]:
    """That many rows, each with a prompt of its own."""
    for number in range(rows):
        yield planned(f"row-{number}", number, prompt=f"{number} {prompt}")


async def test_ten_thousand_rows_are_loaded_and_read(tmp_path: Path) -> None:
    """New, unchanged and gone; the test's time limit is the measure of a piece that reads all the others."""
    many = 10_000
    async with opened_table(tmp_path / "night.db") as table:
        assert await table.load(sheet(many, "a fox")) == LoadReport(many, many, 0, 0, 0)
        assert await table.load(sheet(many, "a fox")) == LoadReport(many, 0, 0, many, 0)
        assert [job.row async for job in table.store.jobs.each(table.batch.id)] == list(range(2, many + 2))
        assert await table.load([]) == LoadReport(0, 0, 0, 0, many, many)


async def test_a_large_sheet_is_never_held_as_a_whole(tmp_path: Path) -> None:
    """Forty megabytes of prompts go in and out; a piece at a time is held, a few times over."""
    many, prompt = 10_000, "a fox in the snow " * 230
    async with opened_table(tmp_path / "night.db") as table:
        tracemalloc.start()
        try:
            await table.load(sheet(many, prompt))
            async for job in table.store.jobs.each(table.batch.id):
                assert len(job.inputs) > len(prompt)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < many * len(prompt) / 2
    assert many * len(prompt) > 39 * MEGABYTE
