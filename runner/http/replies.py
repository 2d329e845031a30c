"""What a call to the API comes to. Three values and no exception, so that nothing can be forgotten.

The line that matters runs between `NotSent` and `NoAnswer`: the first may be sent again, the second may have
been paid for. In doubt it is `NoAnswer`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SENT_EXTENSION = "nightsheet.sent"
"""The key of a request's SendMarker among the extensions of an `httpx.Request`."""


class SendMarker:
    """How far one request got, told by the transport that carries it.

    A transport that reports sets `watched` first, and calls `mark` as soon as it holds a connection for the
    request: from then on bytes may have left. A transport that does not report leaves both unset.
    """

    __slots__ = ("sent", "watched")

    def __init__(self) -> None:
        self.watched = False
        self.sent = False

    def watch(self) -> None:
        """The transport reports on this request."""
        self.watched = True

    def mark(self) -> None:
        """From now on the request may have been sent."""
        self.sent = True


@dataclass(frozen=True, slots=True)
class Answer:
    """The API answered, whatever it said. `headers` have their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    complete: bool = True
    """False: the body broke off, ran over its limit or was encoded; `body` is what there is of it."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not a byte of the request has left: to send it again costs nothing."""

    reason: str
    certificate: bool = False
    """The server's certificate was refused: no retry will change that, somebody is in between or has to
    act."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request may have arrived, and no answer to it did."""

    reason: str


Reply = Answer | NotSent | NoAnswer
