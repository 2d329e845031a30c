"""RunComfy's Model API: its paths, and what each call's answer comes to. No other folder knows them."""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from hashlib import sha256
from urllib.parse import quote
from uuid import NAMESPACE_OID, uuid5

from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from runner.clock import Clock
from runner.http.api_client import ApiClient
from runner.http.replies import Answer, NoAnswer, NotSent, Reply, never
from runner.providers.base import (
    CallFailed,
    CancelTaken,
    CancelVerdict,
    Denied,
    NoSuchModel,
    NotCancellable,
    Priced,
    PriceVerdict,
    RemoteStatus,
    RemoteStatusReport,
    ResultNotReady,
    ResultReady,
    ResultVerdict,
    RunCancelled,
    RunFailed,
    StatusVerdict,
    Stopped,
    SubmitVerdict,
    TurnedAway,
    Unconfirmed,
    UnknownId,
)
from runner.providers.runcomfy.documents import (
    STATUSES,
    as_failure,
    position_in,
    price_in,
    usd,
    why_it_failed,
    why_no_images,
    word_in,
)
from runner.providers.runcomfy.evidence import raw_answer
from runner.providers.runcomfy.image_urls import urls_in
from runner.providers.runcomfy.responses import (
    FOREIGN,
    Meaning,
    Reading,
    is_request_id,
    own_error,
    read,
)
from runner.providers.runcomfy.submit_answers import Unauthorised, read_submit

_NOT_READY = "400005"
"""Documented for no product, seen in a mock: the result is not there yet."""
_NO_CONTENT = 204


class RunComfy:
    """The Model API behind an ApiClient. Implements `runner.providers.base.Provider`.

    `submit_timeout` is the total time of a submit, `timeout` of any other call, both in seconds.
    """

    def __init__(self, client: ApiClient, clock: Clock, *, submit_timeout: float, timeout: float) -> None:
        self._client = client
        self._clock = clock
        self._submit_timeout = submit_timeout
        self._timeout = timeout
        self._asks_for_costs = True

    def is_handle(self, text: str) -> bool:
        return is_request_id(text)

    async def submit(self, model: str, payload: bytes, is_late: Callable[[], bool] = never) -> SubmitVerdict:
        """POST /v1/models/{model_id}, once."""
        reply = await self._client.request(
            "POST",
            f"/models/{model}",
            json_body=payload,
            timeout_seconds=self._submit_timeout,
            fresh=True,
            is_late=is_late,
        )
        match reply:
            case NotSent():
                return TurnedAway(reply.reason, certificate=reply.certificate)
            case NoAnswer():
                return Unconfirmed(reply.reason)
            case Answer():
                return await self._submitted(reply, payload)

    async def _submitted(self, answer: Answer, payload: bytes) -> SubmitVerdict:
        """What an answer to a submit means; a free question settles whose fault a 401 or 403 is."""
        match read_submit(answer, self._clock.now()):
            case Unauthorised() as odd:
                return replace(await self._whose_fault(odd, payload), answer=raw_answer(answer))
            case verdict:
                return verdict

    async def _whose_fault(self, odd: Unauthorised, payload: bytes) -> Stopped | Denied | Unconfirmed:
        """Whether a 401, 403 or 407 that is not the API's own means the token, or this row."""
        match await self._asked_about_nobodys(payload):
            case Stopped() as stopped:
                return stopped
            case _Second.ANSWERED:
                failure = as_failure(FailureKind.REFUSED, odd.message, odd.code)
                return Denied(replace(failure, is_quote=odd.message != odd.said))
            case _Second.UNCLEAR:
                return Unconfirmed(odd.said, odd.code)

    async def _asked_about_nobodys(self, seed: bytes) -> "Stopped | _Second":
        """A second, free question where something in front of the API may have answered the first one.

        It is about a request that nobody has, so the API answers that it does not know it. Stopped where the
        token is refused for this question as well.
        """
        nobodys = uuid5(NAMESPACE_OID, sha256(seed).hexdigest())
        reading = await self._get(f"/requests/{nobodys}/status")
        if not isinstance(reading, Reading):
            return _Second.UNCLEAR
        error = own_error(reading.document)
        if reading.meaning is Meaning.TOKEN and (error is None or error.code != FOREIGN):
            return Stopped(PauseReason.TOKEN, reading.said, reading.code)
        answered = error is not None or reading.meaning is Meaning.FINE
        return _Second.ANSWERED if answered else _Second.UNCLEAR

    async def status(self, request_id: str) -> StatusVerdict:
        """GET /v1/requests/{id}/status."""
        reading = await self._get(f"/requests/{_segment(request_id)}/status")
        if not isinstance(reading, Reading):
            return reading
        word = word_in(reading.document)
        status = STATUSES.get(word)
        # An error code beside `completed` overrides it; beside `failed` it is the reason.
        trouble = None if status is RemoteStatus.FAILED else await self._trouble(reading, request_id)
        if trouble is not None:
            return trouble
        if not word:
            return CallFailed("the status has no status word", answered=True)
        failure = why_it_failed(reading) if status is RemoteStatus.FAILED else None
        return RemoteStatusReport(status, word, position_in(reading.document), failure)

    async def result(self, request_id: str) -> ResultVerdict:
        """GET /v1/requests/{id}/result."""
        reading = await self._result(request_id)
        if not isinstance(reading, Reading):
            return reading
        document, word = reading.document, word_in(reading.document)
        status = STATUSES.get(word)
        if status is RemoteStatus.FAILED:
            return RunFailed(why_it_failed(reading), usd(document.get("cost")))
        if status is RemoteStatus.CANCELLED:
            return RunCancelled()
        trouble = await self._trouble(reading, request_id)
        if trouble is not None:
            return ResultNotReady(word or "not ready") if reading.code == _NOT_READY else trouble
        if status is RemoteStatus.DONE:
            urls, cost = urls_in(document.get("output"), self._client.origin), usd(document.get("cost"))
            return ResultReady(urls, cost, None if urls else why_no_images(reading))
        if word:
            return ResultNotReady(word)
        return CallFailed("the result has no status word", answered=True)

    async def _result(self, request_id: str) -> Reading | CallFailed:
        """A result with its cost, where the API takes the question.

        `include_cost` is the partner nodes', and undocumented: where it is refused, and the result is not
        without it, it is left out from then on.
        """
        path = f"/requests/{_segment(request_id)}/result"
        if not self._asks_for_costs:
            return await self._get(path)
        reading = await self._get(f"{path}?include_cost=true")
        if not isinstance(reading, Reading) or not _is_refused(reading):
            return reading
        plain = await self._get(path)
        if isinstance(plain, Reading) and plain.meaning is Meaning.FINE:
            self._asks_for_costs = False
        return plain

    async def cancel(self, request_id: str) -> CancelVerdict:
        """POST /v1/requests/{id}/cancel: takes effect only while the request is queued."""
        reply = await self._client.request(
            "POST", f"/requests/{_segment(request_id)}/cancel", json_body=None, timeout_seconds=self._timeout
        )
        reading = self._read(reply)
        if not isinstance(reading, Reading):
            return reading
        outcome = str(reading.document.get("outcome", "")).lower()
        if outcome == "not_cancellable" or (reading.meaning is Meaning.REFUSED and reading.from_api):
            return NotCancellable()
        if reading.meaning is Meaning.FINE or reading.status == _NO_CONTENT:
            return CancelTaken()
        trouble = await self._trouble(reading, request_id)
        return trouble or CallFailed("the answer to the cancel says nothing that we know")

    async def price(self, model: str) -> PriceVerdict:
        """GET /v1/models/{model_id}: `base_price_usd` by `price_unit`. A convenience: odd is unknown."""
        reading = await self._get(f"/models/{model}")
        if not isinstance(reading, Reading):
            return reading
        match reading.meaning:
            case Meaning.FINE:
                return Priced(price_in(reading.document))
            case Meaning.NOT_FOUND | Meaning.REFUSED:  # whoever says so
                return NoSuchModel(reading.said)
            case Meaning.TOKEN:
                match await self._asked_about_nobodys(model.encode()):
                    case Stopped() as stopped:
                        return stopped
                    case _Second.ANSWERED:
                        return Priced(None)
                    case _Second.UNCLEAR:
                        return _call_failed(reading)
            case Meaning.BALANCE:
                return Priced(None)
            case Meaning.LATER | Meaning.UNREADABLE:
                return _call_failed(reading)

    async def _trouble(self, reading: Reading, request_id: str) -> UnknownId | Stopped | CallFailed | None:
        """Why the answer of a free call about a request cannot be used; None if it can.

        Its trouble is the whole account's only where the API itself says so, or refuses another question too.
        """
        if reading.meaning is Meaning.FINE:
            return None
        error = own_error(reading.document)
        match reading.meaning:
            case Meaning.TOKEN if error is not None and error.code == FOREIGN:
                return UnknownId(reading.said, reading.code)
            case Meaning.TOKEN if error is not None:
                return Stopped(PauseReason.TOKEN, reading.said, reading.code)
            case Meaning.BALANCE if error is not None:
                return Stopped(PauseReason.BALANCE, reading.said, reading.code)
            case Meaning.NOT_FOUND if reading.document:
                return UnknownId(reading.said, reading.code)
            case Meaning.TOKEN | Meaning.NOT_FOUND:
                match await self._asked_about_nobodys(request_id.encode()):
                    case Stopped() as stopped:
                        return stopped
                    case _Second.ANSWERED if reading.status == 403 and reading.document:
                        return UnknownId(reading.said, reading.code)
                    case second:
                        return _call_failed(reading, alone=second is _Second.ANSWERED)
            case _:
                return _call_failed(reading)

    async def _get(self, path: str) -> Reading | CallFailed:
        return self._read(await self._client.request("GET", path, timeout_seconds=self._timeout))

    def _read(self, reply: Reply) -> Reading | CallFailed:
        match reply:
            case NotSent():
                return CallFailed(reply.reason, certificate=reply.certificate)
            case NoAnswer():
                return CallFailed(reply.reason)
            case Answer():
                return read(reply, self._clock.now())


class _Second(Enum):
    """What came of a second question, unless the token was refused for it as well."""

    ANSWERED = auto()
    """By the API itself: the first answer was about that request alone."""
    UNCLEAR = auto()


def _call_failed(reading: Reading, *, alone: bool = False) -> CallFailed:
    return CallFailed(
        reading.said,
        reading.retry_after_seconds,
        answered=alone or (reading.from_api and reading.meaning in (Meaning.LATER, Meaning.REFUSED)),
        alone=alone,
        http_status=reading.status,
    )


def _segment(request_id: str) -> str:
    """The id as one segment of a path, whatever is in it."""
    return quote(request_id, safe="")


def _is_refused(reading: Reading) -> bool:
    """Whether the question was refused. A run that failed may be told with the same HTTP status."""
    is_told = STATUSES.get(word_in(reading.document)) is not None
    return reading.meaning is Meaning.REFUSED and reading.code != _NOT_READY and not is_told
