"""What is kept of an answer that is no receipt: enough to tell who gave it, and nothing that is secret.

The token is taken out before (`runner.http.api_client`); here the queries of addresses are, which sign links.
"""

import re

from jobs.attempts import RawAnswer
from jobs.signed_urls import without_signature_values
from runner.http.replies import Answer

LONGEST_BODY_BYTES = 4096
_LONGEST_HEADER = 300
_TELLING = (
    "content-type",
    "content-length",
    "date",
    "location",
    "retry-after",
    "server",
    "via",
    "age",
    "x-cache",
    "x-served-by",
    "x-varnish",
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "x-amzn-errortype",
    "x-amz-cf-id",
    "x-kong-request-id",
    "cf-ray",
    "cf-mitigated",
    "x-correlation-id",
    "traceparent",
)
"""Headers by which caches, gateways, firewalls and the API itself give themselves away."""
_QUERY = re.compile(
    r"((?:https?:)?(?:\\?/){2}(?:[^\s?\"'<>\\]|\\/)+)\?((?:[^\s\"'<>\\]|\\u00[0-9a-f]{2}|\\/)*)"
)
"""As JSON and HTML write it as well: `\\/` for a slash, `\\u0026` for an ampersand."""
_ID_IN_QUERY = re.compile(r"(?:^|&|\\u0026|amp;)(request[_-]?id=[^&#]{1,128})", re.IGNORECASE)


def raw_answer(answer: Answer) -> RawAnswer:
    """The start of an answer, as text without control characters."""
    headers = {name: answer.headers[name] for name in _TELLING if name in answer.headers}
    body = answer.body[:LONGEST_BODY_BYTES].decode("utf-8", errors="replace")
    return RawAnswer(
        answer.status,
        {name: _scrubbed(value)[:_LONGEST_HEADER] for name, value in headers.items()},
        _scrubbed(body),
    )


def _scrubbed(text: str) -> str:
    plain = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
    return without_signatures(plain)


def without_signatures(text: str) -> str:
    """A text whose addresses have lost their queries, which may sign them; a request_id in one stays."""
    return without_signature_values(_QUERY.sub(_without_secrets, text))


def _without_secrets(address: re.Match[str]) -> str:
    """The address without its query, but for a request_id in it."""
    request_id = _ID_IN_QUERY.search(address[2])
    return f"{address[1]}?{'…' if request_id is None else f'{request_id[1]}&…'}"
