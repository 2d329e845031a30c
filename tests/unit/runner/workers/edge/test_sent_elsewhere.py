"""Another database that runs the same sheet at the same time: what it sends is not sent here as well."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import anyio

from jobs.errors import UsageProblem
from jobs.states import JobState
from jobs.store.sqlite import migrate
from jobs.submit_record import Answered, SubmitEnd, SubmitRecord
from runner.recovery.elsewhere import PaidByJournals
from runner.recovery.journal import SubmitJournal, open_journal
from runner.recovery.journal_format import Header
from runner.recovery.journal_places import Places, new_name
from runner.workers.edge.sent_elsewhere import SentElsewhere
from runner.workers.edge.submit import submit
from tests.support.journals import journals, told
from tests.support.night import night
from tests.support.tables import ORIGIN
from tests.support.virtual_time import virtual
from tests.support.world import World, world

S = JobState
OTHER = "e" * 32


@asynccontextmanager
async def beside_another(folder: Path, *keys: str) -> AsyncIterator[tuple[World, SubmitJournal]]:
    """A run, and the journal of another database that is at work as well."""
    async with world(folder, *keys) as w:
        assert w.places.copies is not None
        of_origin = w.places.copies.parent
        places = Places(folder / "other.db.journal", of_origin / OTHER)
        header = Header(OTHER, "/other.db", "here", ORIGIN, w.clock.now())
        with open_journal(places, new_name(places, w.clock.now(), Random(5)), header, print) as journal:
            uid = await w.store.witness.database_uid()
            elsewhere = SentElsewhere(PaidByJournals(uid, ORIGIN), of_origin)
            yield replace(w, run=replace(w.run, elsewhere=elsewhere)), journal


async def record(w: World, key: str, number: int = 1) -> SubmitRecord:
    """What the other database sends for a row that says the same."""
    said = (await w.job(key)).fingerprint
    return SubmitRecord(f"{number:032x}", said, "theirs", key, "5" * 64, w.clock.now())


@virtual
async def test_a_row_that_another_database_sent_meanwhile_is_held(tmp_path: Path) -> None:
    """Between two submits. The others go, and it is told once."""
    async with beside_another(tmp_path, "a", "b", "c", "d") as (w, other):
        a, b, c, d = [await w.queued(key) for key in "abcd"]
        assert await submit(w.run, a) is not None
        await other.sent(await record(w, "b"))
        assert await submit(w.run, b) is None
        assert await submit(w.run, c) is not None
        await other.sent(await record(w, "d", 2))
        assert await submit(w.run, d) is None
        assert await w.states() == {"a": S.RUNNING, "b": S.QUEUED, "c": S.RUNNING, "d": S.QUEUED}
        assert len(w.provider.asked("submit")) == 2
        assert await w.store.held.count(w.run.batch.id) == 2
        (said,) = [text for text in w.notices if "Another database" in text]
        assert "'b' was sent under batch theirs (/other.db)" in said


@virtual
async def test_both_at_the_same_instant(tmp_path: Path) -> None:
    """The look comes after the own record is in the journal: so the other one would see that as well."""
    async with beside_another(tmp_path, "a") as (w, other):
        job = await w.queued("a")
        theirs = await record(w, "a")

        async def sent(one: SubmitRecord) -> None:
            await own(one)
            await other.sent(theirs)

        own = w.run.journal.sent
        w.run.journal.sent = sent  # type: ignore[method-assign,assignment]
        assert await submit(w.run, job) is None
        assert w.provider.asked("submit") == []
        (ours,) = [one for path in journals(w.places.beside) for one in told(path)]
        assert ours["answered"] == Answered.NOT_SENT
        assert (await w.job("a")).held is not None


@virtual
async def test_what_did_not_leave_there_is_sent_here(tmp_path: Path) -> None:
    """Refused, or taken back because it saw the same here, before or after we looked."""
    async with beside_another(tmp_path, "a", "b") as (w, other):
        theirs, later = await record(w, "a"), await record(w, "b", 2)
        await other.sent(theirs)
        other.ended(theirs.uid, SubmitEnd(Answered.REFUSED, w.clock.now()))
        assert await submit(w.run, await w.queued("a")) is not None
        await other.sent(later)
        ended = w.run.journal.ended

        def both_take_back(uid: str, end: SubmitEnd) -> None:
            ended(uid, end)
            other.ended(later.uid, SubmitEnd(Answered.NOT_SENT, w.clock.now()))

        w.run.journal.ended = both_take_back  # type: ignore[method-assign]
        begun = w.clock.monotonic()
        assert await submit(w.run, await w.queued("b")) is not None
        assert w.clock.monotonic() - begun >= 1
        assert len(w.provider.asked("submit")) == 2
        assert not any("Another database" in text for text in w.notices)


@virtual
async def test_what_a_person_agreed_to_before_is_sent(tmp_path: Path) -> None:
    """What was known at the start is no news, and a row that is held does not wait for ever."""
    async with beside_another(tmp_path, "a") as (w, other):
        await other.sent(await record(w, "a"))
        uid, copies = await w.store.witness.database_uid(), w.places.copies
        assert copies is not None
        known = PaidByJournals(uid, ORIGIN)
        for path in (copies.parent / OTHER).iterdir():
            known.add(path)
        w = replace(w, run=replace(w.run, elsewhere=SentElsewhere(known, copies.parent)))
        assert await submit(w.run, await w.queued("a")) is not None


@virtual
async def test_two_databases_in_the_same_hour(tmp_path: Path) -> None:
    """One sheet, two commands at once: no row is paid for twice, and what is held stays held."""
    async with night(tmp_path) as w:
        sheet = w.sheet(12)
        for name in ("one.db", "two.db"):
            migrate.prepare(tmp_path / name)
        async with anyio.create_task_group() as tasks:
            for name in ("one.db", "two.db"):
                tasks.start_soon(lambda db: w.run(sheet, db=tmp_path / db), name)
        assert max(w.submits().values()) == 1
        for name in ("one.db", "two.db"):
            with suppress(UsageProblem):
                await w.run(sheet, db=tmp_path / name)
        assert max(w.submits().values()) == 1


@virtual
async def test_a_clock_that_is_slow_over_there(tmp_path: Path) -> None:
    """The submit seems older than this table's last look, and is held all the same."""
    async with beside_another(tmp_path, "a") as (w, other):
        await w.store.held.hold(w.run.batch.id, {}, w.clock.now())
        await other.sent(replace(await record(w, "a"), at=w.clock.now() - timedelta(minutes=5)))
        with anyio.fail_after(60):
            assert await submit(w.run, await w.queued("a")) is None
        assert (await w.job("a")).held is not None
