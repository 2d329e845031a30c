"""What an API is to the runner: five calls, and every answer a value.

The runner decides by these classes alone; a provider maps the API's words, codes and statuses to them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from jobs.attempts import RawAnswer
from jobs.failures import Failure
from jobs.pauses import PauseReason
from runner.http.replies import never


class RemoteStatus(StrEnum):
    """The state of a request at the API, in our words."""

    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The API accepts nothing from this account now (token or balance): not the row's fault."""

    reason: PauseReason
    message: str
    code: str | None = None
    answer: RawAnswer | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CallFailed:
    """No useful answer to a free call: it may be repeated."""

    reason: str
    retry_after_seconds: float | None = None
    certificate: bool = False
    """The server's certificate was refused: a retry changes nothing."""
    answered: bool = False
    """The API itself answered, so it is up: 429, or an answer that makes no sense."""
    alone: bool = False
    """The API answers the same question about another request: this is that request's own trouble."""
    http_status: int | None = field(default=None, compare=False)
    """Of the answer, if there was one, also from a gateway."""


@dataclass(frozen=True, slots=True)
class UnknownId:
    """The API does not know the request_id, or says that it is another account's."""

    message: str
    code: str | None = None


# -- submit ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """Accepted: paid for from here on."""

    request_id: str


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Certainly not accepted, and not the row's fault: it may be sent again."""

    reason: str
    retry_after_seconds: float | None = None
    busy: bool = False
    """The answer says "later", so somebody is up."""
    proven: bool = True
    """Nobody answers so once a submit is accepted. Else the fourth in a row leaves the row unconfirmed."""
    certificate: bool = False
    answer: RawAnswer | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Denied:
    """Refused because of what is in the row: nothing is paid."""

    failure: Failure
    answer: RawAnswer | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Sent without a readable answer: it may be paid for."""

    message: str
    code: str | None = None
    named_id: str | None = None
    """An id in the answer. Where the API knows it, the submit was accepted."""
    if_unknown: TurnedAway | None = None
    """What follows where the API does not know the id; None: it stays unconfirmed."""
    answer: RawAnswer | None = field(default=None, compare=False)


SubmitVerdict = Taken | TurnedAway | Denied | Stopped | Unconfirmed

# -- status, result, cancel, price -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RemoteStatusReport:
    """The state of a request; `status` is None for an unknown `word`."""

    status: RemoteStatus | None
    word: str
    queue_position: int | None = None
    failure: Failure | None = None
    """Why a run failed, if the status says so."""


StatusVerdict = RemoteStatusReport | UnknownId | Stopped | CallFailed


@dataclass(frozen=True, slots=True)
class ResultReady:
    """Done: the URLs of the images in order, and the cost in USD, None if not given."""

    urls: tuple[str, ...]
    cost_usd: Decimal | None
    failure: Failure | None = None
    """Why there is no URL, as far as the API says; None where there is one."""


@dataclass(frozen=True, slots=True)
class ResultNotReady:
    """Not done yet, whatever the status was."""

    word: str


@dataclass(frozen=True, slots=True)
class RunFailed:
    """It failed at the API; `failure` is None if the API gives no reason."""

    failure: Failure | None
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """It was cancelled at the API."""


ResultVerdict = ResultReady | ResultNotReady | RunFailed | RunCancelled | UnknownId | Stopped | CallFailed


@dataclass(frozen=True, slots=True)
class CancelTaken:
    """The API promises to cancel it. Only its status shows whether it did: it may run on all the same."""


@dataclass(frozen=True, slots=True)
class NotCancellable:
    """It is in progress or has ended."""


CancelVerdict = CancelTaken | NotCancellable | UnknownId | Stopped | CallFailed


@dataclass(frozen=True, slots=True)
class Priced:
    """The API is up; the price of an image in USD, None if not given."""

    price_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class NoSuchModel:
    """The API is up, but has no such model."""

    message: str


PriceVerdict = Priced | NoSuchModel | Stopped | CallFailed


@dataclass(frozen=True, slots=True)
class AccountReport:
    """What the API's own host says of the account, as far as it says anything."""

    balance_usd: Decimal | None = None
    """It may be zero or negative."""
    host_time: datetime | None = None
    """The host's clock, as its answer has it."""
    unreachable: CallFailed | None = None
    """Why no answer came at all."""


class Provider(Protocol):
    """One account at one API. No call raises anything but cancellation, and none retries."""

    def is_handle(self, text: str) -> bool:
        """Whether `text` can be a request_id of this API, and so be put into a URL. Makes no request."""
        ...

    async def submit(self, model: str, payload: bytes, is_late: Callable[[], bool] = never) -> SubmitVerdict:
        """Send a job once. Paid for, perhaps, unless the verdict is TurnedAway, Denied or Stopped.

        Where it `is_late` once there is a connection, nothing is sent.
        """
        ...

    async def status(self, request_id: str) -> StatusVerdict:
        """The state of a request. Free."""
        ...

    async def result(self, request_id: str) -> ResultVerdict:
        """The result of a request. Free."""
        ...

    async def cancel(self, request_id: str) -> CancelVerdict:
        """Cancel a request, which works while it is queued. Free."""
        ...

    async def price(self, model: str) -> PriceVerdict:
        """The price of an image of `model`; also shows whether the API is up and the token valid. Free."""
        ...
