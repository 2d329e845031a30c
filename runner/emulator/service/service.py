"""The emulator as a state machine: calls in, answers out. No HTTP, no waiting, no threads.

An answer depends on the settings, the journal, the clock and the armed faults, and on nothing else.
The clock is read, never waited for; one that goes back counts as standing still.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from pydantic import JsonValue

from runner.clock import Clock
from runner.emulator.faults.faults import Endpoint, Fault, FaultBook, FaultKind
from runner.emulator.pictures.looks import NOTHING_SEEN, ReferenceLooks
from runner.emulator.pictures.recipe import prompt_of
from runner.emulator.service import answers
from runner.emulator.service.answers import ServiceAnswer
from runner.emulator.service.api import Endpoints
from runner.emulator.service.history import State, Submit
from runner.emulator.service.journal import Journal
from runner.emulator.service.listing import CATEGORIES, model_pages
from runner.emulator.service.results import twisted_result, twisted_status
from runner.emulator.settings import EmulatorSettings

_UNANSWERED = frozenset({FaultKind.DROP, FaultKind.RESET, FaultKind.STALL})


class EmulatorService:
    """One emulator: the API behind tokens and faults.

    `calls` counts the calls by endpoint. `media_with_token` counts those pictures that were asked for with a
    bearer token, which a client should send to nobody but the API.
    """

    def __init__(self, settings: EmulatorSettings, clock: Clock, journal: Journal) -> None:
        """Replays `journal`; raises `UsageProblem` for events that no emulator wrote."""
        self.settings = settings
        self.clock = clock
        self.journal = journal
        self.calls: Counter[str] = Counter()
        self.media_with_token = 0
        self._api = Endpoints(settings, clock, journal)
        self._tokens = settings.tokens
        self._revoked: set[str] = set()
        self.faults = settings.faults

    # -- the emulator's own controls --

    @property
    def faults(self) -> Sequence[Fault]:
        """The armed faults; setting them restarts their counts and windows."""
        return self._faults

    @faults.setter
    def faults(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._book = FaultBook((*faults, *_lost_answers(self.settings)), self.settings.seed)
        self._armed_at = self._api.now()

    @property
    def ledger(self) -> Sequence[Submit]:
        """Every submit ever accepted, in order; only ever grows."""
        return self._api.history.ledger

    @property
    def balance_usd(self) -> Decimal:
        """US dollars left now."""
        self._api.now()
        return self._api.history.balance

    @property
    def charged_usd(self) -> Decimal:
        """US dollars that all accepted submits cost by now."""
        self._api.now()
        history = self._api.history
        return sum((history.charge(submit) for submit in history.ledger), Decimal(0))

    def set_balance(self, usd: Decimal) -> None:
        """Set the balance to `usd`."""
        history = self._api.history
        at = self._api.now()
        self._api.record(history.paid_in(at, usd - history.balance))

    def resize(self, slots: int) -> None:
        """Work on so many requests at the same time from now on; not kept over a restart."""
        self._api.now()
        self._api.history.resize(slots)

    def revoke(self, token: str) -> None:
        """Refuse `token` from now on; not kept over a restart."""
        self._revoked.add(token)

    def accept_tokens(self, tokens: frozenset[str] | None) -> None:
        """Accept these tokens alone (None: any), revoked ones among them; not kept over a restart."""
        self._tokens = tokens
        self._revoked -= self._revoked if tokens is None else tokens

    def state(self, request_id: str) -> State | None:
        """Where a request stands, whatever faults would make of it; None for an unknown one."""
        submit = self._find(request_id)
        return None if submit is None else self._api.history.state(submit)

    # -- the API's endpoints; `origin` is the scheme, host and port that links shall have --

    def submit(
        self,
        model_id: str,
        body: JsonValue,
        *,
        token: str | None,
        origin: str,
        seen: ReferenceLooks = NOTHING_SEEN,
    ) -> ServiceAnswer:
        """POST /v1/models/{model_id}; `body` is the parsed JSON, None for what could not be parsed.

        `seen` is what was found where its references lead.
        """
        prompt = prompt_of(model_id, body) if isinstance(body, dict) else ""
        fault = self._strike(Endpoint.SUBMIT, len(self.ledger) + 1, prompt)
        owner = self._owner(token)
        answer = self._guarded(fault, token, lambda: self._api.submit(model_id, body, origin, seen, owner))
        if fault is not None and fault.kind is FaultKind.NO_ID and "request_id" in answer.body:
            return replace(answer, payload={"status": "in_queue"})
        return answer

    def status(self, request_id: str, *, token: str | None, origin: str) -> ServiceAnswer:
        """GET /v1/requests/{request_id}/status."""
        submit, fault = self._about(Endpoint.STATUS, request_id)
        answer = self._guarded(fault, token, lambda: self._api.status(submit, origin), submit)
        if fault is None or not _tells_state(answer):
            return answer
        return replace(answer, payload=twisted_status(answer.body, fault))

    def result(
        self, request_id: str, *, token: str | None, origin: str, include_cost: bool = False
    ) -> ServiceAnswer:
        """GET /v1/requests/{request_id}/result."""
        submit, fault = self._about(Endpoint.RESULT, request_id)
        answer = self._guarded(fault, token, lambda: self._api.result(submit, origin, include_cost), submit)
        if fault is None or submit is None or not _tells_state(answer):
            return answer
        expired = fault.kind is FaultKind.EXPIRED_LINKS

        def address(index: int) -> str:
            return self._api.address(submit, index, origin, expired=expired)

        return replace(answer, payload=twisted_result(answer.body, fault, self.settings, address))

    def cancel(self, request_id: str, *, token: str | None) -> ServiceAnswer:
        """POST /v1/requests/{request_id}/cancel."""
        submit, fault = self._about(Endpoint.CANCEL, request_id)
        return self._guarded(fault, token, lambda: self._api.cancel(submit), submit)

    def models(
        self,
        *,
        token: str | None,
        search: str = "",
        category: str = "",
        kind: str = "",
        limit: int = 100,
        offset: int = 0,
        include_schema: bool = False,
    ) -> ServiceAnswer:
        """GET /v1/models."""

        def page() -> ServiceAnswer:
            return ServiceAnswer(
                model_pages(self.settings, search, category, kind, limit, offset, include_schema)
            )

        return self._guarded(self._strike(Endpoint.MODELS), token, page)

    def categories(self, *, token: str | None) -> ServiceAnswer:
        """GET /v1/models/categories."""
        return self._guarded(
            self._strike(Endpoint.MODELS), token, lambda: ServiceAnswer({"categories": list(CATEGORIES)})
        )

    def model(self, model_id: str, *, token: str | None) -> ServiceAnswer:
        """GET /v1/models/{model_id}."""
        return self._guarded(self._strike(Endpoint.MODELS), token, lambda: self._api.model(model_id))

    def balance(self, *, token: str | None) -> ServiceAnswer:
        """GET /prod/v2/balance."""
        return self._guarded(self._strike(Endpoint.BALANCE), token, self._api.balance)

    def media(self, path: str, *, token: str | None = None) -> ServiceAnswer:
        """GET /media/{path}: a picture, as a recipe. Needs no token; one that is sent is noted."""
        self.media_with_token += token is not None
        picture = self._api.picture(path)
        if picture is None:
            fault = self._strike(Endpoint.MEDIA)
        else:
            submit, link = picture
            fault = self._strike(Endpoint.MEDIA, submit.ordinal, _prompt(submit), link.index + 1)
        return self._troubled(fault, lambda: self._api.media(picture))

    # -- tokens and faults --

    def _guarded(
        self,
        fault: Fault | None,
        token: str | None,
        real: Callable[[], ServiceAnswer],
        about: Submit | None = None,
    ) -> ServiceAnswer:
        def authorised() -> ServiceAnswer:
            if not self._accepts(token):
                return answers.bad_token(self.settings)
            if about is not None and about.owner not in (None, self._owner(token)):
                return answers.not_yours(self.settings)
            return real()

        return self._troubled(fault, authorised)

    def _troubled(self, fault: Fault | None, real: Callable[[], ServiceAnswer]) -> ServiceAnswer:
        if fault is None:
            return real()
        if fault.kind in _UNANSWERED:
            instead: ServiceAnswer | None = ServiceAnswer("", fault=fault)
        else:
            instead = answers.instead(fault, self.settings, self._api.datetime())
        if instead is None:
            return replace(real(), fault=fault)
        if fault.accepted:
            real()
        return instead

    def _accepts(self, token: str | None) -> bool:
        if not token or token in self._revoked:
            return False
        return self._tokens is None or token in self._tokens

    def _owner(self, token: str | None) -> str | None:
        """Who a token stands for, without the token itself: the journal keeps it."""
        if token is None or self.settings.accounts == "one":
            return None
        key = self.journal.nonce.encode()[:64]
        return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), key=key, digest_size=8).hexdigest()

    def _find(self, request_id: str) -> Submit | None:
        self._api.now()
        return self._api.history.find(request_id)

    def _about(self, endpoint: Endpoint, request_id: str) -> tuple[Submit | None, Fault | None]:
        submit = self._find(request_id)
        if submit is None:
            return None, self._strike(endpoint)
        return submit, self._strike(endpoint, submit.ordinal, _prompt(submit))

    def _strike(
        self, endpoint: Endpoint, job: int | None = None, prompt: str = "", picture: int | None = None
    ) -> Fault | None:
        self.calls[endpoint] += 1
        elapsed = (self._api.now() - self._armed_at) * self.settings.speed
        return self._book.choose(endpoint, elapsed, job=job, prompt=prompt, picture=picture)


def _lost_answers(settings: EmulatorSettings) -> tuple[Fault, ...]:
    share = settings.lost_answer_share
    lost = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, accepted=True, times=None, chance=share)
    return (lost,) if share else ()


def _prompt(submit: Submit) -> str:
    return prompt_of(submit.model_id, submit.body)


def _tells_state(answer: ServiceAnswer) -> bool:
    """Whether it is an honest status or result, and not an error or a fault in its place."""
    return answer.fault is not None and isinstance(answer.payload, dict) and "request_id" in answer.payload
