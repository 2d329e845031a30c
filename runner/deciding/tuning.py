"""What `tune` sets, as the table keeps it, and tuning that only ever lowers."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from jobs.concurrency import AUTO, MOST_IN_FLIGHT
from jobs.errors import UsageProblem

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView

_NONE = "none"


def values_of(options: Mapping[str, str]) -> dict[str, Any]:
    """The values as the table keeps them; None for `none`.

    Raises:
        UsageProblem: with all invalid values.
    """
    values: dict[str, Any] = {}
    invalid = []
    for name, text in options.items():
        if text.lower() == _NONE:
            values[name] = None
            continue
        if name == "concurrency" and text.lower() == AUTO:
            values[name] = AUTO
            continue
        value = _number(text)
        whole = value is not None and value == value.to_integral_value()
        if value is None or value < 0 or (value == 0 and name != "budget"):
            invalid.append(f"--{name} {text}: a number above 0, or none, is needed")
        elif name == "concurrency" and not (whole and value <= MOST_IN_FLIGHT):
            invalid.append(f"--{name} {text}: a whole number up to {MOST_IN_FLIGHT}, or auto, is needed")
        else:
            values[name] = int(value) if name == "concurrency" else float(value) if name == "rate" else value
    if invalid:
        raise UsageProblem("; ".join(invalid) + ".", hint="Nothing was changed.")
    return values


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


async def lower(
    store: "Store", batch: "BatchView", options: Mapping[str, str], usual: Mapping[str, Any]
) -> None:
    """Set values that are all lower than what holds; `usual` is what holds where the batch has none.

    Raises:
        UsageProblem: one is invalid, or not lower; nothing was changed.
    """
    values = values_of(options)
    higher = await store.batches.lower(batch.id, values, usual)
    if higher:
        raise UsageProblem(
            f"{', '.join(higher)}: not lower than what holds. Nothing was changed.",
            hint="What loosens a limit is a line to type: `nightsheet tune`.",
        )
