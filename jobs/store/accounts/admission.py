"""Whether the limits of an account let a submit go, decided in the transaction of its intent.

The account's row is locked first, in a statement of its own, and everything is counted in later ones. One
statement that locks, counts and takes would be wrong: a server's statement sees what was committed when it
began, and so not what those have taken whom it waited for.

What is in flight is counted from jobs, and what it costs from the counts that are kept of attempts: nothing
has to be given back, and nothing can be given back twice.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal_column, or_, select, update

from jobs.admission import ACCOUNT_BUDGET, NO_KNOWN_PRICE, Bound, NotAdmitted, SubmitTerms
from jobs.attempts import IN_DOUBT, PAID_OR_MAYBE, Intent, SubmitOutcome
from jobs.outcomes import Claimed
from jobs.states import JobState
from jobs.store.moves import intents
from jobs.store.schema import ACCOUNT, ATTEMPT_TALLY, BATCH, JOB
from jobs.store.sqlite.prepared import Prepared, given

STILL_THERE = timedelta(hours=1)
"""So long a job that nobody has seen end counts as one that the API works on. What was sent further ahead
than that was sent by a clock that has been set back."""
MAY_ARRIVE = timedelta(minutes=3)
"""So long a submit may be on its way: an unconfirmed one counts until then, and no older one shuts the gate,
as one that a killed run left."""
ASKING = timedelta(seconds=30)
"""So long the others wait for the one who asks whether the API answers."""
LONGEST_COOL_DOWN = timedelta(hours=1)
"""No submit waits longer: a longer wait comes from a clock that was set back."""
_LOOK_AGAIN_SECONDS = 1.0
_GATE_SECONDS = 0.25

Clock = Callable[[], datetime]
"""The database's clock: a server's own, as several machines are held against each other."""

_OF_ACCOUNT = select(BATCH.c.id).where(BATCH.c.account_id == given("account_id"))
_IS_UNCONFIRMED = JOB.c.state == literal_column(f"'{JobState.UNCONFIRMED.value}'")
"""In the very words of its index: SQLite does not take it for a parameter."""


def _many(*conditions: ColumnElement[bool]) -> Any:
    of_account = JOB.c.batch_id.in_(_OF_ACCOUNT)
    return select(func.count()).select_from(JOB).where(of_account, *conditions).scalar_subquery()


_NOT_AHEAD = JOB.c.submitted_at <= given("ahead")
_STILL = and_(JOB.c.submitted_at > given("still"), _NOT_AHEAD)
_ARRIVING = and_(JOB.c.submitted_at > given("arriving"), _NOT_AHEAD)
_THERE = (
    _many(JOB.c.state == JobState.SUBMITTING, _STILL).label("submitting"),
    _many(JOB.c.state == JobState.SUBMITTING, _ARRIVING).label("arriving"),
    _many(JOB.c.state == JobState.RUNNING, _STILL).label("running"),
    _many(_IS_UNCONFIRMED, _ARRIVING).label("unconfirmed"),
)
_IN_FLIGHT = Prepared(select(*_THERE))
_ITS_ROW = select(ACCOUNT).where(ACCOUNT.c.id == given("account_id"))
_LOCKED = Prepared(_ITS_ROW.with_for_update(key_share=True))
_NOT_TOLD = and_(ATTEMPT_TALLY.c.outcome == SubmitOutcome.ACCEPTED, ~ATTEMPT_TALLY.c.priced)
_COUNTS = or_(_NOT_TOLD, ATTEMPT_TALLY.c.outcome.in_(sorted(IN_DOUBT)))
_MONEY = select(
    func.sum(ATTEMPT_TALLY.c.cost_usd).label("cost"),
    func.sum(case((_COUNTS, ATTEMPT_TALLY.c.estimate_usd), else_=0)).label("estimate"),
    func.sum(
        case((ATTEMPT_TALLY.c.outcome.in_(sorted(PAID_OR_MAYBE)), ATTEMPT_TALLY.c.unpriced), else_=0)
    ).label("unpriced"),
)
_OF_THE_ACCOUNT = Prepared(_MONEY.where(ATTEMPT_TALLY.c.batch_id.in_(_OF_ACCOUNT)))
_OF_THE_BATCH = Prepared(_MONEY.where(ATTEMPT_TALLY.c.batch_id == given("batch_id")))
_ACCOUNT = update(ACCOUNT).where(ACCOUNT.c.id == given("account_id"))
_NEXT = Prepared(_ACCOUNT.values(next_at=given("next_at")))
_CLEARED = Prepared(_ACCOUNT.values(doubted_since=None, asked_until=None))
_ASKED = Prepared(_ACCOUNT.values(asked_until=given("asked_until")))
_COOLED = Prepared(_ACCOUNT.values(cool_until=given("until")))


def admit(
    connection: Connection, claimed: Claimed, terms: SubmitTerms, clock: Clock
) -> Intent | NotAdmitted | None:
    """Record the intent to submit, if the account's limits let it go; None if the job must not be sent.

    A limit that does not is told as a value, and nothing of the submit is written then.
    """
    account = _LOCKED.first(connection, account_id=terms.account_id)
    assert account is not None
    refused = (
        _doubt(connection, account, terms, clock)
        or _cool_down(account, clock)
        or _room(connection, account, claimed, terms)
        or _money(connection, account, claimed, terms)
        or _rate(account, clock)
    )
    if refused is not None:
        return refused
    intent = intents.claim(connection, claimed)
    if intent is not None and account.per_minute is not None:
        next_at = clock() + _interval(account)
        _NEXT.change(connection, account_id=account.id, next_at=next_at)
    return intent


def cool_down(connection: Connection, account_id: int, seconds: float, clock: Clock) -> None:
    """The API has turned a submit away: the whole account waits for so long, if not for longer already."""
    account = _LOCKED.first(connection, account_id=account_id)
    now = clock()
    until = now + min(timedelta(seconds=seconds), LONGEST_COOL_DOWN)
    if account is None:
        return
    left = _left(account.cool_until, now)
    if left < until - now or left > LONGEST_COOL_DOWN:  # the latter was a clock that is set back by now
        _COOLED.change(connection, account_id=account_id, until=until)


def in_flight(connection: Connection, account_id: int, at: datetime) -> tuple[int, int]:
    """How many jobs of an account are at the API, or may be; and how many of them are on their way."""
    there = _IN_FLIGHT.first(
        connection,
        account_id=account_id,
        still=at - STILL_THERE,
        arriving=at - MAY_ARRIVE,
        ahead=at + STILL_THERE,
    )
    assert there is not None
    return int(there.submitting) + int(there.running) + int(there.unconfirmed), int(there.arriving)


def committed(
    connection: Connection, *, account_id: int | None = None, batch_id: int | None = None
) -> tuple[Decimal, int]:
    """What an account, or a batch, has spent or may have; and how many submits have no price beside."""
    if account_id is not None:
        row = _OF_THE_ACCOUNT.first(connection, account_id=account_id)
    else:
        row = _OF_THE_BATCH.first(connection, batch_id=batch_id)
    assert row is not None
    return Decimal(int(row.cost or 0) + int(row.estimate or 0)) / 1_000_000, int(row.unpriced or 0)


def _doubt(connection: Connection, account: Any, terms: SubmitTerms, clock: Clock) -> NotAdmitted | None:
    """Whoever has cleared the very doubt that is noted goes on, and all others with it."""
    if account.doubted_since is None:
        return None
    if account.doubted_since == terms.cleared:
        _CLEARED.change(connection, account_id=account.id)
        return None
    now = clock()
    others = _left(account.asked_until, now)
    if timedelta(0) < others <= ASKING:
        return NotAdmitted(Bound.DOUBT, "an answer of the API, for which this run or another one asks")
    _ASKED.change(connection, account_id=account.id, asked_until=now + ASKING)
    detail = "the API to answer a free question, after a submit without an answer"
    return NotAdmitted(Bound.DOUBT, detail, wait_seconds=0.0, doubt=account.doubted_since)


def _cool_down(account: Any, clock: Clock) -> NotAdmitted | None:
    if account.cool_until is None:
        return None
    left = _left(account.cool_until, clock())
    if not timedelta(0) < left <= LONGEST_COOL_DOWN:
        return None
    return NotAdmitted(Bound.BUSY, "the API, which is busy", left.total_seconds())


def _room(connection: Connection, account: Any, claimed: Claimed, terms: SubmitTerms) -> NotAdmitted | None:
    gate = terms.gate if account.gate is None else account.gate
    if account.in_flight_max is None and gate is None:
        return None
    there, submitting = in_flight(connection, account.id, claimed.at)
    if account.in_flight_max is not None and there >= account.in_flight_max:
        detail = f"the account's limit of {account.in_flight_max} in flight"
        return NotAdmitted(Bound.IN_FLIGHT, detail, _LOOK_AGAIN_SECONDS)
    if gate is not None and submitting >= gate:
        detail = f"the account's limit of {gate} submits on their way"
        return NotAdmitted(Bound.GATE, detail, _GATE_SECONDS)
    return None


def _money(connection: Connection, account: Any, claimed: Claimed, terms: SubmitTerms) -> NotAdmitted | None:
    """A price that nobody knows, of this submit or of an earlier one, fits only where there is no limit."""
    for limit, whose, of in (
        (account.budget, ACCOUNT_BUDGET, {"account_id": account.id}),
        (terms.budget, "the batch's budget", {"batch_id": terms.batch_id}),
    ):
        if limit is None:
            continue
        usd, unpriced = committed(connection, **of)
        price = claimed.estimate_usd
        if price is None or unpriced or usd + price > limit:
            there, _ = in_flight(connection, account.id, claimed.at)
            unknown = f", and {unpriced} submits have {NO_KNOWN_PRICE}" if unpriced else ""
            if price is None:
                unknown += f", and this one has {NO_KNOWN_PRICE}"
            detail = f"{whose} of {limit} USD, of which {usd:.2f} are spent or unconfirmed{unknown}"
            return NotAdmitted(Bound.BUDGET, detail, _LOOK_AGAIN_SECONDS, is_final=not there)
    return None


def _rate(account: Any, clock: Clock) -> NotAdmitted | None:
    if account.per_minute is None or account.next_at is None:
        return None
    left = _left(account.next_at, clock())
    if not timedelta(0) < left <= _interval(account):
        return None  # more than that was a clock that is set back by now
    detail = f"the account's limit of {account.per_minute:g} submits a minute"
    return NotAdmitted(Bound.RATE, detail, left.total_seconds())


def _interval(account: Any) -> timedelta:
    return timedelta(seconds=60.0 / account.per_minute)


def _left(until: datetime | None, now: datetime) -> timedelta:
    return timedelta(0) if until is None else until - now
