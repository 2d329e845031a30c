"""Answers to a submit that hold a request_id of the API, in every dress: the id is never lost.

A receipt is taken; anything else leaves the id with the attempt: as the one to ask for, or in what was
answered. `kept` says whether that is so.
"""

import json
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

from runner.providers.base import SubmitVerdict, Taken, Unconfirmed

Dressed = tuple[str, int, dict[str, bytes], bytes]
"""The id, and the answer: status, headers, body."""

_NAMES = ("request_id", "requestId", "RequestId", "request-id", "REQUEST_ID", "id")
_STATUSES = (200, 200, 200, 201, 202, 302, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504, 520)
_TYPES = (b"application/json", b"text/html", b"text/plain; charset=latin-1", b"")


def dressed(dice: random.Random) -> Dressed:
    """An answer that holds an id."""
    request_id = dice.choice(_IDS)(UUID(int=dice.getrandbits(128), version=4))
    document = dice.choice(_PLACES)(request_id, dice.choice(_NAMES), dice)
    body = dice.choice(_DAMAGES)(json.dumps(document, indent=dice.choice((None, 2))).encode(), dice)
    headers = {"content-type": dice.choice(_TYPES)}
    if dice.random() < 0.2:
        headers["retry-after"] = b"1"
    if dice.random() < 0.15:
        headers["location"] = f"/v1/requests/{request_id}/status".encode()
        body = dice.choice((b"", b"{}", body))
    return request_id, dice.choice(_STATUSES), headers, body


def kept(request_id: str, verdict: SubmitVerdict) -> bool:
    """Whether what follows from an answer has the id."""
    if isinstance(verdict, Taken):
        return verdict.request_id == request_id
    named = verdict.named_id if isinstance(verdict, Unconfirmed) else None
    if named == request_id:
        return True
    answer = verdict.answer
    return answer is not None and request_id in answer.body + answer.headers.get("location", "")


_IDS: tuple[Callable[[UUID], str], ...] = (
    str,
    lambda uid: uid.hex,
    lambda uid: f"req.{uid}",
    lambda uid: f"req:{uid}",
    lambda uid: f"{uid.int}",
    lambda uid: f"run_{uid.hex[:20]}~1",
)

Place = Callable[[str, str, random.Random], Any]


def _deep(request_id: str, name: str, dice: random.Random) -> Any:
    document: Any = {name: request_id}
    for _ in range(dice.randint(1, 5)):
        document = dice.choice(({"data": document}, [document], {"ok": True, "result": document}))
    return document


_PLACES: tuple[Place, ...] = (
    lambda request_id, name, _dice: {name: request_id, "status": "in_queue"},
    lambda request_id, name, _dice: {"status": "ok", name: request_id, "error_code": 500001},
    lambda request_id, name, _dice: {name: request_id, "error": "UserAccountError: expired"},
    lambda request_id, name, _dice: {"message": "Too Many Requests", name: request_id},
    lambda request_id, name, _dice: {"body": json.dumps({name: request_id}), "statusCode": 200},
    lambda request_id, _name, _dice: {"status_url": f"https://x.example/v1/requests/{request_id}/status"},
    lambda request_id, _name, _dice: {"next": f"https://x.example/status?request_id={request_id}&sig=1"},
    lambda request_id, _name, _dice: {"job": {"identifier": request_id}},
    lambda request_id, name, _dice: {name: [request_id]},
    _deep,
)

Damage = Callable[[bytes, random.Random], bytes]


def _cut(body: bytes, dice: random.Random) -> bytes:
    """Broken off somewhere behind the last quote of a value: the id is whole."""
    last = body.rfind(b'"')
    return body[: dice.randint(last + 1, len(body))]


_DAMAGES: tuple[Damage, ...] = (
    lambda body, _dice: body,
    lambda body, _dice: body + b"\n<!-- cached -->",
    lambda body, _dice: body + b"\n" + body,
    lambda body, _dice: b"\xef\xbb\xbf" + body,
    lambda body, _dice: body.rstrip()[:-1] + b', "note": "caf\xe9"}',
    lambda body, _dice: b"<html><!-- " + body + b" -->",
    lambda body, _dice: b")]}',\n" + body,
    lambda body, _dice: b" " * 3000 + body,
    lambda body, _dice: body.replace(b'": ', b'" : '),
    _cut,
)
