"""Who answered a submit, and what follows: the one table of it, in order, pure.

Between the runner and the API stand gateways, caches, firewalls and portals. They answer in the API's place,
also after the API has accepted a submit. So only two kinds of answer let a row be sent again by itself: a
429, and an error of the API's own that says "later". A page proves nothing.

Sources: the Model API's error page for the codes and names; its official clients for an error under HTTP 200;
RFC 9110 for 413, 414, 431 and Retry-After; the defaults of Varnish, nginx, Cloudflare, AWS API Gateway and
Kong for what a gateway says.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from jobs.failures import Failure, FailureKind
from jobs.pauses import PauseReason
from runner.http.replies import Answer
from runner.providers.base import Denied, Stopped, SubmitVerdict, Taken, TurnedAway, Unconfirmed
from runner.providers.runcomfy.evidence import raw_answer
from runner.providers.runcomfy.responses import (
    OwnError,
    document_of,
    is_moderation,
    is_page,
    is_request_id,
    message_of,
    own_error,
    quoted,
    retry_after,
    unreadable,
)

_LATER = frozenset({408, 425, 503})
"""With Retry-After, as an error of the API's own: not accepted. From anything in front: no proof."""
_TOO_LARGE = frozenset({413, 414, 431})
"""Nobody forwards a request that is refused for its size."""
_REFUSED = frozenset({400, 404, 405, 415, 422})
_UNAUTHORISED = frozenset({401, 403, 407})
_TRANSIENT = re.compile(r"\b(timeout|timed out|lock|temporarily|try again later)\b", re.IGNORECASE)
"""Words of a refusal that blame a moment, and not the row."""
_ABOUT_THE_ROW = frozenset({"400001", "404001"})
_ID_NAMES = ("request_id", "requestid", "request-id")
_ID_IN_TEXT = re.compile(rb'"request[_-]?id"\s*:\s*"([^"\\\s/]{1,128})"', re.IGNORECASE)
_ID_IN_ADDRESS = re.compile(r"/requests/([^/?#]+)|[?&]request[_-]?id=([^&#]+)", re.IGNORECASE)
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """A 401, 403 or 407 that is not the API's own: a free question tells whether it means the token."""

    message: str
    said: str
    """The message as a part of a sentence of ours."""
    code: str


def read_submit(answer: Answer, now: datetime) -> SubmitVerdict | Unauthorised:
    """What an answer to a submit means: the first line that fits. `now` is the wall clock.

    What the answer was is kept with every verdict that a person may want to look into.
    """
    verdict = _verdict(answer, now)
    if isinstance(verdict, TurnedAway | Denied | Unconfirmed | Stopped):
        return replace(verdict, answer=raw_answer(answer))
    return verdict


def _verdict(answer: Answer, now: datetime) -> SubmitVerdict | Unauthorised:
    document = document_of(answer)
    error = own_error(document)
    after = retry_after(answer.headers, now)
    request_id = _id_at_the_top(document)
    if 200 <= answer.status < 300 and request_id is not None and error is None:
        return Taken(request_id)
    if error is not None and (decided := _by_own_error(error)) is not None:
        return decided
    verdict = _without_an_id(answer, document, error, after)
    elsewhere = [] if is_page(answer) else _ids_elsewhere(answer, document)
    if elsewhere:
        # Where several are named, one of them that is unknown says nothing of the others.
        turned_away = verdict if isinstance(verdict, TurnedAway) and verdict.proven else None
        return replace(
            _unconfirmed(answer, document, elsewhere[0]),
            named_id=elsewhere[0],
            if_unknown=turned_away if len(elsewhere) == 1 else None,
        )
    return verdict


def _without_an_id(
    answer: Answer, document: Mapping[str, Any] | None, error: OwnError | None, after: float | None
) -> SubmitVerdict | Unauthorised:
    status, code = answer.status, str(answer.status)
    message, said = message_of(answer, document), _said(answer, document)
    own_status = error.status if error is not None else None
    if 429 in (status, own_status):
        return TurnedAway(said, after, busy=True)
    if error is not None and after is not None and _LATER & {status, own_status}:
        return TurnedAway(said, after, busy=True, proven=False)
    if status in _TOO_LARGE:
        return Denied(Failure(FailureKind.REFUSED, message, code))
    if status == 402:
        return Stopped(PauseReason.BALANCE, said, code)
    if status in _UNAUTHORISED:
        return Unauthorised(message, said, code)
    if status in _REFUSED and document is not None and error is None:
        return _refused(message, said, code)
    return _unconfirmed(answer, document, None)


def _by_own_error(error: OwnError) -> SubmitVerdict | None:
    """Token, balance or refusal, in any HTTP status; None where the error itself decides nothing."""
    if error.is_token:
        return Stopped(PauseReason.TOKEN, error.said, error.code)
    if error.is_balance:
        return Stopped(PauseReason.BALANCE, error.said, error.code)
    if 400 <= error.status < 500 and error.status not in (408, 425, 429):
        return _refused(error.message or error.said, error.said, error.code)
    return None


def _refused(message: str, said: str, code: str) -> SubmitVerdict:
    """A refusal of the row, unless its words blame a moment: then nobody knows what came of the submit."""
    if is_moderation(message, code):
        return Denied(Failure(FailureKind.MODERATED, message, code, is_quote=True))
    if code not in _ABOUT_THE_ROW and _TRANSIENT.search(message):
        return Unconfirmed(said, code)
    return Denied(Failure(FailureKind.REFUSED, message, code, is_quote=message != said))


def _unconfirmed(answer: Answer, document: Mapping[str, Any] | None, request_id: str | None) -> Unconfirmed:
    error = own_error(document)
    code: str | None = error.code if error is not None else str(answer.status)
    said = _said(answer, document) if document is not None else unreadable(answer)
    if 200 <= answer.status < 300 and document is not None and error is None:
        said, code = f"HTTP {answer.status} without a request_id", None
    return Unconfirmed(said if request_id is None else f"{said} (request_id {request_id})", code)


def _said(answer: Answer, document: Mapping[str, Any] | None) -> str:
    """What an answer says, as a part of a sentence of ours: words that are not ours stand in quotes."""
    message = message_of(answer, document)
    return message if message == f"HTTP {answer.status}" else quoted(message)


def _id_at_the_top(document: Mapping[str, Any] | None) -> str | None:
    return _as_id((document or {}).get("request_id"))


def _as_id(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**128:
        return str(value)
    return value if isinstance(value, str) and is_request_id(value) else None


def _ids_elsewhere(answer: Answer, document: Mapping[str, Any] | None) -> list[str]:
    """The ids in another place, spelling or dress, each once, the likeliest first.

    One that is called a request's comes before one in an address, and before a mere `id`, which may be a
    user's; of equals, the one nearer to the top.
    """
    named = list(_ids_in(document if document is not None else _lenient(answer.body), 0))
    if not named:
        named = [(0, 0, found.decode(errors="replace")) for found in _ID_IN_TEXT.findall(answer.body)]
    if not named:
        named = list(_ids_in(answer.headers.get("location"), 0))
    named.sort(key=lambda found: found[:2])
    return list(dict.fromkeys(name for _rank, _depth, name in named if is_request_id(name)))


def _lenient(body: bytes) -> Any:
    """The first JSON value of a body, whatever stands behind it; None where there is none."""
    try:
        return json.JSONDecoder().raw_decode(body.decode("utf-8", errors="replace").lstrip())[0]
    except (ValueError, RecursionError):
        return None


def _ids_in(value: Any, depth: int) -> Iterator[tuple[int, int, str]]:
    """The ids in a value, each with its rank and its depth."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            spelled = str(name).lower()
            if spelled in (*_ID_NAMES, "id") and (found := _as_id(inner)) is not None:
                yield (0 if spelled in _ID_NAMES else 2, depth, found)
            else:
                yield from _ids_in(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids_in(inner, depth + 1)
    elif isinstance(value, str):
        if value.lstrip()[:1] in {"{", "["}:  # a document inside a document, as some gateways pass it on
            yield from _ids_in(_lenient(value.encode()), depth + 1)
        elif found_in := _ID_IN_ADDRESS.search(value):
            yield (1, depth, unquote(found_in[1] or found_in[2]))
