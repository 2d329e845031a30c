"""The API without tokens and faults: each endpoint."""

from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import JsonValue

from jobs.catalog.registry import find
from jobs.errors import UsageProblem
from runner.clock import Clock
from runner.emulator.pictures.looks import NOTHING_SEEN, ReferenceLooks
from runner.emulator.pictures.recipe import recipe
from runner.emulator.service import answers
from runner.emulator.service.accepting import check_body, shortened
from runner.emulator.service.answers import Body, ServiceAnswer
from runner.emulator.service.history import History, Submit
from runner.emulator.service.journal import Event, Journal
from runner.emulator.service.links import Link, mint, read
from runner.emulator.service.listing import model_page
from runner.emulator.service.results import result_body, status_body
from runner.emulator.settings import EmulatorSettings

_ENDINGS = {"jpeg": "jpg", "png": "png"}
_STORAGE_ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code></Error>'


class LinkedImage(NamedTuple):
    """An image behind a link."""

    submit: Submit
    link: Link


class Endpoints:
    """Settings, clock and journal put together; every method is one call's effect and answer."""

    def __init__(self, settings: EmulatorSettings, clock: Clock, journal: Journal) -> None:
        """Replays `journal`; raises `UsageProblem` for events that no emulator wrote."""
        self.settings = settings
        self.history = History(settings, journal.nonce)
        self._clock = clock
        self._journal = journal
        for number, event in enumerate(journal.replay(), start=1):
            try:
                self.history.apply(event)
            except (LookupError, TypeError, ValueError, ArithmeticError) as problem:
                raise UsageProblem(
                    f"Event {number} of the emulator's state cannot be replayed: {problem!r}.",
                    hint="Use another state file; nothing in this one was paid for.",
                ) from problem
        self.record(self.history.opened(self.now()))

    def now(self) -> float:
        """Seconds since the epoch, with everything advanced to that time."""
        return self.history.advance(self._clock.now().timestamp())

    def datetime(self) -> datetime:
        """The same as a date."""
        return datetime.fromtimestamp(self.now(), UTC)

    def record(self, event: Event) -> None:
        """Apply `event`, and record it."""
        self._journal.append(event)
        self.history.apply(event)

    def submit(
        self,
        model_id: str,
        body: JsonValue,
        origin: str,
        seen: ReferenceLooks = NOTHING_SEEN,
        owner: str | None = None,
    ) -> ServiceAnswer:
        """Check, price and accept; the order of the refusals is the emulator's choice.

        A reference that cannot be used is found out later, and fails the run; so are values that do not fit,
        if the settings say so.
        """
        spec = find(model_id)
        if spec is None:
            return answers.bad_model(self.settings, model_id)
        if not isinstance(body, dict):
            return answers.bad_body(self.settings, [("", "the body must be one JSON object")])
        checked = check_body(spec, body, self.settings)
        if checked.problems and self.settings.bad_values == "refused":
            return answers.bad_body(self.settings, checked.problems)
        if checked.problems:
            seen = ReferenceLooks(why_not=f"Invalid input. {answers.misfit(checked.problems)}")
        at = self.now()
        if self._too_many(at):
            return answers.too_many(self.settings, self.datetime())
        cost = self.settings.price(model_id) * checked.asked
        if self.history.balance < cost or self.history.balance <= 0:
            return answers.no_balance(self.settings)
        kept = shortened(spec, body)
        self.record(self.history.submitted(at, model_id, kept, checked.asked, cost, seen, owner))
        return self._accepted(self.history.ledger[-1].request_id, origin)

    def _accepted(self, request_id: str, origin: str) -> ServiceAnswer:
        body: Body = {"request_id": request_id}
        if self.settings.submit_status == 202:
            body["status"] = "in_queue"
        for end in ("status", "result", "cancel"):
            body[f"{end}_url"] = f"{origin}/v1/requests/{request_id}/{end}"
        return ServiceAnswer(body, self.settings.submit_status)

    def _too_many(self, at: float) -> bool:
        most, room = self.settings.max_submits_per_second, self.settings.queue_limit
        ledger = self.history.ledger
        if most is not None and len(ledger) >= most and at - ledger[-most].at < 1.0:
            return True
        return room is not None and self.history.busy and self.history.waiting >= room

    def status(self, submit: Submit | None, origin: str) -> ServiceAnswer:
        """The status body; None for an unknown request."""
        if submit is None:
            return answers.unknown_id(self.settings)
        return ServiceAnswer(status_body(self.history, submit, self.settings, origin))

    def result(self, submit: Submit | None, origin: str, include_cost: bool) -> ServiceAnswer:
        """The result body; None for an unknown request. The cost is given for every request, ended or not."""
        if submit is None:
            return answers.unknown_id(self.settings)
        if self.settings.unfinished_result == "error" and self.history.ended(submit) is None:
            return answers.error(self.settings, 400, 400005, "The request has not ended yet.")
        body = result_body(
            self.history, submit, self.settings, lambda index: self.address(submit, index, origin)
        )
        if include_cost:
            body |= {"cost": float(self.history.charge(submit)), "model_id": submit.model_id}
        return ServiceAnswer(body)

    def cancel(self, submit: Submit | None) -> ServiceAnswer:
        """Cancels a queued request; changes nothing for any other."""
        if submit is None:
            return answers.unknown_id(self.settings)
        body: Body = {"request_id": submit.request_id}
        state = self.history.state(submit)
        if state == "in_queue":
            self.record(self.history.cancelled(self.now(), submit))
            return ServiceAnswer(body | {"status": self.settings.cancel_word, "outcome": "cancelled"}, 202)
        return ServiceAnswer(body | {"status": state, "outcome": "not_cancellable"}, 202)

    def model(self, model_id: str) -> ServiceAnswer:
        """One model of the catalog, with its input schema."""
        spec = find(model_id)
        if spec is None:
            return answers.bad_model(self.settings, model_id)
        return ServiceAnswer(model_page(self.settings, spec, include_schema=True))

    def balance(self) -> ServiceAnswer:
        """The wallet: dollars as a number, and the same in millionths."""
        usd = self.history.balance
        return ServiceAnswer(
            {"balance_usd": float(usd), "balance_microdollars": int(usd * 1_000_000), "currency": "USD"}
        )

    def address(self, submit: Submit, index: int, origin: str, *, expired: bool = False) -> str:
        """The URL of image `index` of a request, until its link expires."""
        start = self.now()
        if not self.settings.fresh_links:
            start = self.history.ended(submit) or start
        expires = 0.0 if expired else start + self.settings.url_seconds
        link = Link(submit.ordinal, index, expires)
        made_at = datetime.fromtimestamp(submit.at, UTC).isoformat(timespec="microseconds")
        ending = _ENDINGS[self.settings.picture_format]
        return f"{origin}/media/{mint(link, self._journal.nonce, made_at, ending)}"

    def picture(self, path: str) -> LinkedImage | None:
        """The image behind a link, expired or not; None for a link of another emulator."""
        link = read(path, self._journal.nonce)
        if link is None or link.ordinal > len(self.history.ledger):
            return None
        return LinkedImage(self.history.ledger[link.ordinal - 1], link)

    def media(self, picture: LinkedImage | None) -> ServiceAnswer:
        """The recipe of the image; errors have the form of a storage's, not of the API's."""
        if picture is None:
            return ServiceAnswer(_STORAGE_ERROR.format("NoSuchKey"), 404, "application/xml")
        submit, link = picture
        if self.now() > link.expires:
            status = self.settings.expired_link_status
            return ServiceAnswer(_STORAGE_ERROR.format("AccessDenied"), status, "application/xml")
        total = max(submit.draw.pictures, link.index + 1)
        made = recipe(submit.model_id, submit.body, link.index, total, self.settings, submit.looks)
        return ServiceAnswer(made, content_type=made.content_type)
