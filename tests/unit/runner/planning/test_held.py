"""Rows that were paid for under another batch or in another database: told, held, and never paid unasked."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import UsageProblem
from jobs.exit_codes import ExitCode
from jobs.outcomes import Requeued
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.store.open import open_store
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.planning.consent import Ask, agreed_to_all
from runner.planning.held import hold, release
from runner.planning.selection import Selection
from tests.support.night import Night, night
from tests.support.tables import select
from tests.support.virtual_time import virtual

S = JobState


class Person:
    """Who answers questions: whether to pay for what was paid for before, and for the rest."""

    def __init__(self, *, again: bool, rest: bool = True) -> None:
        self.again, self.rest = again, rest
        self.asked: list[tuple[int, bool]] = []

    async def __call__(self, ask: Ask) -> bool:
        self.asked.append((ask.jobs, ask.again))
        return self.again if ask.again else self.rest


def copy(w: Night, rows: int, name: str = "copy.csv") -> Path:
    """The sheet of these rows under another name."""
    return w.sheet(rows, name)


def held(w: Night) -> list[str]:
    """The keys of the held jobs, by a connection that is none of ours."""
    return [job["key"] for job in w.jobs() if job["held"] is not None]


def beside_it(database: Path) -> set[Path]:
    """The files whose names begin with the database's."""
    return set(database.parent.glob(f"{database.name}*"))


@virtual
async def test_a_renamed_sheet_is_held_and_nothing_is_sent(tmp_path: Path) -> None:
    """`--yes` agrees to a price, not to paying twice: usage, exit 2, with where and when."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(3))
        before = len(w.service.ledger)
        for _ in range(2):
            with pytest.raises(UsageProblem, match="3 rows were paid for before") as caught:
                await w.run(copy(w, 3))
            assert caught.value.exit_code == ExitCode.USAGE
        assert "--again" in caught.value.hint
        assert len(w.service.ledger) == before
        assert held(w) == ["row-0", "row-1", "row-2"]
        assert any("3 rows were paid for on 20 November under batch sheet." in n for n in w.watching.notices)


@virtual
async def test_the_others_are_sent_and_the_run_ends_1(tmp_path: Path) -> None:
    """And what is held stays held, run after run; what is sent is not sent again."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(2))
        report = await w.run(copy(w, 4))
        assert (report.exit_code, report.held) == (ExitCode.INCOMPLETE, 2)
        assert w.submits() == {f"A boat no. {row}": 1 for row in range(4)}
        with pytest.raises(UsageProblem):
            await w.run(copy(w, 4))
        assert len(w.service.ledger) == 4
        assert any("2 of these 4 rows were paid for" in notice for notice in w.watching.notices)


@virtual
async def test_again_pays_for_them(tmp_path: Path) -> None:
    """Once: the sheet is then its own batch's."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(2))
        assert (await w.run(copy(w, 2), again=True)).exit_code == 0
        assert (await w.run(copy(w, 2))).exit_code == 0
        assert w.submits() == {f"A boat no. {row}": 2 for row in range(2)}


@virtual
async def test_a_person_is_asked_about_them_apart(tmp_path: Path) -> None:
    """A no to them is no no to the others; a yes needs the price agreed to as well."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(2))
        no = Person(again=False)
        assert (await w.run(copy(w, 3), no)).exit_code == ExitCode.INCOMPLETE
        assert no.asked == [(2, True), (1, False)]
        half = Person(again=True, rest=False)
        with pytest.raises(UsageProblem, match="Not agreed to"):
            await w.run(copy(w, 3), half)
        assert half.asked == [(2, True), (2, False)]
        assert len(w.service.ledger) == 3
        yes = Person(again=True)
        assert (await w.run(copy(w, 3), yes)).exit_code == 0
        assert yes.asked == half.asked  # what was not agreed to is held anew
        assert w.submits() == {"A boat no. 0": 2, "A boat no. 1": 2, "A boat no. 2": 1}


@virtual
async def test_what_was_agreed_to_is_not_asked_again(tmp_path: Path) -> None:
    """A run that was stopped goes on with it."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(2))
        await w.run(copy(w, 2), again=True, selection=Selection(limit=1))
        async with open_store(w.database, w.clock.now) as store:
            batch = await store.batches.named("copy")
            await hold(store, batch, {}, w.clock.now(), w.watching.notice)
            assert await store.held.count(batch.id) == 1  # nobody has agreed to the other
            await store.held.release(batch.id)
            await store.batches.agree(batch.id)
            await hold(store, batch, {}, w.clock.now(), w.watching.notice)
            assert await store.held.count(batch.id) == 0
        report = await w.resume()
        assert report is not None
        assert report.exit_code == 0
        assert len(w.service.ledger) == 4


@virtual
async def test_dedupe_takes_the_earlier_result(tmp_path: Path) -> None:
    """Free: the record names the pictures of the other batch, and asks the API nothing."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(3))
        calls = list(w.transport.calls)
        report = await w.run(copy(w, 3), dedupe=True)
        assert (report.exit_code, report.linked, report.held) == (0, 3, 0)
        assert w.transport.calls == calls
        images = [record["images"] for record in w.manifest("copy")]
        assert w.pictures_whole("copy") == w.pictures_whole("sheet") == sum(map(len, images))
        seeds = [[record["inputs"].get("seed") for record in w.manifest(name)] for name in ("sheet", "copy")]
        assert seeds[0] == seeds[1]
        assert (await w.run(copy(w, 3))).exit_code == 0


@virtual
async def test_each_earlier_result_is_taken_once(tmp_path: Path) -> None:
    """Three rows that say the same, one result: the others stay held, for they may be variations."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(1))
        path = copy(w, 1)
        row = path.read_text().splitlines()[1]
        path.write_text(
            path.read_text() + row.replace("row-0", "x") + "\n" + row.replace("row-0", "y") + "\n"
        )
        with pytest.raises(UsageProblem, match="2 rows were"):
            await w.run(path, dedupe=True)
        assert held(w) == ["x", "y"]
        assert len(w.service.ledger) == 1


@virtual
async def test_a_database_beside_the_sheet_is_asked(tmp_path: Path) -> None:
    """The same sheet from another folder: held, with the path; with `--dedupe` fetched by its id, free."""
    async with night(tmp_path) as w:
        beside = tmp_path / "nightsheet.db"
        await w.run(w.sheet(2), db=beside)
        was = beside.read_bytes()
        files = beside_it(beside)
        with pytest.raises(UsageProblem):
            await w.run(w.sheet(2))
        assert any(f"batch sheet ({beside})" in notice for notice in w.watching.notices)
        report = await w.run(w.sheet(2), dedupe=True)
        assert (report.exit_code, report.images) == (0, 3)
        assert len(w.service.ledger) == 2
        assert w.states() == {S.SUCCEEDED: 2}
        assert beside.read_bytes() == was
        assert beside_it(beside) == files
        ours = select(w.database, "SELECT request_id FROM attempt")
        assert ours == select(beside, "SELECT request_id FROM attempt")


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00 and junk", b"no database at all"])
@virtual
async def test_a_database_beside_it_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    """It is told, and stops nobody: it may be anybody's."""
    async with night(tmp_path) as w:
        (tmp_path / "nightsheet.db").write_bytes(content)
        assert (await w.run(w.sheet(1))).exit_code == 0
        assert any("what it paid for is not known" in notice for notice in w.watching.notices)
        assert (tmp_path / "nightsheet.db").read_bytes() == content


@virtual
async def test_what_failed_at_the_api_is_told_and_sent(tmp_path: Path) -> None:
    """People try a failed row again under another sheet; what was paid and lost on its way is held."""
    fails = Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FAILED, prompt="no. 0")
    async with night(tmp_path, faults=[fails]) as w:
        await w.run(w.sheet(2))
        report = await w.run(copy(w, 2))
        assert report.held == 1
        assert held(w) == ["row-1"]
        assert w.submits()["A boat no. 0"] == 2
        assert any(n.startswith("1 row failed at the API under another batch") for n in w.watching.notices)


@virtual
async def test_a_doubt_holds_as_well(tmp_path: Path) -> None:
    """It may have been paid for."""
    broken = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, accepted=True)
    async with night(tmp_path, faults=[broken]) as w:
        await w.run(w.sheet(1))
        with pytest.raises(UsageProblem, match="1 row was"):
            await w.run(copy(w, 1))
        assert len(w.service.ledger) == 1


@virtual
async def test_under_a_pause_nothing_is_agreed_to_that_was_paid_for(tmp_path: Path) -> None:
    """`run --yes` records consent there, so that a resume need not ask: not to paying twice."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(2))
        with pytest.raises(UsageProblem):
            await w.run(copy(w, 2))
        await w.run(copy(w, 2), again=True, selection=Selection(limit=1))
        async with open_store(w.database, w.clock.now) as store:
            batch = await store.batches.named("copy")
            await store.batches.pause(batch.id, PauseReason.PERSON, "wait")
        assert (await w.run(copy(w, 2))).exit_code == ExitCode.PAUSED
        assert [job["agreed"] for job in w.jobs() if job["state"] == S.QUEUED] == [0]
        with pytest.raises(UsageProblem):
            await w.resume(name="copy")
        assert len(w.service.ledger) == 3


@virtual
async def test_a_held_row_that_is_named_is_told(tmp_path: Path) -> None:
    """`--only` does not agree to paying twice either."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(1))
        report = await w.run(copy(w, 2), selection=Selection(only=("row-0", "row-1")))
        assert (report.exit_code, report.held) == (1, 1)
        assert "Job 'row-0' was paid for under batch sheet: it is held, and not sent." in w.watching.notices


@virtual
async def test_what_is_cancelled_and_wanted_after_all_is_held_no_more(tmp_path: Path) -> None:
    """`retry` is a person's word."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(1))
        with pytest.raises(UsageProblem):
            await w.run(copy(w, 1))
        async with open_store(w.database, w.clock.now) as store:
            batch = await store.batches.named("copy")
            await store.jobs.cancel(batch.id)
            job = await store.jobs.by_key(batch.id, "row-0")
            assert job is not None
            assert await store.jobs.apply(Requeued(job.id, w.clock.now()))
        assert held(w) == []
        report = await w.resume(name="copy")
        assert report is not None
        assert report.exit_code == 0


@virtual
async def test_another_origin_is_another_matter(tmp_path: Path) -> None:
    """A rehearsal's submits hold nobody, and are held by nobody."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(1))
        _set(w.database, "UPDATE batch SET origin = 'https://elsewhere.example:443'")
        assert (await w.run(copy(w, 1))).exit_code == 0
        assert len(w.service.ledger) == 2


def _set(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@virtual
async def test_a_rehearsal_tells_and_sends(tmp_path: Path) -> None:
    """It costs nothing."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(2))
        with pytest.raises(UsageProblem):
            await w.run(copy(w, 2))
        told: list[str] = []
        async with open_store(w.database, w.clock.now) as store:
            batch = await store.batches.named("copy")
            more: dict[str, Any] = {"emulator": True}
            now = datetime(2027, 1, 1, tzinfo=UTC)
            rest = await release(store, batch, w.settings(**more), agreed_to_all, told.append, now)
        assert (rest, held(w)) == (0, [])
        assert told == ["2 rows were paid for on 20 November 2026 under batch sheet."]


@virtual
async def test_consent_does_not_outlast_a_payment_elsewhere(tmp_path: Path) -> None:
    """Rows were agreed to and not sent, and another database has paid for them since: they are held."""
    async with night(tmp_path) as w:
        sheet = w.sheet(4)
        w.service.set_balance(Decimal(0))
        assert (await w.run(sheet)).exit_code == ExitCode.PAUSED
        w.service.set_balance(Decimal(100))
        await w.clock.sleep(60)
        other = tmp_path / "other" / "night.db"
        other.parent.mkdir()
        assert (await w.run(sheet, db=other, output_dir=other.parent, again=True)).exit_code == 0
        await w.clock.sleep(60)
        with pytest.raises(UsageProblem, match="4 rows were paid for before"):
            await w.resume()
        assert max(w.submits().values()) == 1
        report = await w.resume(again=True)
        assert report is not None
        assert report.exit_code == 0
        assert set(w.submits().values()) == {2}
        assert (await w.run(sheet, again=False)).exit_code == 0
