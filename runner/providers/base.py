"""What an API is to the runner: five calls, and every answer a value.

The runner decides by these classes alone; which words, codes and statuses make them up is the provider's.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from jobs.failures import Failure
from jobs.pauses import PauseReason


class RemoteStatus(StrEnum):
    """Where a request stands at the API, in our words."""

    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The API takes nothing from this account now (token or balance): not the row's fault."""

    reason: PauseReason
    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class CallFailed:
    """No useful answer to a free call: it may be asked again."""

    reason: str
    retry_after_seconds: float | None = None
    certificate: bool = False
    """The server's certificate was refused: asking again changes nothing."""
    answered: bool = False
    """The API itself answered, so it is up: 429, or something that makes no sense."""
    http_status: int | None = field(default=None, compare=False)
    """Of the answer, where there was one, from whomever."""


@dataclass(frozen=True, slots=True)
class UnknownId:
    """The API does not know the request_id, or says that it is another account's."""

    message: str
    code: str | None = None
    bare: bool = False
    """A 404 and no document: a gateway that is being changed says the same."""


# -- submit ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """Accepted, and paid for from here on."""

    request_id: str


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Surely not accepted, and not the row's fault: it may be sent again."""

    reason: str
    retry_after_seconds: float | None = None
    busy: bool = False
    """The API itself said "later" (408, 425, 429, 503 with Retry-After), so it is up."""
    certificate: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """Refused for what is in the row: nothing is paid."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Sent, and no readable answer: it may be paid for."""

    message: str
    code: str | None = None


SubmitVerdict = Taken | TurnedAway | Denied | Stopped | Unconfirmed

# -- status, result, cancel, price -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RemoteStatusReport:
    """Where a request stands; `status` is None for a word that we have never seen."""

    status: RemoteStatus | None
    word: str
    queue_position: int | None = None
    failure: Failure | None = None
    """Of a run that failed: why, where the API says so here."""


StatusVerdict = RemoteStatusReport | UnknownId | Stopped | CallFailed


@dataclass(frozen=True, slots=True)
class ResultReady:
    """Done: the pictures' addresses in order, and what it cost in USD where that was told."""

    urls: tuple[str, ...]
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class ResultNotReady:
    """Not done yet, whatever the status said."""

    word: str


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The API says that it failed; None where it gives no reason."""

    failure: Failure | None
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The API says that it was cancelled."""


ResultVerdict = ResultReady | ResultNotReady | RunFailed | RunCancelled | UnknownId | Stopped | CallFailed


@dataclass(frozen=True, slots=True)
class CancelTaken:
    """The API cancels it, or at least tries to; its status will say so."""

    done: bool = True
    """It says that it is cancelled."""


@dataclass(frozen=True, slots=True)
class NotCancellable:
    """It is being worked on, or is over."""


CancelVerdict = CancelTaken | NotCancellable | UnknownId | Stopped | CallFailed


@dataclass(frozen=True, slots=True)
class Priced:
    """The API is up; what a picture costs in USD, None where it was not told."""

    price_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class NoSuchModel:
    """The API is up, and does not have the model."""

    message: str


PriceVerdict = Priced | NoSuchModel | Stopped | CallFailed


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a person sets and opens for one vendor of an API."""

    website: str
    """Where their account and their requests are listed."""
    token_page: str
    """Where a token is made."""
    token_variables: tuple[str, ...]
    """Environment variables that may hold the token; the first is the one to recommend."""
    base_variable: str
    """The environment variable for another base URL."""

    @property
    def token_variable(self) -> str:
        """The variable to recommend for the token."""
        return self.token_variables[0]


class Provider(Protocol):
    """One account at one API. No call raises anything but cancellation, none is repeated inside."""

    def is_handle(self, text: str) -> bool:
        """Whether `text` can be a request_id of this API, so that it may stand in a URL. Asks nobody."""
        ...

    async def submit(self, model: str, payload: bytes) -> SubmitVerdict:
        """Send a job once. May be paid for, whatever comes back but TurnedAway, Denied and Stopped."""
        ...

    async def status(self, request_id: str) -> StatusVerdict:
        """Where a request stands. Free."""
        ...

    async def result(self, request_id: str) -> ResultVerdict:
        """What a request came to. Free."""
        ...

    async def cancel(self, request_id: str) -> CancelVerdict:
        """Ask for a request to be cancelled, which works while it is queued. Free."""
        ...

    async def price(self, model: str) -> PriceVerdict:
        """What a picture of `model` costs; also tells whether the API is up and the token good. Free."""
        ...
