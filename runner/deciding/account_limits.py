"""The limits of an account as a person gives them, and as the table keeps them."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from jobs.concurrency import MOST_IN_FLIGHT
from jobs.errors import UsageProblem

_NONE = "none"
MOST_ON_THEIR_WAY = 64
MOST_A_MINUTE = 100_000
FIELDS = {"concurrency": "in_flight_max", "gate": "gate", "rate": "per_minute", "budget": "budget"}
"""The field of `AccountLimits` that each option sets."""


def limits_given(options: Mapping[str, str]) -> dict[str, Any]:
    """The limits by their fields; None, which is no limit, for `none`.

    Raises:
        UsageProblem: with all invalid values.
    """
    given: dict[str, Any] = {}
    invalid = []
    for name, text in options.items():
        if text.strip().lower() == _NONE:
            given[FIELDS[name]] = None
            continue
        value = _number(text)
        needed = _needed(name, value)
        if value is None or needed is not None:
            invalid.append(f"--{name} {text}: {needed or 'a number, or none,'} is needed")
        else:
            given[FIELDS[name]] = (
                value if name == "budget" else float(value) if name == "rate" else int(value)
            )
    if invalid:
        raise UsageProblem("; ".join(invalid) + ".", hint="Nothing was changed.")
    return given


def _needed(name: str, value: Decimal | None) -> str | None:
    """What a value has to be, where it is not."""
    if name == "budget":
        return None if value is not None and value >= 0 else "an amount in USD, or none,"
    most = {"concurrency": MOST_IN_FLIGHT, "gate": MOST_ON_THEIR_WAY, "rate": MOST_A_MINUTE}[name]
    if name == "rate":
        fits = value is not None and 0 < value <= most
        return None if fits else f"a number above 0 and up to {most:,}, or none,"
    fits = value is not None and 1 <= value <= most and value == value.to_integral_value()
    return None if fits else f"a whole number from 1 to {most:,}, or none,"


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
