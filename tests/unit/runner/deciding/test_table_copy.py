"""A job table goes elsewhere whole; at every moment one of the two places can be worked on at most."""

import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select
from sqlmodel import SQLModel

from jobs.concurrency import FoundLimit
from jobs.errors import CannotWrite, LockHeld, TableRetired, UsageProblem
from jobs.ledger import balance
from jobs.outcomes import Fetched
from jobs.pauses import PauseReason
from jobs.states import JobState as S
from jobs.states import Move
from jobs.store.copies import rows
from jobs.store.copies.ends import transaction_at
from jobs.store.copies.rows import NOT_COPIED, copied_tables
from jobs.store.open import open_store
from jobs.store.schema import ACCOUNT, ATTEMPT, IDENTITY, JOB, REFERENCE, SETTLED_JOURNAL
from jobs.store.sql.retirement import MARK
from jobs.store.store import Store
from jobs.submit_record import SubmitRecord
from jobs.table_place import TablePlace
from runner.clock import SystemClock
from runner.deciding.table_copy import TableCopied, copy_table
from runner.environment import Environment
from runner.recovery.hold import holding
from runner.recovery.journal import open_journal
from runner.recovery.journal_format import Header
from runner.recovery.journal_places import Places, beside, folder_of, new_name
from runner.recovery.recover import settle
from tests.support.postgres import Cluster, run
from tests.support.tables import ESTIMATE, ORIGIN, Table, new_table, picture, planned
from tests.support.warm import prepare_database

HOST = socket.gethostname()
_UNTIL_FETCHED = (Move.CLAIM, Move.ACCEPTED, Move.REMOTE_DONE)
PROBES = ("before retired", "after retired", "after journals", "in copy", "after copy")


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Ends:
    """Where a table comes from and where it goes, on this machine or a server."""

    folder: Path
    cluster: Cluster | None
    kinds: tuple[str, str]
    notices: list[str] = field(default_factory=list)
    probe: Callable[[str], None] = lambda _name: None

    def place(self, kind: str, name: str) -> TablePlace:
        home = self.folder / name
        home.mkdir(exist_ok=True)
        if kind == "file":
            return TablePlace(home / "night.db")
        assert self.cluster is not None
        if home not in self.cluster.urls:  # one that is made of a template is a copy of that
            run(self.cluster.place(home), "UPDATE identity SET uid = ?", uuid4().hex)
        return TablePlace(home / "table", self.cluster.place(home))

    @property
    def source(self) -> TablePlace:
        return self.place(self.kinds[0], "from")

    @property
    def target(self) -> TablePlace:
        return self.place(self.kinds[1], "to")

    @property
    def environment(self) -> Environment:
        return Environment({}, self.folder, SystemClock(), Random(1), self.probe)

    async def copy(self, target: TablePlace | None = None, **more: Any) -> TableCopied:
        to = target or self.target
        return await copy_table(
            self.source, to, self.environment, self.notices.append, submit_timeout=60.0, **more
        )

    @asynccontextmanager
    async def opened(self, place: TablePlace) -> AsyncIterator[Store]:
        async with open_store(place, SystemClock().now) as store:
            yield store

    @asynccontextmanager
    async def loaded(self, *keys: str) -> AsyncIterator[Table]:
        """The source, with queued jobs."""
        if not self.source.is_server:
            prepare_database(self.source.path)
        async with self.opened(self.source) as store:
            yield await new_table(store.database, *keys)

    async def full(self) -> None:
        """Have the source hold something of everything, and nothing in flight."""
        async with self.loaded("a", "b", "c", "d") as table:
            await table.bring("b", S.UNCONFIRMED)
            await table.bring("c", S.FAILED)
            job = await table.move("a", *_UNTIL_FETCHED)
            attempt = table_attempt(self.source, job)
            await table.store.batches.place(table.batch.id, "outputs", "data-uri", {})
            image = picture(path=str(self.folder / "from/outputs/1.png"))
            await table.store.ledger.record_image(job, attempt, image)
            assert await table.store.jobs.apply(Fetched(job, (), table.clock.now()))
            await table.store.batches.note_prices(table.batch.id, {"a model": ESTIMATE})
            await table.store.batches.pause(table.batch.id, PauseReason.PERSON, "lunch")


def table_attempt(place: TablePlace, job: int) -> int:
    with transaction_at(place) as connection:
        return int(connection.execute(select(ATTEMPT.c.id).where(ATTEMPT.c.job_id == job)).scalar_one())


def everything(place: TablePlace) -> dict[str, list[Any]]:
    """All rows of all tables but what each has for itself."""
    with transaction_at(place) as connection:
        found = {}
        for table in copied_tables():
            asked = select(table).order_by(*table.primary_key.columns)
            if table is SETTLED_JOURNAL:
                asked = asked.where(table.c.name != MARK)
            rows = [dict(row) for row in connection.execute(asked).mappings()]
            found[table.name] = [{k: v for k, v in row.items() if k != "output_dir"} for row in rows]
        return found


def uid(place: TablePlace) -> str:
    with transaction_at(place) as connection:
        return str(connection.execute(select(IDENTITY.c.uid)).scalar_one())


async def is_usable(place: TablePlace) -> bool:
    """Whether a run could work on the batch there."""
    try:
        async with open_store(place, SystemClock().now) as store:
            hold = holding(store, command="run", batch="", clock=SystemClock(), notice=lambda _text: None)
            async with hold as held:
                assert held.other is None
                return await store.batches.find("night") is not None
    except TableRetired:
        return False
    except CannotWrite as error:
        if "There is no" not in error.message:
            raise
        return False


KINDS = [("file", "file"), ("file", "server"), ("server", "file"), ("server", "server")]


@pytest.fixture(params=KINDS, ids="-".join)
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ends]:
    needs = "server" in request.param
    cluster = request.getfixturevalue("cluster") if needs else None
    yield Ends(tmp_path, cluster, request.param)
    if cluster is not None:
        cluster.forget()


@pytest.fixture
def files(tmp_path: Path) -> Ends:
    return Ends(tmp_path, None, ("file", "file"))


async def test_everything_goes_and_the_books_agree(ends: Ends) -> None:
    """Rows, ids, uids, counts and figures; what comes next gets new ids."""
    await ends.full()
    before, name = everything(ends.source), uid(ends.source)
    told = await ends.copy()
    assert (told.rows["job"], told.rows["attempt"], told.rows["artifact"]) == (4, 3, 1)
    assert everything(ends.target) == before
    assert uid(ends.target) == name
    ledgers = []
    for place in (ends.source, ends.target):
        async with ends.opened(place) as store:
            batch = await store.batches.named("night")
            attempts = await store.ledger.attempts(batch.id)
            counts = await store.jobs.counts_and_account(batch.id)
            assert await store.counts.wrong(batch.id) == 0
            images = await store.overview.images(batch.id)
            ledgers.append((batch, balance(attempts), attempts, counts, images))
    assert ledgers[0] == ledgers[1]
    assert ledgers[1][0].output_root == str(ends.folder / "from/outputs")
    async with ends.opened(ends.target) as store:
        new = [planned("e", 0), planned("f", 1)]
        batch, _ = await store.batches.load(name="next", sheet=Path("/s.csv"), origin=ORIGIN, planned=new)
        assert batch.id == 2
        assert [job.id async for job in store.jobs.each(batch.id)] == [5, 6]


async def test_the_source_is_read_and_never_written_again(ends: Ends) -> None:
    """Whatever way somebody takes, and though he had it open before."""
    await ends.full()
    async with ends.opened(ends.source) as early:
        batch = await early.batches.named("night")
        await early.batches.unpause(batch.id)
        await ends.copy()
        before = everything(ends.source)
        for write in (
            early.batches.agree(batch.id),
            early.batches.pause(batch.id, PauseReason.PERSON, "too late"),
            early.batches.load(name="other", sheet=Path("/s.csv"), origin=ORIGIN, planned=[planned("e")]),
        ):
            with pytest.raises(TableRetired, match="is retired: its jobs are in") as told:
                await write
            assert str(ends.target) in told.value.message
            assert f"--db {ends.target}" in told.value.hint
        assert (await early.batches.named("night")).name == "night"
    assert everything(ends.source) == before
    assert not await is_usable(ends.source)
    assert await is_usable(ends.target)


@pytest.mark.parametrize("point", PROBES)
async def test_a_crash_at_any_point_leaves_one_at_most_and_the_same_copy_completes_it(
    ends: Ends, point: str
) -> None:
    """Killed there, and once more, and then let through."""
    await ends.full()
    before = everything(ends.source)

    def kill(name: str) -> None:
        if name == point:
            raise Killed

    ends.probe = kill
    for _ in range(2):
        with pytest.raises(Killed):
            await ends.copy()
        usable = [place for place in (ends.source, ends.target) if await is_usable(place)]
        has_left, has_arrived = point != "before retired", point == "after copy"
        assert usable == ([ends.target] if has_arrived else [] if has_left else [ends.source])
        if has_left and not has_arrived:
            async with ends.opened(ends.source) as store:
                with pytest.raises(TableRetired, match="has not come to its end") as told:
                    await store.batches.agree(1)
            assert f"`nightsheet db copy {ends.source} {ends.target}` completes it" in told.value.hint
    ends.probe = lambda _name: None
    await ends.copy()
    assert everything(ends.target) == before
    assert [await is_usable(place) for place in (ends.source, ends.target)] == [False, True]
    assert (await ends.copy()).rows == {}, "it is there already"
    assert everything(ends.target) == before


@pytest.mark.parametrize("state", [S.SUBMITTING, S.RUNNING, S.FETCHING])
async def test_what_is_in_flight_is_brought_home_first(ends: Ends, state: S) -> None:
    """A submit that was on its way is settled, and may go along; what the API has may not."""
    async with ends.loaded("a", "b") as table:
        await table.bring("a", state)
    if state is S.SUBMITTING:
        assert (await ends.copy()).rows["attempt"] == 1
        async with ends.opened(ends.target) as store:
            assert (await store.jobs.counts_and_account(1))[0][S.UNCONFIRMED] == 1
        return
    with pytest.raises(UsageProblem, match="1 job is in flight") as told:
        await ends.copy()
    assert "`nightsheet resume" in told.value.hint
    assert await is_usable(ends.source)


async def test_a_place_with_jobs_of_its_own_is_refused(ends: Ends) -> None:
    """Nothing is mixed, and nothing is retired for it."""
    await ends.full()
    async with open_store(ends.target, SystemClock().now, create=True) as store:
        await new_table(store.database, "z")
    there = everything(ends.target)
    with pytest.raises(UsageProblem, match="has jobs of its own"):
        await ends.copy()
    assert everything(ends.target) == there
    assert await is_usable(ends.source)


async def test_a_table_at_work_is_refused(files: Ends) -> None:
    """By the name of the process that works on it."""
    await files.full()
    async with files.opened(files.source) as store:
        clock = SystemClock()
        hold = holding(store, command="run", batch="night", clock=clock, notice=files.notices.append)
        async with hold:
            with pytest.raises(LockHeld, match="`nightsheet run`"):
                await files.copy()
    assert await is_usable(files.source)


async def test_a_copy_of_the_same_table_is_no_target(files: Ends) -> None:
    """Both have one name: whoever copied the file has two tables, and this makes no third."""
    await files.full()
    shutil.copy(files.source.path, files.target.path)
    for target in (files.target, files.source):
        with pytest.raises((UsageProblem, LockHeld)):
            await files.copy(target)
    assert await is_usable(files.source)


async def test_a_rehearsal_stays_in_files(cluster: Cluster, tmp_path: Path) -> None:
    """Its API is inside of a process."""
    ends = Ends(tmp_path, cluster, ("file", "server"))
    async with ends.loaded("a") as table:
        await table.store.batches.load(
            name="rehearsed", sheet=Path("/s.csv"), origin="emulator", planned=[planned("e")]
        )
    with pytest.raises(UsageProblem, match="a rehearsal's"):
        await ends.copy()
    assert await is_usable(ends.source)


async def test_what_may_still_arrive_holds_up_a_copy(cluster: Cluster, tmp_path: Path) -> None:
    """Its runner may only be asleep, and nobody would know of its submit at the new place."""
    ends = Ends(tmp_path, cluster, ("server", "file"))
    url = cluster.place(ends.source.path.parent)
    async with ends.loaded("a") as table:
        (row,) = run(
            url,
            "INSERT INTO runner (host, pid, version, note, since, beat_at, steady_since, lease_until,"
            " progress_at, dead_at, why)"
            " VALUES ('there', 17, '2.0', '{}', now(), now(), now(), now(), now(), now(), 'lease')"
            " RETURNING id",
        )
        await table.bring("a", S.SUBMITTING)
        run(url, "UPDATE attempt SET runner_id = ?", row["id"])
    with pytest.raises(UsageProblem, match="may only be asleep"):
        await ends.copy()
    assert await is_usable(ends.source)
    run(url, "UPDATE runner SET dead_at = now() - interval '141 seconds' WHERE id = ?", row["id"])
    await ends.copy()
    with transaction_at(ends.target) as connection:
        assert connection.execute(select(ATTEMPT.c.runner_id)).scalars().all() == [None]
        assert connection.execute(select(JOB.c.state)).scalars().all() == [S.UNCONFIRMED]


async def test_a_copy_that_was_cut_off_may_go_elsewhere(ends: Ends) -> None:
    """As long as it is seen that it has not arrived."""
    await ends.full()
    before = everything(ends.source)

    def kill(name: str) -> None:
        if name == "in copy":
            raise Killed

    ends.probe = kill
    with pytest.raises(Killed):
        await ends.copy()
    ends.probe = lambda _name: None
    elsewhere = TablePlace(ends.folder / "elsewhere.db")
    await ends.copy(elsewhere)
    assert everything(elsewhere) == before
    assert not await is_usable(ends.target)
    assert not await is_usable(ends.source)


@pytest.mark.parametrize("kinds", [("file", "file"), ("server", "file")], ids="-".join)
@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_on_another_machine_the_path_of_a_file_is_another_file(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kinds: tuple[str, str],
    is_elsewhere: bool,
) -> None:
    """Its rows have arrived there, and the first one was not told: nobody copies them once more from here."""
    ends = await cut_off(request, tmp_path, kinds, "after copy")
    moved = ends.target.path.rename(tmp_path / "at-the-first-machine.db")
    to = TablePlace(tmp_path / "elsewhere.db") if is_elsewhere else ends.target
    monkeypatch.setattr(socket, "gethostname", lambda: "second")
    with pytest.raises(TableRetired, match=f"on {HOST}") as told:
        await ends.copy(to)
    assert "This is second" in told.value.hint
    assert "--lost" in told.value.hint
    assert not to.path.exists()
    monkeypatch.undo()
    with pytest.raises(TableRetired) as told:
        await ends.copy(to)
    assert "it was moved" in told.value.hint
    assert not to.path.exists()
    if is_elsewhere:
        await ends.copy(to, lost=True)
        assert await is_usable(to)
        return
    moved.rename(to.path)
    assert (await ends.copy(to)).rows == {}


async def cut_off(request: pytest.FixtureRequest, folder: Path, kinds: tuple[str, str], point: str) -> Ends:
    """A copy that was killed there."""
    ends = Ends(folder, request.getfixturevalue("cluster") if "server" in kinds else None, kinds)
    await ends.full()

    def kill(name: str) -> None:
        if name == point:
            raise Killed

    ends.probe = kill
    with pytest.raises(Killed):
        await ends.copy()
    ends.probe = lambda _name: None
    return ends


async def test_limits_that_are_set_at_the_target_stay(ends: Ends) -> None:
    """A studio sets them before it moves in; what is not set there comes along."""
    await ends.full()
    async with ends.opened(ends.source) as store:
        await store.accounts.set_limits("api.example/1", {"in_flight_max": 7, "budget": ESTIMATE})
        await store.accounts.note_limit("api.example/1", ["a model"], FoundLimit(4))
    async with open_store(ends.target, SystemClock().now, create=True) as store:
        await store.accounts.set_limits("api.example/2", {"gate": 2})
        await store.accounts.set_limits("api.example/1", {"in_flight_max": 3})
    await ends.copy()
    with transaction_at(ends.target) as connection:
        asked = select(ACCOUNT.c.name, ACCOUNT.c.in_flight_max, ACCOUNT.c.budget, ACCOUNT.c.gate)
        assert [tuple(row) for row in connection.execute(asked.order_by(ACCOUNT.c.id))] == [
            ("api.example/1", 3, ESTIMATE, None),
            ("api.example/2", None, None, 2),
        ]
    async with ends.opened(ends.target) as store:
        await store.accounts.set_limits("api.example/3", {"gate": 1})


async def test_whatever_else_the_target_has_is_seen_before_anything_is_retired(ends: Ends) -> None:
    """Not only jobs."""
    await ends.full()
    async with open_store(ends.target, SystemClock().now, create=True):
        pass
    with transaction_at(ends.target) as connection:
        connection.execute(
            insert(REFERENCE).values(sha256="5" * 64, path="/cat.png", bytes=1, media_type="image/png")
        )
    with pytest.raises(UsageProblem, match="of its own"):
        await ends.copy()
    assert await is_usable(ends.source)


async def test_a_defect_is_told_in_words(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that the target takes no second time, from whichever driver."""
    await ends.full()
    monkeypatch.setattr(rows, "_rows", partial(_twice, rows._rows))
    with pytest.raises(CannotWrite, match="cannot be put into"):
        await ends.copy()
    monkeypatch.undo()
    assert (await ends.copy()).rows["job"] == 4


def _twice(before: Callable[..., Iterator[Any]], *asked: Any) -> Iterator[Any]:
    for row in before(*asked):
        yield row
        yield row


async def test_what_has_arrived_goes_on_from_there(ends: Ends) -> None:
    """And not once more from the source, unless the other place is gone for good."""
    await ends.full()
    before = everything(ends.source)

    def kill(name: str) -> None:
        if name == "after copy":
            raise Killed

    ends.probe = kill
    with pytest.raises(Killed):
        await ends.copy()
    ends.probe = lambda _name: None
    elsewhere = TablePlace(ends.folder / "elsewhere.db")
    with pytest.raises(TableRetired) as told:
        await ends.copy(elsewhere)
    assert "Copy from there" in told.value.hint
    assert "--lost" in told.value.hint
    assert not elsewhere.path.exists()
    await ends.copy()
    with pytest.raises(TableRetired):
        await ends.copy(elsewhere)
    await ends.copy(elsewhere, lost=True)
    assert everything(elsewhere) == before


async def test_a_place_that_cannot_be_asked_is_not_believed_gone(cluster: Cluster, tmp_path: Path) -> None:
    """A server that is away may have the rows."""
    ends = Ends(tmp_path, cluster, ("file", "server"))
    await ends.full()
    await ends.copy()
    cluster.administer(f"DROP DATABASE {str(ends.target).rpartition('/')[2]} WITH (FORCE)")
    with pytest.raises(CannotWrite, match="cannot be told") as told:
        await ends.copy(TablePlace(tmp_path / "elsewhere.db"))
    assert "--lost" in told.value.hint
    assert not await is_usable(ends.source)


async def test_the_journal_is_a_witness_of_the_new_place(ends: Ends) -> None:
    """A submit that the table never heard of, from the folder beside it and from the state folder."""
    await ends.full()
    async with ends.opened(ends.source) as store:
        batch = await store.batches.named("night")
        d = await store.jobs.by_key(batch.id, "d")
        assert d is not None
    kept = folder_of(ends.environment.state_folder, ORIGIN) / uid(ends.source)
    header = Header(uid(ends.source), str(ends.source), "here", ORIGIN, datetime.now(UTC))
    at = header.begun_at
    record = SubmitRecord("7" * 32, d.fingerprint, "night", "d", "5" * 64, at, estimate_usd=ESTIMATE)

    async def journal(places: Places, which: SubmitRecord) -> None:
        name = new_name(places, header.begun_at, Random(which.uid))
        with open_journal(places, name, header, ends.notices.append) as opened:
            await opened.sent(which)

    await journal(Places(beside(ends.source.path), kept), record)
    ends.notices.clear()
    await ends.copy()
    assert "did not know 1 submit" in ends.notices[0], "it was put back before it was copied"
    late = replace(record, uid="8" * 32, key="c", fingerprint=d.fingerprint)
    assert [path.name for path in beside(ends.target.path).iterdir()]
    async with ends.opened(ends.target) as store:
        places = Places(beside(ends.target.path), kept)
        healing, _ = await settle(store, await store.batches.named("night"), places, datetime.now(UTC))
        assert healing.sentences() == [], "the new place knows all that the journals know"
        await journal(places, late)
        healing, _ = await settle(store, await store.batches.named("night"), places, datetime.now(UTC))
        assert "1 submit" in healing.sentences()[0]


async def test_it_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    """From a database that was empty to a new file: the first one stays retired."""
    ends = Ends(tmp_path, cluster, ("file", "server"))
    await ends.full()
    before = everything(ends.source)
    cluster.made += 1
    there = TablePlace(tmp_path / "there" / "table", cluster.new_database(f"empty_{cluster.made}"))
    back = TablePlace(tmp_path / "back.db")
    await ends.copy(there)
    await copy_table(there, back, ends.environment, ends.notices.append, submit_timeout=60.0)
    assert everything(back) == before
    usable = [await is_usable(place) for place in (ends.source, there, back)]
    assert usable == [False, False, True]


def test_no_table_is_forgotten() -> None:
    """A new table is copied, unless somebody says why not."""
    known = {*SQLModel.metadata.tables.values()}
    assert {*copied_tables(), *NOT_COPIED} == known
    assert not {*copied_tables()} & {*NOT_COPIED}
