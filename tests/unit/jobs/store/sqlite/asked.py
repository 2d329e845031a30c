"""Everything that the store can be asked, over more than a page of rows, and how SQLite goes about it."""

import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from jobs.admission import NotAdmitted, SubmitTerms
from jobs.attempts import Intent
from jobs.concurrency import FoundLimit
from jobs.outcomes import Attached, Fetched, NotAccepted, RemoteDone
from jobs.paid import PaidSubmit
from jobs.pauses import PauseReason
from jobs.review.actions import ActionNote
from jobs.review.decisions import DecisionSource, DecisionWish, Said, Verdict
from jobs.review.rerolls import MadeReroll, Rewording
from jobs.review.search import SearchField, parse_search
from jobs.row_change import Claims
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState, Move
from jobs.submit_record import Answered, SettledTo, SubmitEnd, SubmitRecord
from jobs.tiles import TileOrder
from jobs.views import Receipt
from tests.support.plans import Statement, Step, recorded, steps
from tests.support.tables import (
    MODEL,
    NIGHT,
    ORIGIN,
    SHEET,
    Table,
    claimed,
    failure,
    opened_table,
    outcome_of,
    picture,
    planned,
)

S, M = JobState, Move
MANY = 501
"""Rows of a sheet: more than fit into a page, or a chunk."""
_MOVES = (
    *(
        (S.QUEUED, M.UNSENDABLE),
        (S.QUEUED, M.CANCEL),
        (S.SUBMITTING, M.REFUSED),
        (S.SUBMITTING, M.UNCONFIRMED),
    ),
    *((S.SUBMITTING, M.ACCEPTED), (S.RUNNING, M.REMOTE_DONE), (S.RUNNING, M.REMOTE_FAILED)),
    *((S.RUNNING, M.REMOTE_CANCELLED), (S.FETCHING, M.LINKS_EXPIRED), (S.FETCHING, M.FETCHED)),
    *((S.FETCHING, M.FETCH_FAILED), (S.UNCONFIRMED, M.ATTACH), (S.UNCONFIRMED, M.RESUBMIT)),
    *((S.UNCONFIRMED, M.DISCARD), (S.FAILED, M.REOPEN), (S.FAILED, M.REQUEUE)),
)
"""Every move that is no claim and no link, from a state that it may be made in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement of one call of a method: how often it ran, and how SQLite would go about it."""

    method: str
    text: str
    times: int
    steps: tuple[Step, ...]


class Recorder:
    """A table whose store is asked by the names of its methods."""

    def __init__(self, table: Table, statements: list[Statement]) -> None:
        self.table = table
        self.found: list[Asked] = []
        self._statements = statements

    async def ask(self, name: str, /, *arguments: Any, **more: Any) -> Any:
        """Call a method, and take all that it lists."""
        self._statements.clear()
        part, _, method = name.partition(".")
        got = getattr(getattr(self.table.store, part), method)(*arguments, **more)
        result = [one async for one in got] if isinstance(got, AsyncIterator) else await got
        asked = [one for one in self._statements if not one.text.startswith(("PRAGMA", "BEGIN"))]
        times = Counter(map(_shape, asked))
        for shape, one in {_shape(one): one for one in asked}.items():
            self.found.append(Asked(name, shape, times[shape], tuple(steps(self.table.path, one))))
        return result

    async def load(self, name: str, rows: Sequence[PlannedJob]) -> int:
        """Load a sheet as a batch; returns the batch's id."""
        self.table.batch, _ = await self.ask(
            "batches.load", name=name, sheet=SHEET, origin=ORIGIN, planned=rows, dedupe=True
        )
        return self.table.batch.id


def _shape(statement: Statement) -> str:
    """A statement, however many values its lists have."""
    return re.sub(r"\?(, \?)+", "?", statement.text)


async def everything_asked() -> list[Asked]:
    """Each method of the store, with each of its statements."""
    with tempfile.TemporaryDirectory() as folder, recorded() as statements:
        async with opened_table(Path(folder) / "night.db", "a") as table:
            recorder = Recorder(table, statements)
            for scene in (
                _sheets,
                _paid_before,
                _linked,
                _lives,
                _lists,
                _page,
                _batches,
                _witness,
                _accounts,
            ):
                await scene(recorder)
            return recorder.found


def _sheet(first: str, *, says: str = "row", many: int = MANY) -> list[PlannedJob]:
    """A sheet whose rows each say something else, whatever their keys are."""
    return [planned(f"{first}{n}", n, prompt=f"{says} {n}", fingerprint=f"{says} {n}") for n in range(many)]


def _send_all(table: Table) -> None:
    """Let every job of the batch have been sent, and have succeeded."""
    at = NIGHT.isoformat(timespec="microseconds")
    with closing(sqlite3.connect(table.path)) as connection, connection:
        connection.execute(
            "INSERT INTO attempt (uid, job_id, number, payload_sha256, started_at, outcome, request_id,"
            " automatic) SELECT 'uid ' || id, id, 1, '', ?, 'accepted', 'req ' || id, 0 FROM job"
            " WHERE batch_id = ?",
            (at, table.batch.id),
        )
        connection.execute(
            "UPDATE job SET state = 'succeeded', attempts = 1, finished_at = ?, submitted_at = ?"
            " WHERE batch_id = ?",
            (at, at, table.batch.id),
        )


async def _sheets(r: Recorder) -> None:
    """A sheet that is new, the same, renumbered, and edited."""
    batch = await r.load("many", _sheet("a"))
    await r.load("many", _sheet("a"))
    _send_all(r.table)
    claims = Claims()
    for claims.all_seen in (False, True):
        changes = await r.ask("preview.compare", batch, _sheet("b")[:9], claims)
    assert {change.kind for change in changes} == {"adopted"}
    await r.load("many", _sheet("b"))
    assert (await r.table.job("b7")).attempts == 1
    for everything in (False, True):
        await r.ask("jobs.each", batch, everything=everything)
        await r.ask("records.pages", batch, everything=everything)
        await r.ask("jobs.each", batch, everything=everything, states=[S.SUCCEEDED])
    await r.ask("records.block", batch, 0)


async def _paid_before(r: Recorder) -> None:
    """Rows that were paid for under another batch: held, released, and given the earlier results."""
    batch = await r.load("again", _sheet("c"))
    await r.ask("batches.agree", batch)
    elsewhere = {"row 1": [PaidSubmit("row 1", "b", "/other.db", NIGHT, "req elsewhere")]}
    for paid in ({}, elsewhere):
        await r.ask("held.hold", batch, paid, NIGHT - timedelta(days=1))
    assert await r.ask("held.count", batch) == MANY
    await r.ask("held.work", batch)
    await r.ask("held.places", batch)
    for which in (batch, None):
        await r.ask("held.paid_before", which, ORIGIN, ["row 1", "row 2"], elsewhere)
    await r.ask("held.release", batch)
    await r.ask("held.hold", batch, {}, NIGHT)
    assert await r.ask("held.take_earlier", batch, elsewhere) == (MANY, 0)
    await r.ask("links.settle", batch)
    assert (await r.table.job("c7")).state is S.SUCCEEDED
    taken = await r.load("taken", [planned("t", prompt="told", fingerprint="told")])
    told = {"told": [PaidSubmit("told", "b", "/other.db", NIGHT, "req told")]}
    await r.ask("held.hold", taken, told, NIGHT)
    assert await r.ask("held.take_earlier", taken, told) == (0, 1)


async def _linked(r: Recorder) -> None:
    """Rows that wait for another one of their sheet, which is cancelled."""
    batch = await r.load("linked", [planned(f"d{n}", n, fingerprint="fox") for n in range(MANY)])
    first, *others = [job.id async for job in r.table.store.jobs.each(batch)]
    await r.ask("links.alike", batch)
    await r.ask("preview.repeats", batch)
    await r.ask("links.link", [(other, first) for other in others])
    await r.ask("links.count", batch)
    await r.ask("links.listed", batch)
    await r.table.move("d0", M.CANCEL)
    await r.ask("links.settle", batch)
    await r.table.bring("d1", S.FAILED)
    await r.ask("links.settle", batch)
    await r.ask("links.unlink", batch)


async def _lives(r: Recorder) -> None:
    """Every move of a job, and what a worker asks on the way."""
    batch = await r.load("lives", _sheet("e", says="life", many=60))
    for asked in ("preview.to_send", "preview.unagreed"):
        await r.ask(asked, batch)
    await r.ask("preview.warnings", batch, 3)
    await r.ask("batches.agree", batch)
    first, second, *_ = await r.ask("jobs.queued", batch, limit=9)
    await r.ask("jobs.queued", batch, after=first.place, limit=9, now=NIGHT)
    await r.ask("jobs.next_available", batch)
    for job, told in ((first, None), (second, "busy")):
        await r.ask("jobs.claim", claimed(job.id))
        await r.ask("jobs.apply", NotAccepted(job.id, NIGHT, NIGHT, told))
    await r.ask("batches.agree", batch, only=[first.id])
    for number, (state, move) in enumerate(_MOVES, 10):
        job_id = await r.table.bring(f"e{number}", state)
        await r.ask("jobs.apply", outcome_of(move, job_id, request_id=f"move {number}"))
    job_id = await r.table.bring("e40", S.FETCHING)
    job = await r.ask("jobs.open_job", job_id)
    await r.ask("ledger.record_image", job_id, job.attempt_id, picture())
    await r.ask("ledger.warn", job_id, "It does not decode.")
    await r.ask("ledger.images_of", job.attempt_id)
    await r.ask("batches.place", batch, "outputs", None, {1: "a/01.png"})
    await r.ask("ledger.move_images", {1: "b/01.png"})
    await r.ask("ledger.holder_of", "req-e40")
    await r.ask("jobs.succeed", Fetched(job_id, (), NIGHT), job.attempt_id, picture(2))
    job_id = await r.table.bring("e42", S.RUNNING)
    await r.ask("jobs.advance", RemoteDone(job_id, ("https://p/1.png",), None))
    await r.ask("jobs.drop_cancel_request", job_id)
    await r.ask("jobs.ids_in_state", S.FETCHING, [job_id])
    await r.ask("jobs.places_of", ["0" * 64])
    job_id = await r.table.bring("e41", S.SUBMITTING)
    receipt = Receipt("e41", Attached(job_id, "receipt", NIGHT))
    await r.ask("witness.settle_interrupted", batch, failure(), [receipt])
    await r.ask("jobs.cancel", batch, ["e42"])
    await r.ask("jobs.cancel", batch)
    await r.ask("jobs.prune", batch)


async def _lists(r: Recorder) -> None:
    """What is listed and counted of a batch."""
    batch = r.table.batch.id
    await r.ask("jobs.open_jobs", batch, S.RUNNING)
    await r.ask("jobs.cancel_wanted", batch)
    await r.ask("jobs.in_state", batch, [S.FAILED, S.RUNNING])
    await r.ask("jobs.in_state", batch, [S.FAILED], ["e10"])
    await r.ask("jobs.by_key", batch, "e10")
    await r.ask("jobs.input_names", batch, MODEL)
    for asked in ("columns", "counts", "counts_and_account", "warned", "revisions"):
        await r.ask(f"jobs.{asked}", batch)
    await r.ask("selectable.each", batch)
    await r.ask("selectable.first", batch, 20)
    await r.ask("manifests.begin", batch)
    await r.ask("manifests.keep", batch, {})
    await r.ask("manifests.blocks_of", range(MANY))
    assert await r.ask("counts.wrong", batch) == 0
    await r.ask("counts.recount", batch)
    await r.ask("jobs.ended_since", batch, NIGHT)
    sums = ("account", "by_model", "unconfirmed_usd", "unpriced")
    for asked in (*sums, "attempts", "naming_ids", "automatic_resubmits"):
        await r.ask(f"ledger.{asked}", batch)
    await r.ask("ledger.unpriced_beside", batch)
    await r.ask("ledger.reckon", batch, {MODEL: Decimal(1)})
    await r.ask("track_records.of", batch, ended=30)


async def _page(r: Recorder) -> None:
    """What the page shows of a batch."""
    batch = r.table.batch.id
    await r.ask("tiles.batches")
    search = parse_search(
        "life -fox state:queued kind:refused model:4 size:1x1 row:2-9 warned:no own:x verdict:older stars:>3",
        ["own"],
    )
    assert isinstance(search, tuple)
    for order in TileOrder:
        await r.ask("tiles.listed", batch, (), order=order, limit=9)
        await r.ask("tiles.listed", batch, search, order=order)
    await r.ask("tiles.details", batch, [job.id async for job in r.table.store.jobs.each(batch)])
    await r.ask("tiles.image", 1, picture().sha256)
    await r.ask("tiles.names", batch, search)
    await r.ask("tiles.found", batch, search)
    keys = [job.key async for job in r.table.store.jobs.each(batch)]
    said: list[Said] = [{"stars": 3}, {"verdict": Verdict.ACCEPTED}, {"stars": 0, "verdict": None}]
    for one in said:
        wishes = [DecisionWish(key, one) for key in keys]
        decided = await r.ask("decisions.decide", batch, wishes, DecisionSource.CLI)
        assert len(decided.images) >= len(keys)
        await r.ask("decisions.of_batch", batch)
    await r.ask(
        "decisions.decide", batch, [DecisionWish("e40", {"verdict": Verdict.REROLL})], DecisionSource.CLI
    )
    marked, *_ = await r.ask("rerolls.marked", batch)
    for sheet in ("one.csv", "two.csv"):
        await r.ask("rerolls.make", sheet, [MadeReroll(marked, ("e40-r1",), "new", 1)])
    await r.ask("rerolls.known_keys", batch)
    await r.ask("rerolls.family", "one", "e40-r1")
    for words in (Rewording("a hen", cells=(("size", "2K"),)), None):
        await r.ask("rerolls.reword", marked.job_id, marked.number, words)
    await r.ask("rerolls.words", [marked.job_id])
    await r.ask("actions.keep", ActionNote("one", batch, "decisions", {}, {}))
    await r.ask("actions.answer", "one")
    await r.ask("facets.own", batch)
    for field in (SearchField.STATE, SearchField.SIZE, SearchField.COLUMN):
        await r.ask("facets.values", batch, search, field, "own" * (field is SearchField.COLUMN))


async def _batches(r: Recorder) -> None:
    """What is kept of a batch as a whole."""
    batch = r.table.batch.id
    run = await r.ask("batches.begin_run", batch, pid=1, host="here")
    await r.ask("batches.end_run", run, 0)
    await r.ask("batches.latest_run")
    await r.ask("overview.batch_ids")
    for asked in ("last_run", "failures", "image_count", "images"):
        await r.ask(f"overview.{asked}", batch)
    await r.ask("overview.images", batch, everything=True)
    await r.ask("preview.throughput", ORIGIN)
    await r.ask("preview.latest_prices", ORIGIN)
    await r.ask("batches.pause", batch, PauseReason.GUARD, "why")
    await r.ask("batches.unpause", batch)
    await r.ask("batches.hold", batch, "why")
    await r.ask("batches.end_free_pause", batch)
    await r.ask("batches.lower", batch, {"rate": 1.0}, {"rate": None})
    await r.ask("batches.resume", batch)
    await r.ask("batches.note_prices", batch, {MODEL: Decimal(1)})
    await r.ask("batches.tune", batch, {"rate": 1.0})
    await r.ask("batches.get", batch)
    await r.ask("batches.find", "many")
    await r.ask("batches.loadable", "many", str(SHEET), ORIGIN, is_copy=False)
    for name in ("many", None):
        await r.ask("batches.named", name)


async def _witness(r: Recorder) -> None:
    """The table held against journals that know more than it does."""
    await r.load("healed", _sheet("w", says="healed", many=9))
    await r.table.bring("w1", S.UNCONFIRMED)
    (attempt,) = r.table.attempts((await r.table.job("w1")).id)
    record = SubmitRecord("f" * 32, "healed 0", "healed", "w0", "", NIGHT)
    accepted = SubmitEnd(Answered.ACCEPTED, NIGHT, "healed-1")
    records = [
        replace(record, end=accepted),
        replace(record, uid=attempt["uid"], end=SubmitEnd(Answered.ACCEPTED, NIGHT, "healed-2")),
        replace(record, uid="e" * 32, fingerprint="healed 3", key="gone"),
        replace(record, uid="d" * 32, fingerprint="nobody's"),
    ]
    assert len(await r.ask("witness.unknown", records)) == 3
    healed = await r.ask("witness.heal", ORIGIN, records, NIGHT)
    assert [*map(len, (healed.found, healed.completed, healed.doubtful, healed.unmatched))] == [1, 1, 1, 1]
    await r.ask("witness.settled", [attempt["uid"]])
    await r.ask("witness.database_uid")
    await r.ask("batches.retirement")
    for _ in range(2):
        await r.ask("witness.settle_journal", "a.journal", "stamp")
        await r.ask("witness.settle_journal_to", "a.journal", SettledTo(1, (0,)))
    await r.ask("witness.known_journals")


async def _accounts(r: Recorder) -> None:
    """What nights found out of an account."""
    for limit in (FoundLimit(22), FoundLimit(10, 10)):
        await r.ask("accounts.note_limit", "an account", ["b", "a"], limit)
        assert await r.ask("accounts.limit", "an account", ["a", "c"]) == limit
    await r.ask("accounts.note_limit", "an account", ["c"], FoundLimit(4))
    assert await r.ask("accounts.limit", "an account", ["a", "c"]) == FoundLimit(4)
    assert await r.ask("accounts.limit", "an account", ["d"]) is None
    assert await r.ask("accounts.limit", "another", ["a", "b"]) is None
    batch = await r.load("limited", _sheet("limited", many=9))
    await r.table.store.batches.agree(batch)
    account = await r.ask("accounts.enter", "an account", batch)
    assert await r.ask("accounts.of_batch", batch) == account
    limits = {"in_flight_max": 2, "gate": 4, "per_minute": 60.0, "budget": Decimal(9)}
    await r.ask("accounts.set_limits", "an account", limits)
    terms = SubmitTerms(account.id, batch, Decimal(9), 4)
    doubted, first, second = [job async for job in r.table.store.jobs.each(batch)][:3]
    await r.ask("jobs.claim", claimed(doubted.id), terms)
    await r.ask("jobs.apply", outcome_of(M.UNCONFIRMED, doubted.id))
    assert isinstance(await r.ask("jobs.claim", claimed(first.id), terms), NotAdmitted)
    cleared = replace(terms, cleared=NIGHT)
    for wait in (0, 2):
        r.table.clock.advance(wait)
        answer = await r.ask("jobs.claim", claimed(first.id), cleared)
    assert isinstance(answer, Intent)
    r.table.clock.advance(2)
    assert isinstance(await r.ask("jobs.claim", claimed(second.id), cleared), NotAdmitted)
    await r.ask("accounts.cool_down", account.id, 60.0)
    assert len(await r.ask("accounts.all")) == 1
