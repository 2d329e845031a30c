"""The table as it was last committed, and the rules for every step from one commit to the next."""

import sqlite3
from collections import Counter
from typing import NamedTuple

from jobs.states import AT_THE_API, ENDED, MOVES, JobState
from tests.simulation.history import History
from tests.simulation.process import Process

_S = JobState

STEPS = {(source, target) for sources, target in MOVES.values() for source in sources} | {
    (_S.RUNNING, _S.QUEUED),  # failed at the API and queued again, as --max-attempts allows
    (_S.SUBMITTING, _S.CANCELLED),  # surely not accepted, and cancelled meanwhile
    (_S.UNCONFIRMED, _S.CANCELLED),  # the same, once the API said that it does not know what a 429 named
}
"""What one transaction may do to a job: the moves, and two pairs of them."""

HEALED_STEPS = {(_S.QUEUED, target) for target in (_S.RUNNING, _S.UNCONFIRMED)}
"""What a witness may do to a job as well, once files were lost: it was sent, and the table did not know."""

PAID = AT_THE_API | {_S.SUBMITTING, _S.SUCCEEDED, _S.UNCONFIRMED}

_JOBS = "SELECT id, key, state, authorised, failed_runs, same_as FROM job"
_ATTEMPTS = "SELECT id, job_id, outcome, request_id, payload_sha256 FROM attempt"
_PAUSES = "SELECT paused_reason FROM batch"


class Row(NamedTuple):
    """A job."""

    id: int
    key: str
    state: JobState
    authorised: int
    failed_runs: int
    same_as: int | None


class Line(NamedTuple):
    """An attempt."""

    id: int
    job_id: int
    outcome: str
    request_id: str | None
    payload_sha256: str


class Committed:
    """Looks after every commit, on the very connection that made it."""

    def __init__(self, history: History) -> None:
        self.jobs: dict[int, Row] = {}
        self.attempts: dict[int, Line] = {}
        self.paused: str | None = None
        self.paused_by: Process | None = None
        self.pauses = 0
        """How often the pause has changed."""
        self.automatic: Counter[str] = Counter()
        """What the runner had sent again by itself: `resubmits` of a batch, `job N` for its failed runs."""
        self._steps = STEPS
        self._history = history

    @property
    def intents(self) -> set[str]:
        """Hashes of the payloads that may leave now."""
        open_jobs = {job.id for job in self.jobs.values() if job.state is _S.SUBMITTING}
        return {
            attempt.payload_sha256
            for attempt in self.attempts.values()
            if attempt.outcome == "intent" and attempt.job_id in open_jobs
        }

    def sent_beside(self, payload_sha256: str) -> list[str]:
        """Jobs that say the same as what leaves now, and are paid, or may be."""
        senders = {line.job_id for line in self.attempts.values() if line.payload_sha256 == payload_sha256}
        states = [self.jobs[job_id].state for job_id in senders]
        paid = [state for state in states if state in PAID]
        return [str(state) for state in paid if state is not _S.SUBMITTING or states.count(state) > 1]

    def states(self) -> Counter[JobState]:
        """How many jobs stand where, whether the sheet still has them or not."""
        return Counter(job.state for job in self.jobs.values())

    def waiting_for_nobody(self) -> set[JobState]:
        """Where the jobs stand that do not wait for a person to decide about the one that says the same."""
        return {
            job.state
            for job in self.jobs.values()
            if job.same_as is None
            or job.state is not _S.QUEUED
            or self.jobs[job.same_as].state is not _S.UNCONFIRMED
        }

    def begin_anew(self, connection: sqlite3.Connection) -> None:
        """Another database is in this one's place: it is taken as it is."""
        self._steps = STEPS | HEALED_STEPS
        self.jobs, self.attempts, self.paused = _read(connection)
        self.paused_by = None
        self.pauses += 1

    def look(self, process: Process | None, connection: sqlite3.Connection) -> None:
        """After a commit: what changed, and whether it may."""
        jobs, attempts, paused = _read(connection)
        self._check_jobs(process, jobs, self._healed(attempts))
        self._check_attempts(attempts)
        if paused != self.paused:
            self._history.note(f"pause {self.paused} -> {paused}")
            self.paused, self.paused_by = paused, process
            self.pauses += 1
        self.jobs, self.attempts = jobs, attempts

    def _healed(self, attempts: dict[int, Line]) -> set[int]:
        """Jobs whose submit has got its request_id just now: a receipt is proof, whatever was decided."""
        return {
            now.job_id
            for number, now in attempts.items()
            if now.request_id is not None
            and (before := self.attempts.get(number)) is not None
            and before.request_id is None
        }

    def _check_jobs(self, process: Process | None, jobs: dict[int, Row], healed: set[int]) -> None:
        decided = process is not None and process.decides
        assert self.jobs.keys() <= jobs.keys(), "I3: a job is gone from the table"
        for job in jobs.values():
            before = self.jobs.get(job.id)
            if before is None:
                assert job.state is _S.QUEUED, f"I5: a job begins as {job.state}"
                self._history.note(f"{job.key} ({job.id}) is new")
                continue
            if before.state is not job.state:
                self._history.note(f"{job.key} ({job.id}) {before.state} -> {job.state}")
                step = (before.state, job.state)
                assert step in self._steps, f"I5: {job.key} went from {step[0]} to {step[1]}"
                assert before.state not in ENDED or decided or job.id in healed, (
                    f"I5: {job.key} did not stay ended"
                )
            if job.authorised != before.authorised and not decided:
                assert job.authorised == before.authorised + 1, "I1: allowed more than once at a time"
                self.automatic[f"job {job.id}" if job.failed_runs > before.failed_runs else "resubmits"] += 1

    def _check_attempts(self, attempts: dict[int, Line]) -> None:
        for before in self.attempts.values():
            now = attempts.get(before.id)
            if before.request_id is not None:
                assert now is not None, f"I3: {before.request_id} is gone from the ledger"
                assert now.request_id == before.request_id, f"I4: {before.request_id} was overwritten"
            if now is not None:
                assert (now.job_id, now.payload_sha256) == (before.job_id, before.payload_sha256), "I4"


def _read(connection: sqlite3.Connection) -> tuple[dict[int, Row], dict[int, Line], str | None]:
    jobs = {row[0]: Row(row[0], row[1], _S(row[2]), *row[3:]) for row in connection.execute(_JOBS)}
    attempts = {row[0]: Line(*row) for row in connection.execute(_ATTEMPTS)}
    return jobs, attempts, next((row[0] for row in connection.execute(_PAUSES)), None)
