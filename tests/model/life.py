"""A model of the job's life, small enough to be searched to the end: two jobs, two processes, the API, what
stands in front of it, and a person.

Moves are those of `jobs.states.MOVES`; what an answer leads to is read by the run's own table of answers from
the dresses that gateways wear. Only what the store adds to a move (`apply`) is written a second time, and
`test_life` holds it against a real table. Money is counted in submits: an attempt leaves once.

Two processes: either may claim, die at any time, or settle what looks interrupted, also while the other one
is at work (a lock that was deleted, or that a file system ignores).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from jobs.attempts import IN_DOUBT, SubmitOutcome
from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from jobs.states import ENDED, MOVES, JobState, Move
from runner.http.replies import Answer
from runner.providers.base import Denied, Stopped, SubmitVerdict, Taken, TurnedAway, Unconfirmed
from runner.providers.runcomfy.submit_answers import Unauthorised, read_submit
from tests.simulation.gateway import BEFORE, EVER, NAMING

S = JobState
Out = SubmitOutcome

_NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
_RECEIPT = b'{"request_id": "r-1", "status": "in_queue"}'


# -- what may be answered ---------------------------------------------------------------------------------


class Reading(NamedTuple):
    """What a run does with an answer, as far as the job's life goes."""

    kind: str
    """accepted, not_accepted, refused or unconfirmed."""
    names_id: bool = False
    """An unconfirmed answer that holds the id."""
    if_unknown: bool = False
    """One that is turned away where the API does not know the id."""
    pauses: PauseReason | None = None


@cache
def before() -> frozenset[Reading]:
    """Answers that something gives before the API has accepted, or the API where it does not."""
    own = (
        Answer(503, {"retry-after": "1"}, b'{"error_code": 503001, "error_message": "busy"}'),
        Answer(400, {}, b'{"error_code": 400001, "error_message": "no such size"}'),
        Answer(400, {}, b'{"error_code": 400002, "error_message": "no balance"}'),
    )
    dresses = (Answer(dress.status, dress.headers, dress.body) for dress in (*BEFORE, *EVER))
    return frozenset(reading for answer in (*own, *dresses) for reading in _read(answer))


@cache
def after() -> frozenset[Reading]:
    """Answers that may come once the API has accepted: its receipt, in any dress, a page, or none."""
    rewritten = (dress(_RECEIPT, "r-1") for dress in NAMING)
    dresses = (Answer(dress.status, dress.headers, dress.body) for dress in (*EVER, *rewritten))
    answers = (Answer(200, {}, _RECEIPT), *dresses)
    return frozenset(reading for answer in answers for reading in _read(answer)) | {Reading("unconfirmed")}


def _read(answer: Answer) -> Iterator[Reading]:
    verdict = read_submit(answer, _NOW)
    if isinstance(verdict, Unauthorised):  # the token is good: a free question is answered, or gets a page
        yield Reading("refused")
        yield Reading("unconfirmed")
    else:
        yield reading_of(verdict)


def reading_of(verdict: SubmitVerdict) -> Reading:
    """What a verdict comes to. Every class of verdict has its line."""
    match verdict:
        case Taken():
            return Reading("accepted")
        case TurnedAway():
            return Reading("not_accepted")
        case Denied():
            return Reading("refused")
        case Stopped(reason=reason):
            return Reading("not_accepted", pauses=reason)
        case Unconfirmed(named_id=named_id, if_unknown=if_unknown):
            return Reading("unconfirmed", named_id is not None, if_unknown is not None)


class Bounds(NamedTuple):
    """What ends a search."""

    submits: tuple[int, ...]
    """How many submits of each job may have been accepted or be in doubt. What was turned away is not
    counted, and may come again and again."""
    decisions: int
    """How often a person has something sent again."""


ONE_JOB = Bounds((2,), 2)
TWO_JOBS = Bounds((1, 1), 1)
LARGER = (Bounds((3,), 2), Bounds((2, 1), 1))
"""Some hundred thousand states each: minutes."""


# -- the state of everything ------------------------------------------------------------------------------


class Attempt(NamedTuple):
    """One submit of a job. Its id is its place among the job's submits, counted over those that left."""

    outcome: Out
    sent: int
    """Which of the job's submits it is; the API's id has the same number."""
    holds: int | None = None
    """The id that it holds."""
    names: int | None = None
    """The id that its answer named."""
    if_unknown: bool = False
    """Whether that answer turned it away, where the API does not know the id."""


class Job(NamedTuple):
    """A job in the table."""

    state: S = S.QUEUED
    agreed: bool = True
    kind: FailureKind | None = None
    authorised: int = 0
    attempts: tuple[Attempt, ...] = ()

    @property
    def newest(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    def with_newest(self, attempt: Attempt) -> "Job":
        return self._replace(attempts=(*self.attempts[:-1], attempt))


class Submitting(NamedTuple):
    """A process with a submit in its hands."""

    job: int
    sent: int
    answer: Reading | None = None
    """None: it has claimed, and the POST has not left yet."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything."""

    jobs: tuple[Job, ...]
    processes: tuple[Submitting | None, ...] = (None, None)
    accepted: frozenset[tuple[int, int]] = frozenset()
    """By job and number: what the API has accepted, and knows."""
    spool: frozenset[tuple[int, int]] = frozenset()
    decisions: int = 0

    def free_number(self, job: int) -> int:
        """A number for a job's next submit: one that nothing knows of."""
        known = {sent for which, sent in self.accepted | self.spool if which == job}
        known |= {process.sent for process in self.processes if process is not None and process.job == job}
        known |= {attempt.sent for attempt in self.jobs[job].attempts}
        return next(number for number in range(1, 99) if number not in known)


# -- what the store does with a move ----------------------------------------------------------------------


def apply(
    job: Job,
    move: Move,
    *,
    sent: int = 0,
    told: bool = True,
    by_uid: bool = False,
    if_unknown: bool = False,
    kind: FailureKind | None = None,
) -> Job | None:
    """The job after a move; None where the table does not make it. `sent` is the id of a receipt."""
    sources, target = MOVES[move]
    newest = job.newest
    if job.state not in sources:
        return None
    moved = job._replace(state=target, kind=None)
    match move:
        case Move.CLAIM:
            if not job.agreed:
                return None
            claimed = Attempt(Out.INTENT, sent)
            return moved._replace(agreed=False, attempts=(*job.attempts, claimed))
        case Move.ACCEPTED:
            if newest is None or newest.sent != sent:
                return None
            return moved.with_newest(newest._replace(outcome=Out.ACCEPTED, holds=sent))
        case Move.NOT_ACCEPTED:
            if not told and job.state is not S.SUBMITTING:
                return None
            return moved._replace(agreed=True, attempts=job.attempts[:-1])
        case Move.REFUSED:
            assert newest is not None
            return moved._replace(kind=FailureKind.REFUSED).with_newest(newest._replace(outcome=Out.REFUSED))
        case Move.UNCONFIRMED:
            assert newest is not None
            return moved._replace(kind=FailureKind.UNCONFIRMED).with_newest(
                newest._replace(outcome=Out.UNCONFIRMED, names=sent or None, if_unknown=if_unknown)
            )
        case Move.ATTACH:
            return _attached(job, moved, sent, by_uid=by_uid)
        case Move.REOPEN:
            return moved if newest is not None and newest.holds is not None else None
        case Move.RESUBMIT | Move.DISCARD:
            assert newest is not None
            outcome = Out.RESUBMITTED if move is Move.RESUBMIT else Out.DISCARDED
            decided = moved.with_newest(newest._replace(outcome=outcome))
            return _again(decided) if move is Move.RESUBMIT else decided._replace(kind=FailureKind.DISCARDED)
        case Move.REQUEUE:
            return _again(moved)
        case Move.LINK:
            return None  # no two jobs say the same here
        case _:
            return moved._replace(kind=kind)


def _again(job: Job) -> Job:
    return job._replace(agreed=True, authorised=job.authorised + bool(job.attempts))


def _attached(job: Job, moved: Job, sent: int, *, by_uid: bool) -> Job | None:
    attempts, newest = list(job.attempts), job.newest
    place = _place_of(job, sent)
    if by_uid and (newest is None or newest.sent != sent or place not in {None, len(attempts) - 1}):
        return None
    if place is not None and place < len(attempts) - 1:  # the two change places, and nothing is added
        if job.state is S.UNCONFIRMED:
            return None
        attempts[place], attempts[-1] = attempts[-1], attempts[place]
        return _holding(moved._replace(attempts=tuple(attempts)), sent)
    in_doubt = newest is not None and newest.outcome in IN_DOUBT
    lost = job.kind in {FailureKind.LOST, FailureKind.DISCARDED}
    if job.state is S.FAILED and not (by_uid or in_doubt or lost):
        return None
    if place is not None:
        return _holding(moved, sent)
    found = Attempt(Out.ACCEPTED, sent, holds=sent)
    authorised = job.authorised + bool(job.attempts)
    return moved._replace(attempts=(*job.attempts, found), authorised=authorised)


def _place_of(job: Job, sent: int) -> int | None:
    """The place of the attempt that has an id, else of the newest in doubt; None for a new one."""
    has_it = [place for place, attempt in enumerate(job.attempts) if attempt.holds == sent]
    doubts = [place for place, attempt in enumerate(job.attempts) if attempt.outcome in IN_DOUBT]
    return next(iter([*has_it, *reversed(doubts)]), None)


def _holding(job: Job, sent: int) -> Job:
    assert job.newest is not None
    return job.with_newest(job.newest._replace(outcome=Out.ACCEPTED, holds=sent))


# -- what may happen next ---------------------------------------------------------------------------------

ENDS: tuple[tuple[Move, FailureKind | None], ...] = (
    (Move.UNSENDABLE, FailureKind.REFUSED),
    (Move.REMOTE_DONE, None),
    (Move.REMOTE_FAILED, FailureKind.REMOTE_FAILED),
    (Move.REMOTE_FAILED, FailureKind.LOST),
    (Move.REMOTE_CANCELLED, FailureKind.CANCELLED),
    (Move.LINKS_EXPIRED, None),
    (Move.FETCHED, None),
    (Move.FETCH_FAILED, FailureKind.BAD_PICTURE),
    (Move.CANCEL, FailureKind.CANCELLED),
)
"""Moves that need nothing but their state: the API, the disk, a person who cancels."""


def steps(w: World, bounds: Bounds) -> Iterator[tuple[str, World]]:
    """Everything that may happen next, each with its name."""
    for number, process in enumerate(w.processes):
        yield from _process(w, number, process, bounds)
    yield from _settle(w)
    for number, job in enumerate(w.jobs):
        for move, kind in ENDS:
            moved = apply(job, move, kind=kind)
            if moved is not None:
                yield f"job {number}: {move} {kind or ''}", _with_job(w, number, moved)
        yield from _person(w, number, job, bounds)
        yield from _asked(w, number, job)


def _with_job(w: World, number: int, job: Job, **more: object) -> World:
    jobs = (*w.jobs[:number], job, *w.jobs[number + 1 :])
    return replace(w, jobs=jobs, **more)  # type: ignore[arg-type]


def _with_process(w: World, number: int, process: Submitting | None, **more: object) -> World:
    """Two processes are alike: only what they have in their hands tells them apart."""
    processes = tuple(sorted((*w.processes[:number], process, *w.processes[number + 1 :]), key=repr))
    return replace(w, processes=processes, **more)  # type: ignore[arg-type]


def _process(
    w: World, number: int, process: Submitting | None, bounds: Bounds
) -> Iterator[tuple[str, World]]:
    if process is None:
        for which, job in enumerate(w.jobs):
            sent = w.free_number(which)
            claimed = apply(job, Move.CLAIM, sent=sent)
            if claimed is not None and len(job.attempts) < bounds.submits[which]:
                taken = _with_process(w, number, Submitting(which, sent))
                yield f"process {number} claims job {which}", _with_job(taken, which, claimed)
        return
    yield f"process {number} dies", _with_process(w, number, None)
    if process.answer is None:
        for reading in before():
            answered = process._replace(answer=reading)
            yield f"process {number} hears before: {reading}", _with_process(w, number, answered)
        accepted = w.accepted | {(process.job, process.sent)}
        for reading in after():
            answered = process._replace(answer=reading)
            heard = _with_process(w, number, answered, accepted=accepted)
            yield f"process {number} hears after: {reading}", heard
        return
    yield f"process {number} records", _recorded(_with_process(w, number, None), process, process.answer)


def _recorded(w: World, process: Submitting, answer: Reading) -> World:
    number, job = process.job, w.jobs[process.job]
    is_mine = job.newest is not None and job.newest.sent == process.sent
    if answer.kind == "accepted":
        moved = apply(job, Move.ACCEPTED, sent=process.sent)
        if moved is None:  # the table does not take it: it is kept beside it
            return replace(w, spool=w.spool | {(number, process.sent)})
        return _with_job(w, number, moved)
    if job.state is not S.SUBMITTING or not is_mine:
        return w  # somebody else has settled it: the run stops there, and changes nothing
    names = process.sent if answer.names_id else 0
    moved = apply(job, Move(answer.kind), sent=names, if_unknown=answer.if_unknown)
    assert moved is not None
    return _with_job(w, number, moved)


def _settle(w: World) -> Iterator[tuple[str, World]]:
    """The start of a run, or of `review`: whatever is `submitting` was interrupted; receipts are taken up."""
    settled = w
    for number, job in enumerate(w.jobs):
        if job.state is S.SUBMITTING:
            moved = apply(job, Move.UNCONFIRMED)
            assert moved is not None
            settled = _with_job(settled, number, moved)
    for number, sent in sorted(w.spool):
        moved = apply(settled.jobs[number], Move.ATTACH, sent=sent, by_uid=True)
        if moved is not None:
            settled = _with_job(settled, number, moved, spool=settled.spool - {(number, sent)})
    if settled != w:
        yield "a start settles", settled


def _asked(w: World, number: int, job: Job) -> Iterator[tuple[str, World]]:
    """The API is asked for an id that an answer named; it knows what it has accepted."""
    newest = job.newest
    if job.state is not S.UNCONFIRMED or newest is None or newest.names is None:
        return
    moved: Job | None = None
    if (number, newest.names) in w.accepted:
        moved = apply(job, Move.ACCEPTED, sent=newest.names)
    elif newest.if_unknown:
        moved = apply(job, Move.NOT_ACCEPTED)
    if moved is not None:
        yield f"job {number}: asked for {newest.names}", _with_job(w, number, moved)


def _person(w: World, number: int, job: Job, bounds: Bounds) -> Iterator[tuple[str, World]]:
    discarded = apply(job, Move.DISCARD)
    if discarded is not None:
        yield f"job {number}: discarded", _with_job(w, number, discarded)
    reopened = apply(job, Move.REOPEN)
    if reopened is not None and job.kind in {None, FailureKind.LOST, FailureKind.BAD_PICTURE}:
        yield f"job {number}: fetched again", _with_job(w, number, reopened)
    for which, sent in sorted(w.accepted):
        if which == number:
            attached = apply(job, Move.ATTACH, sent=sent)
            if attached is not None:
                yield f"job {number}: attached {sent}", _with_job(w, number, attached)
    if w.decisions < bounds.decisions:
        for move in (Move.RESUBMIT, Move.REQUEUE):
            again = apply(job, move)
            if again is not None:
                yield f"job {number}: {move}", _with_job(w, number, again, decisions=w.decisions + 1)


# -- what must be true ------------------------------------------------------------------------------------


def violation(w: World) -> str | None:
    """The promise that a state breaks; None where all hold."""
    for number, job in enumerate(w.jobs):
        accepted = {sent for which, sent in w.accepted if which == number}
        if len(accepted) > 1 + job.authorised:
            return f"job {number} was accepted {len(accepted)} times, and allowed {1 + job.authorised}"
        in_hand = {p.sent for p in w.processes if p is not None and p.job == number}
        stored = {attempt.holds for attempt in job.attempts} | {attempt.names for attempt in job.attempts}
        stored |= {sent for which, sent in w.spool if which == number}
        doubts = sum(attempt.outcome in IN_DOUBT for attempt in job.attempts)
        # A person cannot tell which of two submits an id on the dashboard belongs to: doubts are counted.
        if len(lost := accepted - in_hand - stored) > doubts:
            return f"job {number}: {lost} were accepted, and nobody knows"
    return None


def paused_by_a_row(w: World) -> str | None:
    """Whether one row's answer stops the others although the token is good."""
    readings = [process.answer for process in w.processes if process is not None and process.answer]
    token = [reading for reading in readings if reading.pauses is PauseReason.TOKEN]
    return f"{token[0]} stops the batch" if token else None


@dataclass(slots=True)
class Found:
    """What a search came to."""

    states: int = 0
    steps: int = 0
    violations: list[str] = field(default_factory=list)
    stuck: int = 0
    """States from which a job that has not ended cannot be brought to an end by moves of its own."""


def search(bounds: Bounds, most: int = 1_000_000) -> Found:
    """Visit every state that can be reached."""
    begin = World(tuple(Job() for _ in bounds.submits))
    came_from: dict[World, tuple[str, World] | None] = {begin: None}
    waiting = deque([begin])
    found = Found()
    while waiting:
        w = waiting.popleft()
        found.states += 1
        assert found.states <= most, "the model has grown out of its bounds"
        broken = violation(w) or paused_by_a_row(w)
        if broken is not None:
            found.violations.append(f"{broken}: {' > '.join(_path(w, came_from))}")
            continue
        found.stuck += any(not way_out(w, number) for number in range(len(w.jobs)))
        for name, then in steps(w, bounds):
            found.steps += 1
            if then not in came_from:
                came_from[then] = (name, w)
                waiting.append(then)
    return found


def _path(w: World, came_from: dict[World, tuple[str, World] | None]) -> list[str]:
    names: list[str] = []
    while (step := came_from[w]) is not None:
        name, w = step
        names.insert(0, name)
    return names


def way_out(w: World, number: int) -> bool:
    """Whether a job can be brought to an end from here, whatever becomes of the other one."""
    job = w.jobs[number]
    held = any(process is not None and process.job == number for process in w.processes)
    return _ends(job, held=held)


@cache
def _ends(job: Job, *, held: bool) -> bool:
    """A command or the API ends it; a submit is recorded by its process, or settled by the next start."""
    if job.state in ENDED:
        return True
    if job.state is S.SUBMITTING:
        settled = apply(job, Move.UNCONFIRMED)
        return settled is not None and _ends(settled, held=held)
    exits = (Move.DISCARD, Move.CANCEL, Move.REMOTE_FAILED, Move.FETCH_FAILED)
    return any(apply(job, move) is not None for move in exits)
