"""What an answer of the API means: the one place of that rule. Pure: bytes in, a value out.

Sources: the Model API's error page (codes 400001, 400002, 400004, 403001, 404001), its official clients (an
`error_code` under HTTP 200 is an error) and RFC 9110 for Retry-After. A submit with an unclear answer is
Unconfirmed.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

from runner.http.replies import Answer

LONGEST_RETRY_AFTER_SECONDS = 600.0
_LONGEST_MESSAGE = 500
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SALVAGE = re.compile(rb'"request_id"\s*:\s*"([A-Za-z0-9_-]{1,128})"')
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_TOKEN_CODES = frozenset({"400004"})
_BALANCE_CODES = frozenset({"400002", "10001"})
_MODERATION = re.compile(
    r"moderat|sensitive|nsfw|safety|content[ _-]?polic|inappropriate|prohibited|copyright", re.IGNORECASE
)


class Meaning(Enum):
    """What an answer means, whatever the call was."""

    FINE = auto()
    TOKEN = auto()
    BALANCE = auto()
    LATER = auto()
    """408, 425, 429, or 503 with Retry-After: certainly not accepted."""
    NOT_FOUND = auto()
    REFUSED = auto()
    UNREADABLE = auto()
    """5xx, a redirect, HTML, no JSON: nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A parsed answer."""

    meaning: Meaning
    status: int
    """The HTTP status."""
    document: Mapping[str, Any]
    """The JSON object; empty if there was none."""
    message: str = ""
    """In the API's own words, if it had any."""
    code: str | None = None
    retry_after_seconds: float | None = None
    from_api: bool = True
    """Whether the API itself answered, as far as that can be known, and not a gateway."""


def read(answer: Answer, now: datetime) -> Reading:
    """Parse an answer. `now` is the wall clock, for a Retry-After date without a Date header."""
    document = _document(answer)
    after = retry_after(answer.headers, now)
    code = _code(document)
    message = _message(document) or f"HTTP {answer.status}"
    if code is not None:
        meaning = _of_code(code, answer.status, after)
        known = meaning is not Meaning.UNREADABLE
        return Reading(meaning, answer.status, document or {}, message, code, after, known)
    if 200 <= answer.status < 300 and document is not None:
        return Reading(Meaning.FINE, answer.status, document, "", None, after)
    meaning = _of_status(answer.status, after)
    if document is None and meaning is Meaning.UNREADABLE:
        message = _unreadable(answer)
    own = meaning is not Meaning.UNREADABLE and not _is_html(answer)
    return Reading(meaning, answer.status, document or {}, message, str(answer.status), after, own)


def request_id_of(answer: Answer, document: Mapping[str, Any]) -> str | None:
    """The request_id of an accepted submit, salvaged even from an answer that broke off after it.

    Not from HTML: a page that repeats what it was sent is no receipt.
    """
    given = document.get("request_id")
    if isinstance(given, str):
        return given if _REQUEST_ID.fullmatch(given) else None
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 10**128:
        return str(given)
    if document or answer.complete or not answer.body.lstrip().startswith(b"{"):
        return None
    if b'"error_code"' in answer.body:  # an error may carry an id as well, for a support request
        return None
    found = set(_SALVAGE.findall(answer.body))
    return found.pop().decode() if len(found) == 1 else None


def is_request_id(text: str) -> bool:
    """Whether `text` may be put into a path: letters, digits, `_` and `-`, at most 128."""
    return _REQUEST_ID.fullmatch(text) is not None


def is_moderation(message: str, code: str | None) -> bool:
    """Whether the API's message is about content rules. Those are undocumented, so this looks for words."""
    return _MODERATION.search(f"{message} {code or ''}") is not None


def words_of(value: Any) -> str:
    """An error of any JSON type as text, verbatim if it is a string."""
    if isinstance(value, str):
        return _short(value)
    if isinstance(value, Mapping):
        told = _message(value)
        if told:
            return told
    return _short(json.dumps(value, ensure_ascii=False, default=str)) if value is not None else ""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait according to Retry-After, at most 600; None without a usable value."""
    told = headers.get("retry-after", "").strip()
    if not told:
        return None
    if _SECONDS.fullmatch(told):
        return min(float(told), LONGEST_RETRY_AFTER_SECONDS)
    until = _http_date(told)
    if until is None:
        return None
    # Relative to the API's own clock if it sends one: ours may be off by hours.
    seconds = (until - (_http_date(headers.get("date", "")) or now)).total_seconds()
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _document(answer: Answer) -> Mapping[str, Any] | None:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _code(document: Mapping[str, Any] | None) -> str | None:
    """The API's own error code as text; an empty or zero one counts as none."""
    value = (document or {}).get("error_code")
    if isinstance(value, bool) or value in (None, "", 0, "0"):
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return _short(str(value))[:64]


def _of_code(code: str, status: int, after: float | None) -> Meaning:
    if code in _TOKEN_CODES:
        return Meaning.TOKEN
    if code in _BALANCE_CODES:
        return Meaning.BALANCE
    if re.fullmatch(r"[45][0-9]{2,}", code):
        return _of_status(int(code[:3]), after)
    return _of_status(status, after)  # under 2xx that is UNREADABLE: an unknown error


def _of_status(status: int, after: float | None) -> Meaning:
    if status in (401, 403):
        return Meaning.TOKEN
    if status == 402:
        return Meaning.BALANCE
    if status in (408, 425, 429) or (status == 503 and after is not None):
        return Meaning.LATER
    if status in (404, 410):
        return Meaning.NOT_FOUND
    if 400 <= status < 500:
        return Meaning.REFUSED
    return Meaning.UNREADABLE


def _message(document: Mapping[str, Any] | None) -> str:
    for name in ("error_message", "message", "error", "detail"):
        value = (document or {}).get(name)
        if isinstance(value, str) and value.strip():
            return _short(value)
        if value and name in ("error", "detail"):
            return _short(json.dumps(value, ensure_ascii=False, default=str))
    return ""


def _unreadable(answer: Answer) -> str:
    if _is_html(answer):
        return f"HTTP {answer.status} with an HTML page"
    if 300 <= answer.status < 400:
        return f"an unexpected redirect (HTTP {answer.status})"
    if not answer.complete:
        return f"HTTP {answer.status} whose answer broke off"
    return f"HTTP {answer.status} without JSON"


def _is_html(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == b"<" or "html" in answer.headers.get("content-type", "").lower()


def _short(text: str) -> str:
    """One line of plain characters, shortened: it is shown on terminals and in manifests.

    Without the queries of URLs: the API may repeat a signed URL of an uploaded image.
    """
    text = _QUERY.sub(r"\1?…", text)
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= _LONGEST_MESSAGE else plain[: _LONGEST_MESSAGE - 1] + "…"
