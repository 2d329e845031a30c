"""How columns keep values: states by value, times in UTC with microseconds, money in millionths of a dollar.

SQLModel would store enums by name, and times in any zone.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, String
from sqlalchemy.types import TypeDecorator

from jobs.concurrency import AUTO, Concurrency


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, stored as ISO 8601 text, which sorts and reads well."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class ConcurrencyColumn(TypeDecorator[Concurrency]):
    """Jobs at the API at once; 0 is `auto`."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Concurrency | None, dialect: Dialect) -> int | None:
        return 0 if value == AUTO else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Concurrency | None:
        return AUTO if value == 0 else value


class Money(TypeDecorator[Decimal]):
    """US dollars, stored as whole millionths so that SQL adds them exactly."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else round(value * 1_000_000)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / 1_000_000


def one_of(column: str, words: type[StrEnum]) -> str:
    """The condition that a column has one of the words."""
    return f"{column} IN ({', '.join(repr(str(word)) for word in words)})"
