"""Taking a sheet in: what is new is queued, what is known is left alone, and problems stop it all."""

import json
from pathlib import Path

import anyio
import pytest

from jobs.errors import SheetProblems, UsageProblem
from jobs.payload import payload
from jobs.problems import Problem
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.views import LoadReport
from tests.support.tables import (
    BROKEN_RULE,
    MODEL,
    ORIGIN,
    SHEET,
    Table,
    hold_writes,
    picture,
    planned,
    rows,
    select,
)

S = JobState
PROBLEM = Problem("night.csv", 3, "size", "huge", "No such size.")


async def test_a_new_row_is_queued_as_it_will_be_sent(table: Table) -> None:
    """Nothing is agreed to yet; the inputs are kept to the byte, in the sheet's order."""
    inputs = {"prompt": "Füchse 🦊", "size": "2048x2048", "seed": 7}
    row = planned("d", 3, prompt="x", pictures=3, inputs=inputs, columns={"shot": "4"}, warnings=("long",))
    report = await table.load([*rows("a", "b", "c"), row])
    assert report == LoadReport(total=4, new=1, changed=0, unchanged=3, gone=0)
    job = await table.job("d")
    assert job.inputs == '{"prompt":"Füchse 🦊","size":"2048x2048","seed":7}'
    assert (job.state, job.row, job.model, job.pictures) == (S.QUEUED, 5, MODEL, 3)
    assert (job.columns, job.warnings, job.revision, job.attempts) == ({"shot": "4"}, ("long",), 1, 0)
    assert (job.created_at, job.submitted_at, job.finished_at) == (table.clock.at, None, None)
    assert table.row(job.id)["agreed"] == 0


def test_the_payload_is_json_that_any_server_reads() -> None:
    """Compact, in the model's order, and never NaN, which is no JSON."""
    assert payload({"b": [1, True, None], "a": "é"}) == '{"b":[1,true,null],"a":"é"}'
    assert json.loads(payload({"quote": '"\\\n'})) == {"quote": '"\\\n'}
    with pytest.raises(ValueError, match="JSON"):
        payload({"a": float("nan")})


async def test_loading_the_same_sheet_again_changes_nothing(table: Table) -> None:
    """But the count of the loads."""
    await table.bring("b", S.SUCCEEDED)
    before = table.everything()
    table.clock.advance(60)
    assert await table.load(rows("a", "b", "c")) == LoadReport(3, 0, 0, 3, 0)
    batch, *others = table.everything()
    assert batch == [before[0][0] | {"generation": 2}]
    assert others[0] == [row | {"generation": 2} for row in before[1]]
    assert others[1:] == before[2:]


async def test_an_unchanged_row_may_move_and_be_annotated(table: Table) -> None:
    """Its place and the user's own columns are taken over; what it asks for stays as it was."""
    job_id = await table.bring("a", S.RUNNING)
    before = table.row(job_id)
    report = await table.load([*rows("b", "c"), planned("a", 2, columns={"note": "later"})])
    assert report == LoadReport(3, 0, 0, 3, 0)
    moved = {"position": 2, "row": 4, "columns": '{"note": "later"}', "generation": 2}
    assert table.row(job_id) == before | moved
    assert [job.key async for job in table.store.jobs.each(table.batch.id)] == ["b", "c", "a"]


async def test_a_seed_that_was_drawn_here_is_not_drawn_again(table: Table) -> None:
    """The fingerprint is the same, so the inputs stay: they may have been sent already."""
    before = (await table.job("a")).inputs
    await table.load([planned("a", 0, inputs={"prompt": "a fox", "seed": 99}), *rows("a", "b", "c")[1:]])
    assert (await table.job("a")).inputs == before


async def test_one_problem_anywhere_loads_nothing_at_all(table: Table) -> None:
    """Not even the rows of the chunks before it; the batch is as it was."""
    before = table.everything()
    sheet: list[PlannedJob | Problem] = [planned(f"n{i}", i) for i in range(600)]
    with pytest.raises(SheetProblems) as caught:
        await table.load([*sheet, PROBLEM])
    assert caught.value.problems == (PROBLEM,)
    assert caught.value.message == "The sheet has 1 problem: nothing was loaded, nothing is paid."
    assert table.everything() == before


async def test_every_problem_is_told_at_once(table: Table) -> None:
    """From all chunks, in the sheet's order."""
    problems = [Problem("night.csv", row, None, None, "wrong") for row in (2, 700, 1200)]
    sheet: list[PlannedJob | Problem] = [planned(f"n{i}", i) for i in range(1300)]
    for problem in problems:
        assert problem.row is not None
        sheet[problem.row] = problem
    with pytest.raises(SheetProblems, match="3 problems") as caught:
        await table.load(sheet)
    assert list(caught.value.problems) == problems


async def test_a_new_batch_with_problems_is_not_made(table: Table) -> None:
    """`status` would show a batch that was never loaded."""
    with pytest.raises(SheetProblems):
        await table.store.batches.load(name="other", sheet=SHEET, origin=ORIGIN, planned=[PROBLEM])
    assert await table.store.batches.find("other") is None


async def test_another_sheet_of_that_name_is_refused(table: Table, tmp_path: Path) -> None:
    """Two folders may each have a night.csv."""
    sheet = tmp_path / "two.csv"
    sheet.touch()
    await table.store.batches.load(name="two", sheet=sheet, origin=ORIGIN, planned=rows("a", "b"))
    before = table.everything()
    with pytest.raises(UsageProblem, match=r"two\.csv, not from /other/two\.csv") as caught:
        await table.store.batches.load(
            name="two", sheet=Path("/other/two.csv"), origin=ORIGIN, planned=rows("z")
        )
    assert "--batch" in caught.value.hint
    assert table.everything() == before


@pytest.mark.parametrize(
    ("known", "place", "there"),
    [
        ("standard input", "/here/two.csv", None),
        ("/gone/two.xlsx", "/here/two.xlsx#Night", None),
        ("/gone/two.xlsx#Day", "/here/two.xlsx#Night", None),
        ("/gone/two.csv", "standard input", None),
        ("two.xlsx#Night", "/here/two.xlsx#Night", "two.xlsx"),
    ],
)
async def test_what_only_looks_moved_is_refused(
    table: Table, tmp_path: Path, known: str, place: str, there: str | None
) -> None:
    """Another worksheet, standard input, or a workbook that is still there."""
    if there is not None:
        known = str(tmp_path / known)
        (tmp_path / there).touch()
    await table.store.batches.load(name="two", sheet=known, origin=ORIGIN, planned=rows("a"))
    with pytest.raises(UsageProblem, match="was loaded from"):
        await table.store.batches.load(name="two", sheet=place, origin=ORIGIN, planned=rows("a"))


@pytest.mark.parametrize(
    ("name", "new"),
    [("two.csv", "two.csv"), ("two.csv", "three.csv"), ("two.xlsx#Night", "b#c.xlsx#Night")],
)
async def test_a_sheet_that_was_moved_is_the_same_sheet(
    table: Table, tmp_path: Path, name: str, new: str
) -> None:
    """Its old place is empty: to refuse it would have everything paid again under another name."""
    sheet, elsewhere = tmp_path / name, tmp_path / "elsewhere" / new
    before, _ = await table.store.batches.load(name="two", sheet=sheet, origin=ORIGIN, planned=rows("a", "b"))
    after, report = await table.store.batches.load(
        name="two", sheet=elsewhere, origin=ORIGIN, planned=rows("a", "b", "c")
    )
    assert (after.id, after.sheet) == (before.id, str(elsewhere))
    assert report == LoadReport(3, 1, 0, 2, 0)


async def test_another_origin_is_refused(table: Table) -> None:
    """The request_ids of one API mean nothing to another."""
    before = table.everything()
    with pytest.raises(UsageProblem, match=r"belongs to https://api\.example, not to emulator"):
        await table.store.batches.load(name="night", sheet=SHEET, origin="emulator", planned=rows("z"))
    assert table.everything() == before


async def test_the_same_sheet_may_be_loaded_into_a_second_batch(table: Table) -> None:
    """Under another name; the keys do not meet."""
    batch, report = await table.store.batches.load(
        name="again", sheet=SHEET, origin=ORIGIN, planned=rows("a", "b")
    )
    assert report == LoadReport(2, 2, 0, 0, 0)
    assert batch.id != table.batch.id
    assert len(select(table.path, "SELECT * FROM job WHERE folder = 'a'")) == 2


async def test_a_sheet_is_a_stream_and_is_read_once(table: Table) -> None:
    """A neighbour that fails in the same breath must not make it be read again, empty.

    Read twice, the second time without a row, the sheet would look as if every row had been deleted.
    """

    async def fail() -> None:
        # There is no such attempt: its transaction, and all that share it, are undone.
        with pytest.raises(BROKEN_RULE):
            await table.store.ledger.record_image(1, 99, picture())

    async with anyio.create_task_group() as tasks:
        gate = await hold_writes(table.store.database, tasks)
        tasks.start_soon(table.load, iter(rows("a", "b", "c", "d")))
        tasks.start_soon(fail)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert [job.key async for job in table.store.jobs.each(table.batch.id)] == ["a", "b", "c", "d"]
