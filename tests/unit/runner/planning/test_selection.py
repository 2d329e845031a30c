"""A part of a batch first: what is chosen is sent, and the rest stays queued until a run that has it."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from jobs.errors import UsageProblem
from jobs.states import JobState
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from runner.planning.consent import Ask
from runner.planning.selection import Selection
from tests.support.night import SINGLE, TOKEN, Night, night
from tests.support.tables import select
from tests.support.virtual_time import virtual


def sheet(w: Night) -> Path:
    """Eight jobs in two styles; the last one goes first."""
    path = w.folder / "sheet.csv"
    rows = [f"k{n},{SINGLE},A boat no. {n},{'ink' if n % 2 else 'oil'},{n}" for n in range(8)]
    path.write_text("\n".join(["id,model,prompt,style,priority", *rows]) + "\n")
    return path


def sent(w: Night) -> list[str]:
    """The jobs that were paid, in order."""
    return ["k" + str(submit.body["prompt"])[-1] for submit in w.service.ledger]


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        (Selection(only=("k2", "k5")), "k5 k2"),
        (Selection(where=(("style", "ink"),)), "k7 k5 k3 k1"),
        (Selection(where=(("style", "ink"), ("id", "k1"), ("id", "k2"))), "k1"),
        (Selection(where=(("prompt", "A boat no. 3"), ("model", SINGLE))), "k3"),
        (Selection(limit=3), "k7 k6 k5"),
        (Selection(where=(("style", "oil"),), limit=2), "k6 k4"),
    ],
)
def test_what_is_chosen_is_sent_in_its_turn(tmp_path: Path, part: Selection, keys: str) -> None:
    """All of it comes home, so the run is a success; the rest is queued, and is not agreed to."""

    @virtual
    async def run() -> None:
        async with night(tmp_path) as w:
            report = await w.run(sheet(w), selection=part, submit_gate=1)
            assert sent(w) == keys.split()
            assert (report.exit_code, report.left_out) == (0, 8 - len(keys.split()))
            left = [job for job in w.jobs() if job["state"] == "queued"]
            assert len(left) == report.left_out
            assert not any(job["agreed"] for job in left)
            report = await w.run(sheet(w), submit_gate=1)
            assert (report.exit_code, report.left_out) == (0, 0)
            assert sorted(sent(w)) == [f"k{n}" for n in range(8)]

    run()


@virtual
async def test_a_sample_is_the_same_every_time(tmp_path: Path) -> None:
    """And another one of what is left, so that one can go on by samples."""
    drawn = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        async with night(folder) as w:
            await w.run(sheet(w), selection=Selection(sample=3))
            drawn.append(sorted(sent(w)))
            await w.run(sheet(w), selection=Selection(sample=3))
            assert len(set(sent(w))) == 6
    assert drawn[0] == drawn[1] != ["k5", "k6", "k7"]


@virtual
async def test_only_the_part_is_asked_for_and_a_no_changes_nothing(tmp_path: Path) -> None:
    """What was agreed to before, and is left out now, is asked for again when its turn comes."""
    asked: list[int] = []

    def says(answer: bool) -> Callable[[Ask], object]:
        async def consent(ask: Ask) -> bool:
            asked.append(ask.jobs)
            return answer

        return consent

    async with night(tmp_path) as w:
        with pytest.raises(UsageProblem):
            await w.run(sheet(w), says(answer=False), selection=Selection(limit=2))  # type: ignore[arg-type]
        await w.run(sheet(w), says(answer=True), selection=Selection(limit=2))  # type: ignore[arg-type]
        await w.run(sheet(w), says(answer=True))  # type: ignore[arg-type]
    assert asked == [2, 2, 6]


@virtual
async def test_what_does_not_exist_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    """A slip in a key or a column; a job that is done is only noticed."""
    async with night(tmp_path) as w:
        with pytest.raises(UsageProblem, match="no job 'k9'"):
            await w.run(sheet(w), selection=Selection(only=("k9",)))
        with pytest.raises(UsageProblem, match="no queued job has a column 'stile'") as told:
            await w.run(sheet(w), selection=Selection(where=(("stile", "ink"),)))
        assert told.value.hint == "Did you mean style?"
        assert sent(w) == []
        for _ in range(2):
            assert (await w.run(sheet(w), selection=Selection(only=("k1",)))).exit_code == 0
        assert sent(w) == ["k1"]
        assert "Job 'k1' is succeeded already: it is not sent." in w.watching.notices


async def leave_at_the_api(w: Night, path: Path, *, dedupe: bool | None = None) -> None:
    """All of it is sent, and the run ends before any of it is done."""

    async def revoke() -> None:
        await w.clock.sleep(6)
        w.service.revoke(TOKEN)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(revoke)
        await w.run(path, concurrency=6, dedupe=dedupe)
    w.service.accept_tokens(frozenset({TOKEN}))


@virtual
async def test_rows_that_are_gone_are_told_and_pruned(tmp_path: Path) -> None:
    """What waits at the API is cancelled there; what it works on already is paid for, and is not."""
    async with night(tmp_path, median_seconds=60, sigma=0, slots=2) as w:
        await leave_at_the_api(w, sheet(w))
        assert len(w.service.ledger) == 6
        path = sheet(w)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([lines[0], lines[8]]))  # k7, which is being worked on; k6 is, too
        assert (await w.run(path, prune=True)).exit_code == 0
        assert (
            "Removed from the sheet: 2 jobs were not sent yet, and will not be; 5 jobs were already sent:"
            in "".join(w.watching.notices)
        )
        assert w.states() == {JobState.SUCCEEDED: 2, JobState.CANCELLED: 6}


@virtual
async def test_a_no_prunes_nothing_and_a_row_that_is_back_is_not_pruned(tmp_path: Path) -> None:
    """What was wanted for being gone is not wanted any more."""
    async with night(tmp_path, median_seconds=60, sigma=0, slots=1) as w:

        async def no(_ask: Ask) -> bool:
            return False

        await leave_at_the_api(w, w.sheet(3))
        assert len(w.service.ledger) == 3
        whole = w.sheet(4).read_text().splitlines(keepends=True)
        path = tmp_path / "sheet.csv"
        path.write_text("".join([*whole[:3], whole[4]]))  # row-2 is gone, row-3 is new
        with pytest.raises(UsageProblem, match="Not agreed to"):
            await w.run(path, no, prune=True)
        assert select(w.database, "SELECT key FROM job WHERE cancel_requested") == []
        async with open_database(w.database) as database:
            store = Store(database, w.clock.now)
            assert await store.jobs.prune((await store.batches.named(None)).id) == 1
        path.write_text("".join(whole))
        assert (await w.run(path)).exit_code == 0
        assert w.states() == {JobState.SUCCEEDED: 4}


@virtual
async def test_what_a_row_waits_for_is_not_pruned(tmp_path: Path) -> None:
    """A renamed row takes the job of its old name, which works on; cancelled there, it would have none."""
    async with night(tmp_path, median_seconds=60, sigma=0, slots=1) as w:
        path = w.sheet(2, series_every=9)
        await leave_at_the_api(w, path, dedupe=True)
        path.write_text(path.read_text().replace("row-1,", "renamed,"))
        assert (await w.run(path, prune=True)).exit_code == 0
        assert len(w.service.ledger) == 2
        assert w.states() == {JobState.SUCCEEDED: 2}
