"""The store: loads, edits, claims, outcomes, cancels, decisions, pauses and crashes in any order.

A model says what each call has to answer; what is on disk says whether the promises hold. The database is
closed and opened again in between, so that nothing is remembered but what is written.
"""

import asyncio
import json
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from jobs.attempts import PAID_OR_MAYBE
from jobs.failures import Failure, FailureKind
from jobs.ledger import balance
from jobs.outcomes import Attached, Outcome, Resubmitted
from jobs.pauses import UNTIL_RESUMED, PauseReason
from jobs.states import ENDED, MOVES, JobState, Move
from jobs.store.store import Store
from jobs.views import FRONT, BatchView, Receipt
from runner.planning.dedupe import links_among
from tests.property.searching import budget
from tests.support.postgres import ON_BOTH
from tests.support.tables import (
    ORIGIN,
    WAYS,
    WallClock,
    claimed,
    opened_database,
    outcome_of,
    picture,
    planned,
    select,
)

KEYS = ("a", "A", "b", "c")
EDITS = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2), min_size=1, max_size=2)
"""Of the rows' prompts; the edition 0 is no row."""
STATES = st.fixed_dictionaries({"a": st.sampled_from(list(JobState)), "b": st.sampled_from(list(JobState))})
SOME = st.none() | st.lists(st.sampled_from(KEYS), unique=True)
INTERRUPTED = Failure(FailureKind.UNCONFIRMED, "cut off")
FREE_MOVES = [move for move in Move if move is not Move.CLAIM]
NOT_OF_A_RUN = (Move.CANCEL, Move.UNSENDABLE, Move.LINK, Move.REOPEN)
BY_A_LOAD = {
    (JobState.QUEUED, JobState.CANCELLED),
    (JobState.CANCELLED, JobState.QUEUED),
    (JobState.FAILED, JobState.QUEUED),
}
"""Moves of jobs that were never sent, when their row goes, comes back, or changes."""
GRAPH = {(source, target) for sources, target in MOVES.values() for source in sources} | {
    (state, JobState.CANCELLED)  # turned away, and somebody wanted it cancelled meanwhile
    for state in (JobState.SUBMITTING, JobState.UNCONFIRMED)
}


class Opened:
    """A database that is opened and closed by the machine, on a loop of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = WallClock()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.numbers = count(1)
        self.open()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def open(self) -> None:
        database = self.do(self.stack.enter_async_context(opened_database(self.path)))
        self.store = Store(database, self.clock.now)

    def reopen(self) -> None:
        self.do(self.stack.aclose())
        self.open()

    def close(self) -> None:
        self.do(self.stack.aclose())
        self.runner.close()


class StoreMachine(RuleBasedStateMachine):
    """One batch, and what must be true of it."""

    opened: ClassVar[Opened]

    def __init__(self) -> None:
        super().__init__()
        self.name = f"batch-{next(self.opened.numbers)}"
        self.before: dict[int, dict[str, Any]] = {}
        self.ids: dict[int, tuple[int, str]] = {}
        self.paused: PauseReason | None = None
        self.batch: BatchView | None = None
        self.sheet: dict[str, int] = {"a": 1, "b": 1}
        self.load()

    # -- ways to look ------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        return self.opened.store

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.opened.do(work)

    @property
    def batch_id(self) -> int:
        assert self.batch is not None
        return self.batch.id

    def jobs(self) -> dict[int, dict[str, Any]]:
        if self.batch is None:
            return {}
        found = select(self.opened.path, "SELECT * FROM job WHERE batch_id = ? ORDER BY id", self.batch_id)
        return {job["id"]: job for job in found}

    def attempts(self) -> list[dict[str, Any]]:
        wanted = (
            "SELECT attempt.* FROM attempt JOIN job ON job.id = job_id WHERE batch_id = ? ORDER BY number"
        )
        return select(self.opened.path, wanted, self.batch_id)

    def chosen(self, number: int) -> dict[str, Any] | None:
        jobs = list(self.jobs().values())
        return jobs[number % len(jobs)] if jobs else None

    # -- what is done ------------------------------------------------------------------------------------

    @initialize(states=STATES)
    def begin(self, states: dict[str, JobState]) -> None:
        """As a run may have left it."""
        self.do(self.store.batches.agree(self.batch_id))
        for job in self.jobs().values():
            for move in WAYS[states[job["key"]]]:
                self.make(job["id"], move)
        self.before = self.jobs()

    def make(self, job_id: int, move: Move) -> bool:
        if move is Move.CLAIM:
            return self.do(self.store.jobs.claim(claimed(job_id, self.opened.clock.at))) is not None
        request_id = f"req-{next(self.opened.numbers)}"
        outcome = outcome_of(move, job_id, request_id=request_id, at=self.opened.clock.at)
        return bool(self.do(self.store.jobs.apply(outcome)))

    @rule(number=st.integers(0, 400))
    def go_on(self, number: int) -> None:
        """A move that fits, of those that a run makes."""
        fitting = [
            (job["id"], move)
            for job in self.jobs().values()
            for move in Move
            if job["state"] in MOVES[move][0]
            and move not in NOT_OF_A_RUN
            and not (move is Move.ATTACH and job["state"] in ENDED)
        ]
        if fitting:
            job_id, move = fitting[number % len(fitting)]
            if move is Move.CLAIM:
                self.do(self.store.batches.agree(self.batch_id))
            job = self.jobs()[job_id]
            held = move is Move.CLAIM and (
                job["cancel_requested"] or not job["current"] or job["same_as"] is not None
            )
            assert self.make(job_id, move) is not held

    @rule(edits=EDITS)
    def edit(self, edits: dict[str, int]) -> None:
        self.sheet = {key: edition for key, edition in (self.sheet | edits).items() if edition}
        self.load()

    def load(self) -> None:
        sheet = list(self.sheet.items())
        rows = [planned(key, place, prompt=f"says {edition}") for place, (key, edition) in enumerate(sheet)]
        before = self.jobs()
        self.batch, report = self.do(
            self.store.batches.load(name=self.name, sheet=Path(self.name), origin=ORIGIN, planned=rows)
        )
        jobs = self.jobs()
        current = sorted((j for j in jobs.values() if j["current"]), key=lambda job: job["position"])
        assert [(j["key"], j["fingerprint"]) for j in current] == [(r.key, r.fingerprint) for r in rows]
        assert report.total == report.new + report.changed + report.unchanged == len(rows)
        for number, was in before.items():
            if was["attempts"]:  # what was sent is not touched by an edit, but for its place in the queue
                assert jobs[number]["inputs"] == was["inputs"]
                assert jobs[number]["state"] == was["state"] or JobState.QUEUED in (
                    was["state"],
                    jobs[number]["state"],
                )
        self.before = {} if not before else self.after_a_load(before, jobs)

    def after_a_load(
        self, before: dict[int, dict[str, Any]], jobs: dict[int, dict[str, Any]]
    ) -> dict[int, dict[str, Any]]:
        for number, was in before.items():
            moved = (JobState(was["state"]), JobState(jobs[number]["state"]))
            assert moved[0] is moved[1] or moved in BY_A_LOAD, moved
        return jobs

    @rule()
    def agree(self) -> None:
        waiting = [
            j
            for j in self.jobs().values()
            if j["current"] and j["state"] == "queued" and j["same_as"] is None
        ]
        agreed = self.do(self.store.batches.agree(self.batch_id))
        assert agreed == sum(not job["agreed"] for job in waiting)

    @rule(number=st.integers(0, 20))
    def claim(self, number: int) -> None:
        """Of what is queued, agreed to or not; of anything, where nothing is."""
        queued = [job for job in self.jobs().values() if job["state"] == JobState.QUEUED]
        job = queued[number % len(queued)] if queued else self.chosen(number)
        if job is None:
            return
        may = bool(
            job["state"] == JobState.QUEUED
            and job["current"]
            and job["agreed"]
            and not job["cancel_requested"]
        )
        assert (self.do(self.store.jobs.claim(claimed(job["id"], self.opened.clock.at))) is not None) is may

    @rule(number=st.integers(0, 20), move=st.sampled_from(FREE_MOVES), known_id=st.booleans())
    def happen(self, number: int, move: Move, known_id: bool) -> None:
        """Any outcome for any job; some with a request_id that another row has."""
        job = self.chosen(number)
        if job is None:
            return
        taken = [request_id for _job, request_id in self.ids.values()]
        request_id = taken[0] if known_id and taken else f"req-{next(self.opened.numbers)}"
        outcome: Outcome = outcome_of(move, job["id"], request_id=request_id, at=self.opened.clock.at)
        may = job["state"] in MOVES[move][0]
        if move is Move.REOPEN and may:
            newest = [attempt for attempt in self.attempts() if attempt["job_id"] == job["id"]][-1:]
            may = bool(newest and newest[0]["request_id"])
        if move is Move.LINK:
            twin = self.jobs().get(job["same_as"] or 0)
            may = may and twin is not None and twin["state"] == JobState.SUCCEEDED
        if move in (Move.ACCEPTED, Move.ATTACH):
            may = may and (request_id not in taken or self.has_back(move, job, request_id))
        if move is Move.ATTACH and job["state"] == JobState.FAILED:
            may = may and job["error_kind"] in ("lost", "discarded")
        assert self.do(self.store.jobs.apply(outcome)) is may, (move, job["state"])

    def has_back(self, move: Move, job: dict[str, Any], request_id: str) -> bool:
        """Whether a person gives a job the id that its newest submit has already."""
        own = [attempt for attempt in self.attempts() if attempt["job_id"] == job["id"]]
        return move is Move.ATTACH and bool(own) and own[-1]["request_id"] == request_id

    @rule(number=st.integers(0, 20))
    def two_outcomes_or_none(self, number: int) -> None:
        """A pair of which the second does not fit changes nothing."""
        job = self.chosen(number)
        if job is None:
            return
        before = self.jobs(), self.attempts()
        pair = [outcome_of(Move.CANCEL, job["id"]), outcome_of(Move.FETCHED, job["id"])]
        assert self.do(self.store.jobs.apply(*pair)) is False
        assert (self.jobs(), self.attempts()) == before

    @rule(part=st.none() | st.sets(st.integers(0, 9)))
    def dedupe(self, part: set[int] | None) -> None:
        """Of those that say the same, one is sent for all, or for a part of them."""
        jobs = list(self.jobs())
        within = None if part is None else {jobs[number % len(jobs)] for number in part}
        pairs = [(a.id, b.id) for a, b in links_among(self.do(self.store.links.alike(self.batch_id)), within)]
        self.do(self.store.links.link(pairs))
        after = self.jobs()
        assert all(after[job_id]["same_as"] is not None for job_id, _twin in pairs)

    @rule()
    def settle_links(self) -> None:
        """What waits shares the end of what it waits for; nothing waits for what will never come."""
        before = self.jobs()
        heirs = self.do(self.store.links.settle(self.batch_id))
        jobs = self.jobs()
        assert heirs == sum(
            job["same_as"] is None and before[number]["same_as"] is not None for number, job in jobs.items()
        )
        for number, job in jobs.items():
            if job["same_as"] is not None and job["state"] == JobState.QUEUED:
                twin = jobs[job["same_as"]]
                assert JobState(twin["state"]) not in ENDED
                assert twin["inputs"] == job["inputs"]
            if job["state"] != before[number]["state"]:
                assert job["state"] == jobs[job["same_as"]]["state"]

    @rule()
    def unlink(self) -> None:
        """Those that wait are jobs of their own again."""
        many = sum(job["same_as"] is not None and job["state"] == "queued" for job in self.jobs().values())
        assert self.do(self.store.links.unlink(self.batch_id)) == many

    @rule(keys=SOME)
    def cancel(self, keys: list[str] | None) -> None:
        meant = [job for job in self.jobs().values() if keys is None or job["key"] in keys]
        states = [job["state"] for job in meant]
        met = self.do(self.store.jobs.cancel(self.batch_id, keys))
        assert met.queued == states.count("queued")
        assert met.asked == states.count("submitting") + states.count("running")

    @rule(keep=st.booleans())
    def crash(self, keep: bool) -> None:
        """The process dies; the next one settles what it left, with a receipt or without."""
        open_now = [job for job in self.jobs().values() if job["state"] == "submitting"]
        receipts = [
            Receipt(job["key"], Attached(job["id"], f"req-{next(self.opened.numbers)}", self.opened.clock.at))
            for job in open_now[:1]
            if keep
        ]
        self.opened.reopen()
        settled = self.do(self.store.witness.settle_interrupted(self.batch_id, INTERRUPTED, receipts))
        assert (settled.unconfirmed, settled.attached) == (len(open_now) - len(receipts), len(receipts))
        again = self.do(self.store.witness.settle_interrupted(self.batch_id, INTERRUPTED, receipts))
        assert (again.unconfirmed, again.attached, again.left) == (0, 0, ())

    @rule(number=st.integers(0, 20))
    def resubmit_by_a_setting(self, number: int) -> None:
        job = self.chosen(number)
        if job is not None:
            at = self.opened.clock.at
            done = self.do(self.store.jobs.apply(Resubmitted(job["id"], at, automatic=True)))
            # A person's wish to have it cancelled beats a setting.
            assert done is (job["state"] == JobState.UNCONFIRMED and not job["cancel_requested"])

    @rule(number=st.integers(0, 20))
    def bring_a_picture_home(self, number: int) -> None:
        job = self.chosen(number)
        if job is None or job["state"] != JobState.FETCHING:
            return
        attempt = [attempt for attempt in self.attempts() if attempt["job_id"] == job["id"]][-1]
        self.do(self.store.ledger.record_image(job["id"], attempt["id"], picture(sha256=f"{number:064x}")))
        kept = self.do(self.store.ledger.images_of(attempt["id"]))
        assert kept[1].sha256 == f"{number:064x}"

    @rule(reason=st.sampled_from(list(PauseReason)))
    def pause(self, reason: PauseReason) -> None:
        self.do(self.store.batches.pause(self.batch_id, reason, "why"))
        self.paused = self.paused if self.paused in UNTIL_RESUMED else reason

    @rule()
    def unpause(self) -> None:
        self.do(self.store.batches.unpause(self.batch_id))
        self.paused = self.paused if self.paused in UNTIL_RESUMED else None

    @rule()
    def resume(self) -> None:
        before = self.do(self.store.batches.get(self.batch_id)).guards_since
        self.do(self.store.batches.resume(self.batch_id))
        now = self.opened.clock.now() if self.paused in UNTIL_RESUMED else before
        assert self.do(self.store.batches.get(self.batch_id)).guards_since == now
        self.paused = None

    @rule(seconds=st.integers(1, 4000))
    def time_passes(self, seconds: int) -> None:
        self.opened.clock.at += timedelta(seconds=seconds)

    # -- what must be true -------------------------------------------------------------------------------

    @invariant()
    def every_job_is_where_it_may_be(self) -> None:
        """Moves of the table alone, each state with what belongs to it."""
        jobs = self.jobs()
        for number, job in jobs.items():
            state = JobState(job["state"])
            was = JobState(self.before[number]["state"]) if number in self.before else JobState.QUEUED
            assert was is state or (was, state) in GRAPH, (was, state)
            ended = state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
            assert (job["finished_at"] is not None) is ended
            wrong = state in (JobState.FAILED, JobState.CANCELLED, JobState.UNCONFIRMED)
            assert (job["error_kind"] is not None) is wrong
            twin = jobs.get(job["same_as"] or 0)
            assert twin is None or (twin["same_as"] is None and job["attempts"] == 0 and not job["agreed"])
        assert len({job["folder"].lower() for job in jobs.values()}) == len(jobs)
        # A row that says what it said before is the job that it was.
        assert len({(job["key"], job["fingerprint"]) for job in jobs.values()}) == len(jobs)
        self.before = jobs

    @invariant()
    def the_ledger_only_grows(self) -> None:
        """A request_id is held for good, by one attempt of one job."""
        now = {a["id"]: (a["job_id"], a["request_id"]) for a in self.attempts() if a["request_id"]}
        assert self.ids.items() <= now.items()
        assert len({request_id for _job, request_id in now.values()}) == len(now)
        self.ids = now

    @invariant()
    def the_books_balance(self) -> None:
        """Sent once, and once more for each time that it was allowed; an open intent is on its way."""
        ledger = self.do(self.store.ledger.attempts(self.batch_id))
        assert balance(ledger).balanced
        paid: dict[tuple[str, str], int] = {}
        allowed: dict[tuple[str, str], int] = {}
        jobs = self.jobs()
        named = {number: (job["key"], job["fingerprint"]) for number, job in jobs.items()}
        for job in jobs.values():
            what = job["key"], job["fingerprint"]
            allowed[what] = allowed.get(what, 1) + job["authorised"]
        for attempt in self.attempts():
            what = named[attempt["job_id"]]
            paid[what] = paid.get(what, 0) + (attempt["outcome"] in PAID_OR_MAYBE)
        refused = {named[a["job_id"]] for a in self.attempts() if a["outcome"] == "refused"}
        for what, times in paid.items():
            assert what in refused or times <= allowed[what], what
        for job in jobs.values():
            own = [a["outcome"] for a in self.attempts() if a["job_id"] == job["id"] and a["number"]]
            assert len(own) == job["attempts"]
            assert own.count("intent") == int(job["state"] == JobState.SUBMITTING)

    @invariant()
    def what_is_counted_is_what_is_there(self) -> None:
        """Whatever was written, in whatever order: the kept counts are those of the rows."""
        assert self.do(self.store.counts.wrong(self.batch_id)) == 0

    @invariant()
    def what_is_told_is_what_is_there(self) -> None:
        """Counts, the queue, the pause."""
        jobs = self.jobs().values()
        counts = self.do(self.store.jobs.counts(self.batch_id))
        assert {state: many for state, many in counts.items() if many} == {
            state: many
            for state in JobState
            if (many := sum(job["current"] and job["state"] == state for job in jobs))
        }
        ever = self.opened.clock.at + timedelta(days=9)
        queued = self.do(self.store.jobs.queued(self.batch_id, after=FRONT, limit=99, now=ever))
        assert [job.id for job in queued] == [
            job["id"] for job in jobs if job["current"] and job["agreed"] and job["state"] == "queued"
        ]
        assert all(json.loads(job.inputs) for job in queued)
        paused = self.do(self.store.batches.get(self.batch_id)).paused
        assert (paused.reason if paused else None) == self.paused
        assert self.do(self.store.ledger.account(self.batch_id)).spent_usd >= Decimal(0)


@pytest.mark.timeout(3600)
@ON_BOTH
def test_the_store_in_any_order(kept_on: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Some lives of a batch, in a file and, fewer, on a server; more with `--slow`."""
    opened = Opened(tmp_path / "night.db")

    class Here(StoreMachine):
        pass

    Here.opened = opened
    try:
        run_state_machine_as_test(
            Here,
            settings=budget(request.config, examples=60 if kept_on == "file" else 15, steps=16, times=10),
        )
    finally:
        opened.close()
