"""The history of an emulator: events, and the requests, states, costs and balance that follow from them.

The same events in the same order give the same history, live or replayed from the journal.
"""

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from runner.emulator.pictures.looks import NOTHING_SEEN, ReferenceLooks
from runner.emulator.service.draws import Draw, draw
from runner.emulator.service.farm import Farm
from runner.emulator.service.journal import Event
from runner.emulator.settings import EmulatorSettings

State = Literal["in_queue", "in_progress", "completed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Submit:
    """An accepted submit, as in the ledger."""

    ordinal: int
    """From 1, in order of acceptance."""
    request_id: str
    model_id: str
    body: dict[str, JsonValue]
    """As it was sent."""
    at: float
    """Seconds since the epoch."""
    cost: Decimal
    """US dollars taken from the balance at acceptance."""
    asked: int
    """The most images that it may give."""
    draw: Draw
    looks: tuple[str, ...] = ()
    """The looks of its reference images, as far as they were fetched."""
    why_not: str | None = None
    """Why its run fails, if that was known at acceptance."""
    owner: str | None = None
    """Whose it is; None is everybody's."""


class History:
    """Requests by ordinal; `advance` moves them to a time."""

    def __init__(self, settings: EmulatorSettings, nonce: str) -> None:
        self._settings = settings
        self._nonce = nonce
        self._farm = Farm(settings.slots)
        self._by_id: dict[str, Submit] = {}
        self.ledger: list[Submit] = []
        self.balance = settings.balance_usd

    # -- events: made by the service, kept by the journal, applied here --

    def opened(self, at: float) -> Event:
        """The emulator starts with its number of slots."""
        return {"event": "opened", "at": at, "slots": self._settings.slots}

    def submitted(
        self,
        at: float,
        model_id: str,
        body: dict[str, JsonValue],
        asked: int,
        cost: Decimal,
        seen: ReferenceLooks = NOTHING_SEEN,
        owner: str | None = None,
    ) -> Event:
        """A submit is accepted; its outcome is drawn and stored, so that later settings cannot change it."""
        ordinal = len(self.ledger) + 1
        fate = draw(self._settings, ordinal, asked)
        more: Event = {"looks": list(seen.looks)} if seen.looks else {}
        if seen.why_not is not None:
            fate = replace(fate, outcome="failed", pictures=0)
            more = {"why_not": seen.why_not}
        if owner is not None:
            more["owner"] = owner
        return {
            "event": "submit",
            "at": at,
            "id": self._request_id(ordinal),
            "model": model_id,
            "body": body,
            "cost": str(cost),
            "asked": asked,
            "seconds": fate.seconds,
            "outcome": fate.outcome,
            "pictures": fate.pictures,
            **more,
        }

    @staticmethod
    def cancelled(at: float, submit: Submit) -> Event:
        """A waiting request is taken out of the queue."""
        return {"event": "cancel", "at": at, "ordinal": submit.ordinal}

    @staticmethod
    def paid_in(at: float, usd: Decimal) -> Event:
        """The balance changes by `usd`."""
        return {"event": "balance", "at": at, "usd": str(usd)}

    def resize(self, slots: int) -> None:
        """Have so many machines."""
        self._farm.resize(slots)

    def apply(self, event: Event) -> None:
        """Apply one event. Raises KeyError or ValueError for one that no emulator wrote."""
        at = float(event["at"])
        self.advance(at)
        match event["event"]:
            case "opened":
                self.resize(int(event["slots"]))
            case "submit":
                self._submit(event, at)
            case "cancel":
                submit = self.ledger[int(event["ordinal"]) - 1]
                if self._farm.cancel(submit.ordinal - 1) and self._settings.cancelled_cost == "free":
                    self.balance += submit.cost
            case "balance":
                self.balance += Decimal(event["usd"])
            case unknown:
                raise ValueError(f"unknown event {unknown!r}")

    def _submit(self, event: Event, at: float) -> None:
        submit = Submit(
            ordinal=len(self.ledger) + 1,
            request_id=event["id"],
            model_id=event["model"],
            body=event["body"],
            at=at,
            cost=Decimal(event["cost"]),
            asked=int(event["asked"]),
            draw=Draw(float(event["seconds"]), event["outcome"], int(event["pictures"])),
            looks=tuple(event.get("looks", ())),
            why_not=event.get("why_not"),
            owner=event.get("owner"),
        )
        self.ledger.append(submit)
        self._by_id[submit.request_id] = submit
        self._farm.arrive(submit.draw.seconds)
        self.balance -= submit.cost

    # -- what follows --

    def advance(self, at: float) -> float:
        """Advance everything to `at`; returns the time reached, which never goes back."""
        for number in self._farm.advance(at):
            submit = self.ledger[number]
            self.balance += submit.cost - self.charge(submit)
        return self._farm.now

    def find(self, request_id: str) -> Submit | None:
        """The request with that id; None if it was never accepted or has expired."""
        submit = self._by_id.get(request_id)
        if submit is None:
            return None
        ended = self.ended(submit)
        if ended is not None and self._farm.now - ended > self._settings.request_seconds:
            return None
        return submit

    def state(self, submit: Submit) -> State:
        """The state of the request, in the words of the status endpoint."""
        turn = self._farm.turns[submit.ordinal - 1]
        if turn.cancelled is not None:
            return "cancelled"
        if turn.started is None:
            return "in_queue"
        return "completed" if turn.started + turn.seconds <= self._farm.now else "in_progress"

    def ended(self, submit: Submit) -> float | None:
        """When it ended, in seconds since the epoch; None before the end."""
        ended = self._farm.turns[submit.ordinal - 1].ended
        return ended if ended is not None and ended <= self._farm.now else None

    def position(self, submit: Submit) -> int:
        """Its place in the queue, 1 being the next to start."""
        return self._farm.position(submit.ordinal - 1)

    @property
    def waiting(self) -> int:
        """How many requests are in the queue."""
        return self._farm.waiting

    @property
    def busy(self) -> bool:
        """Whether a request accepted now would have to wait."""
        return self._farm.busy

    def charge(self, submit: Submit) -> Decimal:
        """US dollars that the request costs in the end."""
        if self._farm.turns[submit.ordinal - 1].cancelled is not None:
            return Decimal(0) if self._settings.cancelled_cost == "free" else submit.cost
        if submit.draw.outcome != "succeeded":
            return Decimal(0) if self._settings.failed_cost == "free" else submit.cost
        if self._settings.billed == "delivered":
            return submit.cost * submit.draw.pictures / submit.asked
        return submit.cost

    def _request_id(self, ordinal: int) -> str:
        text = f"{self._settings.seed}/{ordinal}".encode()
        key = self._nonce.encode()[:64]
        return str(UUID(bytes=hashlib.blake2b(text, key=key, digest_size=16).digest(), version=4))
