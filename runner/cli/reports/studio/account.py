"""An account's limits and what is in use of them, in words and as JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobs.manifests.record import dollars, moment
from runner.humanize import money, number, spent

if TYPE_CHECKING:
    from jobs.admission import AccountStanding

_NO_LIMIT = "no limit"


def lines(account: "AccountStanding", *, is_own: bool) -> Iterator[tuple[str, str]]:
    """For a person, each line with its style."""
    origin, _, mark = account.name.partition(" ")
    yield f"Account at {origin}{f' ({mark})' if mark else ''}{', of this token' if is_own else ''}", "bold"
    limits = account.limits
    most = _NO_LIMIT if limits.in_flight_max is None else f"at most {limits.in_flight_max}"
    yield f"  in flight  {account.in_flight}, {most}", ""
    yield f"  gate       {_NO_LIMIT if limits.gate is None else f'{limits.gate} submits on their way'}", ""
    rate = _NO_LIMIT if limits.per_minute is None else f"{number(limits.per_minute)} submits a minute"
    yield f"  rate       {rate}", ""
    used = f"{spent(account.committed_usd, account.unpriced)} spent or unconfirmed"
    yield f"  budget     {_NO_LIMIT if limits.budget is None else money(limits.budget)}, {used}", ""
    if account.doubted_since is not None:
        yield "  A submit is in doubt: nothing is sent before the API answers a free question.", "yellow"


def in_a_line(account: "AccountStanding") -> str | None:
    """The limits that are set, for a batch that shares them; None where none is."""
    limits, parts = account.limits, list[str]()
    if limits.in_flight_max is not None:
        parts.append(f"{account.in_flight} of {limits.in_flight_max} in flight")
    if limits.gate is not None:
        parts.append(f"at most {limits.gate} submits on their way")
    if limits.per_minute is not None:
        parts.append(f"{number(limits.per_minute)} submits a minute")
    if limits.budget is not None:
        used = spent(account.committed_usd, account.unpriced)
        parts.append(f"{used} of {money(limits.budget)} spent or unconfirmed")
    return f"Account: {', '.join(parts)}" if parts else None


def as_json(account: "AccountStanding", *, is_own: bool = True) -> dict[str, Any]:
    """For scripts."""
    limits = account.limits
    return {
        "account": account.name,
        "own": is_own,
        "concurrency": limits.in_flight_max,
        "gate": limits.gate,
        "rate": limits.per_minute,
        "budget_usd": dollars(limits.budget),
        "in_flight": account.in_flight,
        "committed_usd": dollars(account.committed_usd),
        "unpriced": account.unpriced,
        "doubted_since": None if account.doubted_since is None else moment(account.doubted_since),
    }
