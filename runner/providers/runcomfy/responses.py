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
from runner.providers.runcomfy.evidence import without_signatures

LONGEST_RETRY_AFTER_SECONDS = 600.0
_LONGEST_MESSAGE = 500
_LONGEST_ID = 128
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
FOREIGN = "403001"
"""A request_id of another account: on free calls that id's own trouble."""
_TOKEN_CODES = frozenset({"400004"})
_BALANCE_CODES = frozenset({"400002", "10001"})
_OWN_CODE = re.compile(r"[0-9]{5,6}")
_DOCUMENTED_NAMES = {
    "InvalidResourceIdentifier": "400001",
    "InsufficientResources": "400002",
    "UserAccountError": "400004",
    "PermissionDeniedError": "403001",
    "ResourceNotFound": "404001",
}
"""Names and codes of the API's error page."""
_NAMED = re.compile(rf"({'|'.join(_DOCUMENTED_NAMES)})\b")
_MESSAGE_NAMES = ("error_message", "message", "error", "detail")
_ERROR_NAMES = frozenset({"error_code", "code", *_MESSAGE_NAMES})
"""Where none of these is, there is no error in a document."""
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
    is_quote: bool = False
    """Whether the message is the API's own."""

    @property
    def said(self) -> str:
        """The message as a part of a sentence of ours."""
        return quoted(self.message) if self.is_quote else self.message


def read(answer: Answer, now: datetime) -> Reading:
    """Parse an answer. `now` is the wall clock, for a Retry-After date without a Date header."""
    document = document_of(answer)
    after = retry_after(answer.headers, now)
    if 200 <= answer.status < 300 and document is not None and document.keys().isdisjoint(_ERROR_NAMES):
        return Reading(Meaning.FINE, answer.status, document, "", None, after)  # as almost always
    code = _code(document)
    told = _message(document)
    message = told or f"HTTP {answer.status}"
    if code is not None:
        meaning = _of_code(code, answer.status, after)
        known = meaning is not Meaning.UNREADABLE
        return Reading(meaning, answer.status, document or {}, message, code, after, known, bool(told))
    if 200 <= answer.status < 300 and document is not None:
        return Reading(Meaning.FINE, answer.status, document, "", None, after)
    meaning = _of_status(answer.status, after)
    if document is None and meaning is Meaning.UNREADABLE:
        message = unreadable(answer)
    own = meaning is not Meaning.UNREADABLE and (document is not None or not _is_html(answer))
    return Reading(
        meaning, answer.status, document or {}, message, str(answer.status), after, own, bool(told)
    )


def is_request_id(text: str) -> bool:
    """Whether `text` can stand in one segment of a path, percent-encoded: 1 to 128 printable characters.

    Without a slash: servers decode `%2F` too early, and what follows would lead elsewhere.
    """
    is_plain = text.isprintable() and text.strip() == text and text not in (".", "..")
    return is_plain and not set("/\\") & set(text) and 0 < len(text) <= _LONGEST_ID


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
    until = http_date(told)
    if until is None:
        return None
    # Relative to the API's own clock if it sends one: ours may be off by hours.
    seconds = (until - (http_date(headers.get("date", "")) or now)).total_seconds()
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)


def http_date(text: str) -> datetime | None:
    """The moment that a header tells; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def document_of(answer: Answer) -> Mapping[str, Any] | None:
    """The one JSON object that a body is; None for anything else."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


@dataclass(frozen=True, slots=True)
class OwnError:
    """An error of the API's own, and not of something in front of it."""

    code: str
    status: int
    """The HTTP status that its code begins with."""
    message: str
    """In its own words; empty if it has none."""

    @property
    def said(self) -> str:
        """The message as a part of a sentence of ours."""
        return quoted(self.message) or f"error {self.code}"

    @property
    def is_token(self) -> bool:
        """Missing, expired or revoked token, an inactive account, or another's resource."""
        return self.code in _TOKEN_CODES or self.status in (401, 403)

    @property
    def is_balance(self) -> bool:
        """No balance is left."""
        return self.code in _BALANCE_CODES or self.status == 402


def own_error(document: Mapping[str, Any] | None) -> OwnError | None:
    """The API's own error in a document: a code of 5 or 6 digits, or a documented name before its message.

    A bare `message`, `detail` or `error` is a gateway's as well.
    """
    if document is None:
        return None
    message = _message(document)
    for name in ("error_code", "code"):
        code = _digits(document.get(name))
        if code is not None and _OWN_CODE.fullmatch(code):
            return OwnError(code, int(code[:3]), message)
    named = _NAMED.match(message)
    if named is not None:
        code = _DOCUMENTED_NAMES[named[1]]
        return OwnError(code, int(code[:3]), message)
    return None


def _digits(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, int | str) else None


def _code(document: Mapping[str, Any] | None) -> str | None:
    """An error code as text, the API's own or not; an empty or zero one counts as none."""
    error = own_error(document)
    if error is not None:
        return error.code
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
    if status in (401, 403, 407):
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


def quoted(text: str) -> str:
    """Another's words as a part of a sentence of ours; nothing where there are none."""
    return f'"{text}"' if text else ""


def message_of(answer: Answer, document: Mapping[str, Any] | None) -> str:
    """What an answer says, in its own words where it has any."""
    return _message(document) or f"HTTP {answer.status}"


def _message(document: Mapping[str, Any] | None) -> str:
    for name in _MESSAGE_NAMES:
        value = (document or {}).get(name)
        if isinstance(value, str) and value.strip():
            return _short(value)
        if value and name in ("error", "detail"):
            return _short(json.dumps(value, ensure_ascii=False, default=str))
    return ""


def unreadable(answer: Answer) -> str:
    """What can be said of an answer without a document."""
    if _is_html(answer):
        return f"HTTP {answer.status} with an HTML page"
    if 300 <= answer.status < 400:
        return f"an unexpected redirect (HTTP {answer.status})"
    if not answer.complete:
        return f"HTTP {answer.status} whose answer broke off"
    return f"HTTP {answer.status} without JSON"


def is_page(answer: Answer) -> bool:
    """Whether a body is a page, as a gateway or a portal gives it: it begins as no document does.

    Whatever its content type says: gateways dress the API's JSON as text/html, and pages as JSON.
    """
    first = answer.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return first not in (b"", b"{", b"[")


def _is_html(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == b"<" or "html" in answer.headers.get("content-type", "").lower()


def _short(text: str) -> str:
    """One line of plain characters, shortened: it is shown on terminals and in manifests.

    Without the queries of URLs: the API may repeat a signed URL of an uploaded image.
    """
    text = without_signatures(text)
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST_MESSAGE else plain[: _LONGEST_MESSAGE - 1] + "…"
