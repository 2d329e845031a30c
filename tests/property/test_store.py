"""A sheet that is edited and run again and again: the table always says what the sheet says."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.states import JobState, Move
from jobs.views import BatchView
from tests.support.postgres import ON_BOTH
from tests.support.tables import WAYS, Table, claimed, opened_table, outcome_of, planned, select

# Some of them are one folder where case is ignored, or another one's second revision.
KEYS = ["a", "A", "b", "a-2", "B-2", "ä"]

Sheet = list[tuple[str, int]]
"""Keys in order, each with the edition of its prompt."""

SHEETS = st.lists(
    st.tuples(st.sampled_from(KEYS), st.integers(1, 3)), unique_by=lambda row: row[0], max_size=6
)
HAPPENS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(list(JobState))), max_size=4)


@pytest.fixture
async def table(kept_on: str, tmp_path: Path) -> AsyncIterator[Table]:
    """One database; each example loads a batch of its own."""
    async with opened_table(tmp_path / "night.db") as opened:
        yield opened


@pytest.fixture
def numbers() -> Iterator[int]:
    """Names and request_ids that no other example has."""
    return count()


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["key"], one["fingerprint"]) == (other["key"], other["fingerprint"])


@dataclass
class Edited:
    """A sheet under a name, and what must never change any more of what came of it."""

    table: Table
    name: str
    numbers: Iterator[int]
    batch: BatchView | None = None
    ledger: dict[int, dict[str, Any]] = field(default_factory=dict)

    def jobs(self) -> list[dict[str, Any]]:
        """Every job of the batch, in the order of the sheet."""
        assert self.batch is not None
        order = "SELECT * FROM job WHERE batch_id = ? ORDER BY current, position, id"
        return select(self.table.path, order, self.batch.id)

    def attempts(self) -> dict[int, dict[str, Any]]:
        """Every attempt of the batch, by id."""
        ids = [job["id"] for job in self.jobs()]
        found = select(self.table.path, "SELECT * FROM attempt")
        return {attempt["id"]: attempt for attempt in found if attempt["job_id"] in ids}

    async def load(self, sheet: Sheet) -> None:
        """Load an edition of the sheet, and see that the table says what it says."""
        before = {job["id"]: job for job in self.jobs()} if self.batch else {}
        rows = [
            planned(key, place, prompt=f"edition {edition}") for place, (key, edition) in enumerate(sheet)
        ]
        self.batch, report = await self.table.store.batches.load(
            name=self.name, sheet=Path(self.name), origin="o", planned=rows
        )
        jobs = self.jobs()
        current = [job for job in jobs if job["current"]]
        assert [(job["key"], job["fingerprint"]) for job in current] == [
            (row.key, row.fingerprint) for row in rows
        ]
        for job in current:
            alike = [other for other in jobs if _same(other, job)]
            assert job["revision"] == max(other["revision"] for other in alike)
        assert len({job["folder"].lower() for job in jobs}) == len(jobs)
        assert report.total == report.new + report.changed + report.unchanged == len(rows)
        assert report.new == sum(job["id"] not in before and job["revision"] == 1 for job in jobs)
        # Nobody pays for a row that is not in the sheet, and nothing that was sent is touched by a load.
        assert not [job for job in jobs if not job["current"] and job["state"] == "queued"]
        for job in jobs:
            was = before.get(job["id"])
            if was and was["attempts"] and was["state"] != "queued":
                assert (job["state"], job["inputs"], job["folder"]) == (
                    was["state"],
                    was["inputs"],
                    was["folder"],
                )
        assert self.attempts() == self.ledger

    async def happen(self, key: str, state: JobState) -> None:
        """Bring a queued job into a state, as a run in between may have done."""
        assert self.batch is not None
        for job in self.jobs():
            if job["current"] and job["key"] == key and job["state"] == "queued":
                for move in WAYS[state]:
                    await self.move(job["id"], move)
        self.ledger = self.attempts()

    async def move(self, job_id: int, move: Move) -> None:
        """One move, which must succeed."""
        assert self.batch is not None
        if move is Move.CLAIM:
            await self.table.store.batches.agree(self.batch.id)
            assert await self.table.store.jobs.claim(claimed(job_id)) is not None
        else:
            outcome = outcome_of(move, job_id, request_id=f"req-{next(self.numbers)}")
            assert await self.table.store.jobs.apply(outcome)


@ON_BOTH
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(editions=st.lists(st.tuples(SHEETS, HAPPENS), min_size=1, max_size=5))
async def test_the_table_always_says_what_the_sheet_says(
    table: Table, numbers: Iterator[int], editions: list[tuple[Sheet, list[tuple[str, JobState]]]]
) -> None:
    """Rows come, change, move, go and come back, while jobs are in every state."""
    edited = Edited(table, f"batch-{next(numbers)}", numbers)
    for sheet, happens in editions:
        await edited.load(sheet)
        for key, state in happens:
            await edited.happen(key, state)
