"""What is said of rows that were paid for before."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jobs.paid import PaidBefore
from runner.humanize import count_of

HINT = (
    "--again pays for them again; --dedupe takes the earlier results, free; a column `again` makes such rows "
    "new ones."
)


def adopted_notice(rows: int) -> str:
    """What is told of rows that took jobs of other keys."""
    known = "1 row is known under another id" if rows == 1 else f"{rows:,} rows are known under other ids"
    return f"{known}: nothing is paid for {'it' if rows == 1 else 'them'}."


def told(places: Sequence[PaidBefore], total: int, now: datetime, beside: Path | None = None) -> list[str]:
    """Where and when rows were paid for, a sentence a batch. `beside` is the database beside the sheet."""
    return [
        f"{some(place.rows, total)} paid for {_when(place, now)} under {_where(place, beside)}."
        for place in places
    ]


def _where(place: PaidBefore, beside: Path | None) -> str:
    if place.database is None:
        return f"batch {place.batch}"
    is_beside = beside is not None and place.database == str(beside)
    return (
        f"batch {place.batch} ({Path(place.database).name} beside it)"
        if is_beside
        else (f"batch {place.batch} ({place.database})")
    )


def _when(place: PaidBefore, now: datetime) -> str:
    """`on 28 November`, by the local calendar, with the year where it is not this one."""
    days = [_day(at, now) for at in (place.first_at, place.last_at)]
    return f"on {days[0]}" if days[0] == days[1] else f"from {days[0]} to {days[1]}"


def _day(at: datetime, now: datetime) -> str:
    day = at.astimezone()
    year = "" if day.year == now.astimezone().year else f" {day.year}"
    return f"{day.day} {day:%B}{year}"


def some(rows: int, total: int) -> str:
    """`10 of these 12 rows were`, or `12 rows were`."""
    were = "was" if rows == 1 else "were"
    return f"{count_of(rows, 'row')} {were}" if rows == total else f"{rows:,} of these {total:,} rows {were}"
