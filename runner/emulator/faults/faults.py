"""Faults as data: what goes wrong, at which endpoint, for whom, and how often.

The service chooses a fault for each call and is pure; `app` carries out what happens on the wire.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from runner.emulator.chance import share


class Endpoint(StrEnum):
    """Where a fault strikes; ANY is every one of the API's, never the emulator's own controls."""

    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    CANCEL = "cancel"
    MEDIA = "media"
    MODELS = "models"
    BALANCE = "balance"
    ANY = "any"


class FaultKind(StrEnum):
    """What goes wrong, each with the fields of `Fault` that it reads."""

    # Instead of an answer. With `accepted`, a submit or cancel takes effect all the same.
    HTTP = "http"
    """An HTTP error: `status` (500), `shape`, `error_code`, `message`, `retry_after`."""
    ERROR_ON_200 = "error_on_200"
    """HTTP 200 whose body is an API error: `error_code` (500001), `message`."""
    HTML = "html"
    """HTTP 200 and a web page, as from a captive portal."""
    REDIRECT = "redirect"
    """`status` (307) and a Location: `url`."""
    UNKNOWN_ID = "unknown_id"
    """404001."""
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    """400004, with the status that the settings choose."""
    BALANCE = "balance"
    """400002, with the status that the settings choose."""
    MODERATED = "moderated"
    """A submit refused, or a result failed, by the provider's content rules."""
    DROP = "drop"
    """The connection is closed without an answer."""
    RESET = "reset"
    """The connection is reset without an answer."""
    STALL = "stall"
    """No answer until the client gives up."""

    # An answer that does not arrive as it was meant.
    TRUNCATE = "truncate"
    """The connection ends inside the body: after `count` bytes, or half of them."""
    CUT = "cut"
    """A whole HTTP message with a piece of the body: the first `count` bytes, or half of them."""
    DRIP = "drip"
    """The body comes in 64 pieces, `seconds` (1) apart; zeros follow it up to `count` bytes."""

    # A changed submit answer.
    NO_ID = "no_id"
    """Accepted, and the answer has no request_id."""

    # A changed status or result.
    WORD = "word"
    """`word` instead of the status."""
    STAYS = "stays"
    """An ended request stays `in_progress`."""
    FAILED = "failed"
    """The run failed: `message`."""
    NO_PICTURES = "no_pictures"
    """Succeeded, with an empty output."""
    NO_OUTPUT = "no_output"
    """Succeeded, without the key `output`."""
    FEWER_PICTURES = "fewer_pictures"
    """`count` (1) images fewer than the run made, never below one."""
    MORE_PICTURES = "more_pictures"
    """`count` (1) images more than the run made."""
    FOREIGN_URL = "foreign_url"
    """Every image's link is `url`."""
    EXPIRED_LINKS = "expired_links"
    """Links that have expired already."""

    # A picture that is not what its address promised.
    WRONG_BYTES = "wrong_bytes"
    """Noise under an image content type."""
    WRONG_TYPE = "wrong_type"
    """The right bytes as application/octet-stream."""
    HUGE = "huge"
    """A body of `count` bytes (1 GiB)."""
    GZIP = "gzip"
    """Content-Encoding: gzip; with `count`, a bomb of that many bytes."""
    BOMB = "bomb"
    """A small PNG that claims to be 60000x60000 pixels."""


OUTCOMES = frozenset(
    {
        FaultKind.FAILED,
        FaultKind.NO_PICTURES,
        FaultKind.NO_OUTPUT,
        FaultKind.FEWER_PICTURES,
        FaultKind.MORE_PICTURES,
        FaultKind.FOREIGN_URL,
        FaultKind.MODERATED,
    }
)
"""Belong to the request: `chance` is drawn once for it, so that a repeated call changes nothing."""

_STATUS_AND_RESULT = frozenset({Endpoint.STATUS, Endpoint.RESULT})
_ONLY: dict[FaultKind, frozenset[Endpoint]] = {
    FaultKind.NO_ID: frozenset({Endpoint.SUBMIT}),
    FaultKind.MODERATED: frozenset({Endpoint.SUBMIT, Endpoint.RESULT}),
    FaultKind.WORD: _STATUS_AND_RESULT,
    FaultKind.STAYS: _STATUS_AND_RESULT,
    **dict.fromkeys(OUTCOMES - {FaultKind.MODERATED}, frozenset({Endpoint.RESULT})),
    FaultKind.EXPIRED_LINKS: frozenset({Endpoint.RESULT}),
    **dict.fromkeys(
        (FaultKind.WRONG_BYTES, FaultKind.WRONG_TYPE, FaultKind.HUGE, FaultKind.GZIP, FaultKind.BOMB),
        frozenset({Endpoint.MEDIA}),
    ),
}


class Fault(BaseModel):
    """One thing that goes wrong. Raises pydantic's `ValidationError` if kind and endpoint do not match."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: Endpoint
    kind: FaultKind

    # -- which calls --
    times: Annotated[int, Field(ge=1)] | None = 1
    """How often; None (in files: "for ever") never stops."""
    from_call: Annotated[int, Field(ge=1)] = 1
    """The first of the calls it fits, counted from 1, that may be struck."""
    each: bool = False
    """`times` and `from_call` count for every request (every image) separately."""
    job: Annotated[int, Field(ge=1)] | None = None
    """The ordinal in the ledger, from 1; for a submit, the one that it would get."""
    prompt: str | None = None
    """Text that the prompt contains."""
    picture: Annotated[int, Field(ge=1)] | None = None
    """The image's number in its request, from 1."""
    chance: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Probability for each call left over by the rest; drawn from the emulator's seed."""
    after_seconds: Annotated[float, Field(ge=0)] = 0.0
    for_seconds: Annotated[float, Field(gt=0)] | None = None
    """The window in which it strikes, since it was armed, at speed 1; None has no end."""

    # -- what happens --
    accepted: bool = False
    """The call takes effect before its answer is lost."""
    status: Annotated[int, Field(ge=300, le=599)] | None = None
    shape: Literal["api", "html", "text", "empty"] = "api"
    error_code: int | None = None
    message: str | None = None
    retry_after: int | str | None = None
    """The header: seconds, or a verbatim text, which may be invalid."""
    retry_after_date: bool = False
    """The header gives the seconds of `retry_after` as an HTTP date."""
    word: str = "reticulating"
    url: str = "http://169.254.169.254/latest/meta-data"
    count: Annotated[int, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0)] = 1.0

    @field_validator("times", mode="before")
    @classmethod
    def _words_for_times(cls, value: object) -> object:
        return (
            {"once": 1, "for ever": None, "forever": None}.get(value, value)
            if isinstance(value, str)
            else value
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        places = _ONLY.get(self.kind)
        if places is not None and self.endpoint not in places:
            raise ValueError(f"{self.kind} happens only at: {', '.join(sorted(places))}")
        if self.status == 304:
            raise ValueError("304 has no body, and no place here")
        if self.retry_after_date and not isinstance(self.retry_after, int):
            raise ValueError("retry_after_date needs retry_after in seconds")
        return self

    def fits(self, endpoint: Endpoint, job: int | None, prompt: str, picture: int | None) -> bool:
        """Whether the fault applies to the call."""
        return (
            self.endpoint in (endpoint, Endpoint.ANY)
            and (self.job is None or self.job == job)
            and (self.prompt is None or self.prompt in prompt)
            and (self.picture is None or self.picture == picture)
        )


class FaultBook:
    """The armed faults with their counts. The first that applies to a call strikes it."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self.faults = tuple(faults)
        self._seed = seed
        self._seen: Counter[tuple[object, ...]] = Counter()
        self._struck: Counter[tuple[object, ...]] = Counter()

    def choose(
        self,
        endpoint: Endpoint,
        elapsed: float,
        *,
        job: int | None = None,
        prompt: str = "",
        picture: int | None = None,
    ) -> Fault | None:
        """The fault for one call, `elapsed` seconds (at speed 1) after arming; None lets it pass."""
        for number, fault in enumerate(self.faults):
            if not fault.fits(endpoint, job, prompt, picture):
                continue
            end = fault.after_seconds + fault.for_seconds if fault.for_seconds is not None else float("inf")
            if not fault.after_seconds <= elapsed < end:
                continue
            if self._strikes(number, fault, (job, picture)):
                return fault
        return None

    def _strikes(self, number: int, fault: Fault, whom: tuple[int | None, int | None]) -> bool:
        counted = (number, *whom) if fault.each else (number,)
        self._seen[counted] += 1
        if self._seen[counted] < fault.from_call:
            return False
        if fault.times is not None and self._struck[counted] >= fault.times:
            return False
        if fault.chance < 1.0:
            turn = 0
            if fault.kind not in OUTCOMES:
                drawn = ("drawn", number, *whom)
                turn = self._seen[drawn]
                self._seen[drawn] += 1
            if share(self._seed, "fault", number, *whom, turn) >= fault.chance:
                return False
        self._struck[counted] += 1
        return True
