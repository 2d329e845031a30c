"""What a call to the API returns: three values and no exception, so that no case can be forgotten.

The line that matters is between `NotSent` and `NoAnswer`: the first may be sent again, the second may be
paid for. What is uncertain is `NoAnswer`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

SENT_EXTENSION = "nightsheet.sent"
"""The key of a request's SendMarker among the extensions of an `httpx.Request`."""


class TooLate(Exception):
    """A request was not sent: its time was over when there was a connection."""


def never() -> bool:
    """A request that may be sent whenever there is a connection."""
    return False


class SendMarker:
    """How far one request got, reported by the transport that carries it.

    A transport that reports sets `watched` first, and calls `mark` as soon as it holds a connection for the
    request: from then on bytes may have left. A transport that does not report leaves both unset.
    """

    __slots__ = ("is_late", "sent", "watched")

    def __init__(self, is_late: Callable[[], bool] = never) -> None:
        self.watched = False
        self.sent = False
        self.is_late = is_late
        """Whether it may not be sent any more: asked once there is a connection, and nothing has left."""

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
    """No byte of the request was sent: sending it again costs nothing."""

    reason: str
    certificate: bool = False
    """The server's certificate was refused: no retry changes that, a person has to act."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request may have arrived, but no answer did."""

    reason: str


Reply = Answer | NotSent | NoAnswer
