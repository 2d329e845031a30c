"""A row takes a job that says the same and was paid for, whatever key that had."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, text

from jobs.row_change import Claims, RowChange
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState, Move
from jobs.views import LoadReport
from tests.support.tables import WAYS, Table, picture, planned

S = JobState
PAID = [S.SUBMITTING, S.RUNNING, S.FETCHING, S.SUCCEEDED, S.FAILED, S.UNCONFIRMED]


def sheet(*rows: str) -> list[PlannedJob]:
    """Rows as `key:what they say`."""
    return [
        planned(key, place, prompt=said, fingerprint=said)
        for place, (key, _, said) in enumerate(row.partition(":") for row in rows)
    ]


async def load(table: Table, *rows: str) -> LoadReport:
    """Load these rows, and see that comparing them foretold it."""
    before = sum((await table.store.jobs.counts(table.batch.id)).values())
    told = await table.store.preview.compare(table.batch.id, sheet(*rows))
    report = await table.load(sheet(*rows))
    kinds = [change.kind for change in told]
    assert [kinds.count(kind) for kind in ("new", "changed", "unchanged", "adopted")] == [
        *(report.new, report.changed, report.unchanged, report.adopted)
    ]
    jobs = [job async for job in table.store.jobs.each(table.batch.id)]
    assert [job.state for job in jobs] == [change.state for change in told]
    assert before - sum(change.known + change.keeps for change in told) == report.gone
    return report


async def said(table: Table) -> list[tuple[str, str, int]]:
    """Key, what the job says, and submits, of each job of the sheet in its order."""
    jobs = [job async for job in table.store.jobs.each(table.batch.id)]
    return [(job.key, job.fingerprint, job.attempts) for job in jobs]


@pytest.fixture
async def night(table: Table) -> Table:
    """A sheet of three rows, the second of which says what the third says."""
    await load(table, "1:fox", "2:owl", "3:owl")
    return table


@pytest.mark.parametrize("state", PAID)
async def test_a_renumbered_sheet_costs_nothing(night: Table, state: S) -> None:
    """Each job keeps its attempts, its folder and its state, and takes the place of the row."""
    ids = [await night.bring(key, state) for key in "123"]
    before, ledger = [night.row(job) for job in ids], [night.attempts(job) for job in ids]
    assert await load(night, "b:owl", "x:fox", "c:owl") == LoadReport(3, 0, 0, 0, 0, 0, 3)
    assert await said(night) == [("b", "owl", 1), ("x", "fox", 1), ("c", "owl", 1)]
    fox, owl, other = (night.row(job) for job in ids)
    assert [fox["key"], owl["key"], other["key"]] == ["x", "b", "c"]
    for was, now in zip(before, (fox, owl, other), strict=True):
        moved = {"key", "position", "row", "generation"}
        assert {name for name in was if was[name] != now[name]} <= moved
    assert [night.attempts(job) for job in ids] == ledger


async def test_swapped_ids_swap_their_jobs(night: Table) -> None:
    """Both keys are known, and neither says what it said."""
    for key in "12":
        await night.bring(key, S.SUCCEEDED)
    assert await load(night, "1:owl", "2:fox", "3:owl") == LoadReport(3, 0, 0, 1, 0, 0, 2)
    assert await said(night) == [("1", "owl", 1), ("2", "fox", 1), ("3", "owl", 0)]
    assert await load(night, "1:fox", "2:owl", "3:owl") == LoadReport(3, 0, 0, 1, 0, 0, 2)
    assert await said(night) == [("1", "fox", 1), ("2", "owl", 1), ("3", "owl", 0)]


async def test_an_exact_key_comes_first_wherever_it_stands(night: Table) -> None:
    """A new row before it does not take its job; it is new, and asked for."""
    await night.bring("2", S.SUCCEEDED)
    assert await load(night, "0:owl", "1:fox", "2:owl") == LoadReport(3, 1, 0, 2, 1, 1)
    assert await said(night) == [("0", "owl", 0), ("1", "fox", 0), ("2", "owl", 1)]


async def test_each_job_is_taken_once(night: Table) -> None:
    """Five rows that say the same are five jobs, two of which are paid for."""
    for key in "23":
        await night.bring(key, S.SUCCEEDED)
    report = await load(night, *(f"n{n}:owl" for n in range(5)))
    assert report == LoadReport(5, 3, 0, 0, 1, 1, 2)
    assert [attempts for _, _, attempts in await said(night)] == [1, 1, 0, 0, 0]
    keys = {job["key"] for job in night.everything()[1] if job["current"]}
    assert keys == {f"n{n}" for n in range(5)}


async def test_what_is_done_is_taken_before_what_is_not(night: Table) -> None:
    """One row is left of two that say the same: the picture in hand is its own."""
    await night.bring("2", S.FAILED)
    done = await night.bring("3", S.SUCCEEDED)
    await load(night, "1:fox", "x:owl")
    assert night.row(done)["key"] == "x"


@pytest.mark.parametrize(
    "moves", [(Move.CANCEL,), (Move.CLAIM, Move.REFUSED), (Move.CLAIM, Move.NOT_ACCEPTED)]
)
async def test_what_was_never_accepted_is_not_taken(night: Table, moves: Sequence[Move]) -> None:
    """It is free: a new row is loaded and asked for, and does not inherit a refusal."""
    await night.move("1", *moves)
    assert (await load(night, "x:fox", "2:owl", "3:owl")).new == 1
    assert (await night.job("x")).state is S.QUEUED


async def test_an_edit_that_is_taken_back_under_another_key(night: Table) -> None:
    """The old revision of a key is anybody's who says the same."""
    fox = await night.bring("1", S.SUCCEEDED)
    await load(night, "1:wolf", "2:owl", "3:owl")
    assert await load(night, "1:wolf", "2:owl", "3:owl", "4:fox") == LoadReport(4, 0, 0, 3, 0, 0, 1)
    assert night.row(fox)["key"] == "4"
    assert await load(night, "1:fox", "2:owl", "3:owl") == LoadReport(3, 0, 0, 2, 0, 0, 1)
    assert night.row(fox)["key"] == "1"


async def test_a_row_that_has_its_own_job_unsent_takes_one_that_was_sent(night: Table) -> None:
    """As after a renumbering that an older version loaded: what waits for consent gives way."""
    owl = await night.bring("2", S.RUNNING)
    waits = (await night.job("3")).id
    assert await load(night, "1:fox", "3:owl") == LoadReport(2, 0, 0, 1, 0, 0, 1)
    assert night.row(owl)["key"] == "3"
    assert waits not in {job["id"] for job in night.everything()[1]}


async def test_what_was_turned_away_stays_in_the_ledger(night: Table) -> None:
    """Of the job that gave way: nothing that left this machine is forgotten."""
    await night.bring("2", S.SUCCEEDED)
    await night.move("3", Move.CLAIM, Move.NOT_ACCEPTED)
    await load(night, "1:fox", "3:owl")
    owl = await night.job("3")
    assert sorted(attempt["outcome"] for attempt in night.attempts(owl.id)) == ["accepted", "turned_away"]


async def test_a_job_that_waits_for_one_that_gave_way_waits_for_the_other(night: Table) -> None:
    """With `--dedupe`: it must not point at nothing."""
    owl = await night.bring("2", S.SUCCEEDED)
    await load(night, "1:fox", "2:owl", "3:hare", "4:hare")
    three, four = [(await night.job(key)).id for key in "34"]
    await night.store.links.link([(four, three)])
    await load(night, "1:fox", "3:owl", "4:hare")
    assert night.row(owl)["key"] == "3"
    assert night.row(four)["same_as"] == owl
    await night.store.links.settle(night.batch.id)
    assert (night.row(four)["same_as"], (await night.job("4")).state) == (None, S.QUEUED)


async def test_one_that_was_queued_once_more_stays_queued(night: Table) -> None:
    """A person allowed it: its row under the old key is gone, and that cancels nothing."""
    fox = await night.move("1", Move.CLAIM, Move.UNCONFIRMED, Move.RESUBMIT)
    await load(night, "1:wolf", "x:fox", "2:owl", "3:owl")
    assert (night.row(fox)["key"], night.row(fox)["state"], night.row(fox)["agreed"]) == ("x", "queued", 1)
    assert night.row(fox)["error_code"] is None


async def test_pictures_and_folder_stay_where_they_are(night: Table) -> None:
    """Names on disk are not renamed: the manifest says where they are."""
    fox = await night.move("1", *WAYS[S.FETCHING])
    (attempt,) = night.attempts(fox)
    await night.store.ledger.record_image(fox, attempt["id"], picture())
    await night.move("1", Move.FETCHED)
    await load(night, "x:fox")
    job = await night.job("x")
    assert (job.images, night.row(fox)["folder"]) == ((picture(),), "1")
    await load(night, "x:fox", "1:fox")
    assert (await night.job("1")).id != fox
    folders = {job["folder"].lower() for job in night.everything()[1]}
    assert len(folders) == len(night.everything()[1])


async def test_rows_are_compared_in_parts(night: Table) -> None:
    """A later part may have the exact key: nothing is adopted before all are seen."""
    await night.bring("2", S.SUCCEEDED)
    rows, claims = sheet("0:owl", "2:owl"), Claims()
    compare = night.store.preview.compare
    for row in rows:
        await compare(night.batch.id, [row], claims)
    assert claims.may_adopt
    claims.all_seen = True
    told = [change for row in rows for change in await compare(night.batch.id, [row], claims)]
    assert told == [RowChange("new", S.QUEUED, known=False), RowChange("unchanged", S.SUCCEEDED, known=True)]


@pytest.mark.parametrize("rows", [1, 501, 1203])
async def test_a_large_sheet_is_renumbered_in_pieces(table: Table, rows: int) -> None:
    """More than one part of it: each row keeps the job that says what it says."""
    await load(table, *(f"{n}:says {n}" for n in range(rows)))
    await table.store.database.write(_send_all)
    report = await load(table, *(f"{rows - n}:says {n}" for n in range(rows)))
    moved = rows - (rows % 2 == 0)
    assert (report.new, report.changed, report.gone) == (0, 0, 0)
    assert report.adopted in {moved, rows}
    assert {attempts for _, _, attempts in await said(table)} == {1}


def _send_all(connection: Connection) -> None:
    for statement in (
        "UPDATE job SET state = 'running', attempts = 1 WHERE current",
        "INSERT INTO attempt (uid, job_id, number, payload_sha256, started_at, outcome, request_id,"
        " automatic) SELECT id, id, 1, '', '2026-11-20', 'accepted', id, false FROM job WHERE current",
    ):
        connection.execute(text(statement))
