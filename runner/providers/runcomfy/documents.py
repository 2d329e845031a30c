"""What the JSON of a status, a result and a catalogue page says. Pure: a document in, values out.

Sources: the model pages and the public docs of the Model API; where they are silent or disagree, what the
official clients tolerate (`completed` and `succeeded`, `cost` only on request).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from jobs.failures import Failure, FailureKind
from runner.providers.base import RemoteStatus
from runner.providers.runcomfy.responses import Reading, is_moderation, words_of

STATUSES = {
    "in_queue": RemoteStatus.QUEUED,
    "queued": RemoteStatus.QUEUED,
    "pending": RemoteStatus.QUEUED,
    "waiting": RemoteStatus.QUEUED,
    "in_progress": RemoteStatus.WORKING,
    "starting": RemoteStatus.WORKING,
    "processing": RemoteStatus.WORKING,
    "running": RemoteStatus.WORKING,
    "completed": RemoteStatus.DONE,
    "succeeded": RemoteStatus.DONE,
    "success": RemoteStatus.DONE,
    "failed": RemoteStatus.FAILED,
    "error": RemoteStatus.FAILED,
    "cancelled": RemoteStatus.CANCELLED,
    "canceled": RemoteStatus.CANCELLED,
}
"""Every spelling in the documentation or the clients of the API."""

_PER_IMAGE = frozenset({"output", "image", "picture", "request", ""})
"""Units of `base_price_usd` that bound the price of an image; with another unit the price is unknown."""

_REASONS = ("error", "error_message", "failure_reason", "fail_reason", "reason", "message", "detail")
"""Where a result says why it failed, or why it has no image: the API's pages, its clients, other products."""
_MOST_USD = Decimal(1_000_000)


def word_in(document: Mapping[str, Any]) -> str:
    """The status word, in one spelling; empty where there is none."""
    word = document.get("status")
    if not isinstance(word, str):
        return ""
    if word in STATUSES:  # as almost always
        return word
    return words_of(word).lower().replace("-", "_").replace(" ", "_")[:64]


def position_in(document: Mapping[str, Any]) -> int | None:
    """The place in the API's queue."""
    position = document.get("queue_position")
    return position if isinstance(position, int) and not isinstance(position, bool) else None


def as_failure(kind: FailureKind, message: str, code: str | None) -> Failure:
    """A failure of this kind in the API's words, unless these are about content."""
    kind = FailureKind.MODERATED if is_moderation(message, code) else kind
    return Failure(kind, message, code, is_quote=True)


def why_it_failed(reading: Reading) -> Failure | None:
    """Why a run failed, word for word; None if it gives no reason."""
    said, code = _said(reading)
    if not said and code is None:
        return None
    if said:
        return as_failure(FailureKind.REMOTE_FAILED, said, code)
    return Failure(
        as_failure(FailureKind.REMOTE_FAILED, "", code).kind, f"The API gave no reason but {code}.", code
    )


def why_no_images(reading: Reading) -> Failure:
    """Why a run that is done has no image: its reason word for word, else what it has instead."""
    said, code = _said(reading)
    if said:
        return as_failure(FailureKind.NO_IMAGES, said, code)
    output = reading.document.get("output")
    if isinstance(output, Mapping) and output:
        instead = f"its output has {_names(output)}"
    elif output:
        instead = "its output names none"
    else:
        instead = f"it has no output, but {_names(reading.document)}"
    return Failure(FailureKind.NO_IMAGES, f"The API was done, and had no picture: {instead}.", code)


def _said(reading: Reading) -> tuple[str, str | None]:
    """The reason that a document gives, of any JSON type, and its code."""
    error, code = reading.document.get("error"), reading.code
    if isinstance(error, Mapping) and isinstance(error.get("code"), str | int):
        code = words_of(str(error["code"]))
    told = (words_of(value) for name in _REASONS if (value := reading.document.get(name)))
    return next((said for said in told if said), ""), code


def _names(document: Mapping[str, Any]) -> str:
    return words_of(", ".join(sorted(map(str, document))))


def price_in(document: Mapping[str, Any]) -> Decimal | None:
    """USD an image; None where it is not given, or has another unit."""
    unit = str(document.get("price_unit") or "").lower()
    return usd(document.get("base_price_usd")) if unit in _PER_IMAGE else None


def usd(value: Any) -> Decimal | None:
    """An amount of money; None for anything odd."""
    amount = _decimal(value)
    return amount if amount is not None and 0 <= amount <= _MOST_USD else None


def balance_in(document: Mapping[str, Any]) -> Decimal | None:
    """What the account has left in USD, which may be less than nothing; None where it is not given."""
    return _decimal(document.get("balance_usd"))


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
