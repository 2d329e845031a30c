"""A row is known by what it says: whatever is done to a sheet costs nothing, or it is asked for.

Sheets are renamed, renumbered, reordered, copied into other batches and other databases, edited and edited
back. The emulator's ledger is the judge: a row is paid for once in its batch, and not at all where another
batch or database paid for it, unless somebody said so. As many rows say the same, as many results they have.
"""

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.errors import UsageProblem
from jobs.states import JobState
from tests.property.searching import budget
from tests.support.night import SERIES, SINGLE, Night, night
from tests.support.tables import select
from tests.support.virtual_time import run_virtual

HERE, THERE = "nightsheet.db", "other/there.db"
"""The database beside the sheets, and one that is not."""


@dataclass(frozen=True)
class Edition:
    """A sheet as it is run: rows as (what it says, `again`), how they are keyed, and under which batch."""

    rows: tuple[tuple[int, str], ...]
    ids: str = ""
    batch: str = "one"
    database: str = HERE
    again: bool = False
    as_family: bool = False

    def write(self, folder: Path) -> Path:
        """The sheet, as YAML; as families, equal rows beside each other are one job that is repeated."""
        jobs: list[str] = []
        at = 0
        while at < len(self.rows):
            said, again = self.rows[at]
            many = 1
            while self.as_family and self.rows[at + many : at + many + 1] == ((said, again),):
                many += 1
            model, count = (SERIES, ", count: 2") if said else (SINGLE, "")
            named = f"id: {self.ids}{at}, " if self.ids else ""
            more = f", again: '{again}'" if again else ""
            repeat = f", repeat: {many}" if many > 1 else ""
            jobs.append(f"- {{{named}model: {model}, prompt: Boat {said}{count}{more}{repeat}}}")
            at += many
        path = folder / f"{self.batch}.yaml"
        path.write_text("jobs:\n" + "\n".join(jobs) + "\n")
        return path


@dataclass
class Judge:
    """What may be paid: by database and batch, how often each saying was."""

    paid: dict[tuple[str, str], Counter[tuple[int, str]]] = field(default_factory=dict)

    def expect(self, edition: Edition) -> tuple[Counter[str], int]:
        """The submits that the edition costs, by prompt, and how many rows are held; they are noted."""
        own = self.paid.setdefault((edition.database, edition.batch), Counter())
        cost, held = Counter[str](), 0
        for said, rows in Counter(edition.rows).items():
            missing = max(0, rows - own[said])
            if missing and not edition.again and self._is_paid_elsewhere(edition, said):
                held += missing
            elif missing:
                cost[f"Boat {said[0]}"] += missing
                own[said] = rows
        return cost, held

    def _is_paid_elsewhere(self, edition: Edition, said: tuple[int, str]) -> bool:
        """By the table's other batches, and by those of the database beside the sheet."""
        me = (edition.database, edition.batch)
        seen = {HERE, edition.database}
        return any(counter[said] for place, counter in self.paid.items() if place != me and place[0] in seen)


async def run(w: Night, judge: Judge, edition: Edition) -> None:
    """`nightsheet run SHEET --yes`, against what it may cost."""
    before = w.submits()
    cost, held = judge.expect(edition)
    database = w.folder / edition.database
    database.parent.mkdir(exist_ok=True)
    try:
        report = await w.run(
            edition.write(w.folder),
            db=database,
            output_dir=database.with_suffix(".outputs"),
            again=edition.again,
        )
    except UsageProblem:
        assert held
        assert not cost
    else:
        assert report.exit_code == (1 if held else 0)
    assert w.submits() - before == cost
    jobs = select(
        database,
        "SELECT job.* FROM job JOIN batch ON batch.id = batch_id WHERE current AND name = ?",
        edition.batch,
    )
    assert len(jobs) == len(edition.rows)
    states = Counter(job["state"] for job in jobs)
    assert states == +Counter({JobState.SUCCEEDED: len(jobs) - held, JobState.QUEUED: held})
    assert sum(job["held"] is not None for job in jobs) == held


ROWS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["", "", "x"])), min_size=1, max_size=6)
EDITIONS = st.builds(
    Edition,
    rows=ROWS.map(tuple),
    ids=st.sampled_from(["", "a", "b"]),
    batch=st.sampled_from(["one", "one", "two"]),
    database=st.sampled_from([HERE, HERE, THERE]),
    again=st.sampled_from([False] * 5 + [True]),
    as_family=st.booleans(),
)
FOX, OWL = (0, ""), (1, "")


def lived(editions: list[Edition]) -> None:
    """Run the editions, one after another."""

    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with night(Path(folder), look_seconds=60) as w:
                judge = Judge()
                for edition in editions:
                    await run(w, judge, edition)

    run_virtual(live)


@pytest.mark.timeout(3600)
def test_it_costs_nothing_or_it_is_asked_for(request: pytest.FixtureRequest) -> None:
    """Whatever is done to a sheet."""

    @budget(request.config, examples=25, steps=1, times=20)
    @given(editions=st.lists(EDITIONS, min_size=2, max_size=5))
    @example([Edition((FOX, OWL), "a"), Edition((OWL, FOX), "a"), Edition((FOX, OWL), "b")])
    @example([Edition((FOX, FOX)), Edition((FOX, FOX, FOX), "a"), Edition((FOX,) * 4, "b", as_family=True)])
    @example([Edition((FOX,)), Edition((FOX,), batch="two"), Edition((FOX,), batch="two", again=True)])
    @example([Edition((OWL,)), Edition((OWL, FOX), database=THERE), Edition((OWL,), database=THERE)])
    @example([Edition((OWL,), "a"), Edition((FOX,), "a"), Edition((FOX, OWL), "b"), Edition((OWL,), "a")])
    @example([Edition(((0, "x"),)), Edition(((0, "y"),)), Edition(((0, "x"), (0, "y")), "a")])
    def search(editions: list[Edition]) -> None:
        lived(editions)

    search()
