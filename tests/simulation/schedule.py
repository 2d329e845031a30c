"""What goes wrong in one trial, all of it drawn from its seed before the first event."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.simulation.process import Crash
from tests.simulation.refs import INSIDE, STORED

POINTS: dict[str, tuple[int, int]] = {
    "before intent": (6, 2),
    "after intent": (4, 2),
    "after journal": (4, 2),
    "before submit": (8, 2),
    "after submit": (10, 2),
    "after end": (6, 2),
    "after commit of the answer": (6, 2),
    "before commit": (12, 20),
    "after commit": (6, 20),
    "before a thread's work": (6, 15),
    "after a thread's work": (6, 15),
    "before a picture's file": (3, 2),
    "before a picture's bytes": (3, 2),
    "before a picture is finished": (3, 2),
    "before a picture's name": (6, 2),
    "after a picture's name": (6, 2),
    "before a request": (8, 14),
    "before an answer": (8, 14),
    "step": (20, 500),
}
"""Where a process can be killed: how often that place is chosen, and up to which time of coming there."""

PLACES = ("database", "database without its wal", "wal", "journal", "state folder", "lock", "the set")
"""What can be lost between two runs: all of the database, one file of it, what lies beside it, or both."""
_SPARED = 0.3
"""Share of the times between two runs in which nothing is lost."""
_MOST_LOSSES = 8
_ALLOWING_ORDERS = ("edit", "retry", "review")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens while runs are on: `at` seconds after the trial began, `amount` of it."""

    at: float
    what: str
    amount: float = 0.0

    def __str__(self) -> str:
        return f"{self.at:.1f} s: {self.what} {self.amount:.1f}"


@dataclass(frozen=True, slots=True)
class Loss:
    """What happens to files between two runs."""

    what: str
    """`deleted`, `restored` from an earlier time of the trial, or `moved` to a folder of its own."""
    place: str

    def __str__(self) -> str:
        return f"{self.place} {self.what}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One trial, as far as it is known before it begins."""

    seed: int
    rows: int
    crashes: tuple[Crash, ...]
    faults: tuple[Fault, ...] = ()
    emulator: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    weather: tuple[Event, ...] = ()
    orders: tuple[Event, ...] = ()
    look_seconds: float = 5.0
    makes_its_database: bool = False
    copies: bool = False
    """Rows that say the same, and every run with `--dedupe`."""
    in_parts: bool = False
    """Some runs are of a part: the others of the batch stay queued."""
    prunes: bool = False
    """Every run is with `--prune`."""
    gateway: float = 0.0
    """The share of the calls that something between the run and the API answers."""
    upload: str | None = None
    """How pictures of the machine get to the API, where rows name some."""
    losses: tuple[Loss | None, ...] = ()
    """Between any two runs: what is lost. No person allows a second submit in a trial that loses files."""

    def lines(self) -> list[str]:
        """For a person who replays it."""
        return [
            f"{self.rows} rows; crashes: {', '.join(map(str, self.crashes)) or 'none'}",
            f"settings {self.settings}; emulator {self.emulator}",
            f"copies {self.copies}; in parts {self.in_parts}; prunes {self.prunes}; upload {self.upload}",
            f"gateway {self.gateway}",
            f"losses {', '.join(map(str, self.losses)) or 'none'}",
            *(f"fault {fault.model_dump_json(exclude_defaults=True)}" for fault in self.faults),
            *(f"weather {event}" for event in self.weather),
            *(f"order {event}" for event in self.orders),
        ]


def schedule(seed: int) -> Schedule:
    """The trial of a seed."""
    dice, others = random.Random(f"schedule {seed}"), random.Random(f"choices {seed}")
    made = Schedule(
        seed=seed,
        rows=dice.choice((1, 2, 2, 2, 3, 3)),
        crashes=tuple(_crash(dice) for _ in range(dice.choice((1, 1, 1, 2, 2, 3)))),
        faults=tuple(_fault(dice) for _ in range(dice.choice((0, 0, 1, 1, 2, 3)))),
        emulator=_emulator(dice, seed),
        settings=_settings(dice),
        weather=_events(dice, _WEATHER, dice.choice((0, 0, 0, 1, 1, 2))),
        orders=_events(dice, _ORDERS, dice.choice((0, 0, 0, 1, 2))),
        look_seconds=dice.choice((2.0, 15.0, 60.0)),
        makes_its_database=dice.random() < 0.02,
        copies=others.random() < 0.2,
        in_parts=others.random() < 0.15,
        prunes=others.random() < 0.15,
        upload=others.choice((None, None, None, None, INSIDE, STORED)),
        gateway=random.Random(f"gateway {seed}").choice((0.0, 0.0, 0.0, 0.3, 0.8)),
    )
    made = replace(made, settings=made.settings | _guards(random.Random(f"guards {seed}")))
    if made.upload is None:
        return made
    return replace(
        made,
        weather=(*made.weather, *_events(others, _STORE_WEATHER, others.choice((0, 0, 1)))),
        orders=(*made.orders, *_events(others, _PAINTER, others.choice((0, 1, 2)))),
    )


def losing(made: Schedule) -> Schedule:
    """The same trial, with files that are lost between its runs.

    Whoever allows a second submit is left out, so that each row may be accepted once; so are edits of the
    sheet, and clocks that are set forward by years: a journal goes after 90 days.
    """
    dice = random.Random(f"losses {made.seed}")
    allowing = ("max_attempts", "resubmit_unconfirmed")
    return replace(
        made,
        rows=made.rows + 1,
        settings={name: value for name, value in made.settings.items() if name not in allowing},
        weather=tuple(event for event in made.weather if event.what != "clock"),
        orders=tuple(event for event in made.orders if event.what not in _ALLOWING_ORDERS),
        copies=False,
        upload=None,
        losses=tuple(_loss(dice) for _ in range(_MOST_LOSSES)),
    )


def _loss(dice: random.Random) -> Loss | None:
    if dice.random() < _SPARED:
        return None
    place = dice.choice(PLACES)
    moves = () if place == "state folder" else ("moved",)
    return Loss(dice.choice(("deleted", "restored", "restored", *moves)), place)


def _crash(dice: random.Random) -> Crash:
    (point,) = dice.choices(list(POINTS), [weight for weight, _most in POINTS.values()])
    most = POINTS[point][1]
    return Crash(point, 1 + int(most * dice.random() ** 1.5))


def _some(
    **choices: tuple[float, Callable[[random.Random], Any]],
) -> Callable[[random.Random], dict[str, Any]]:
    def draw(dice: random.Random) -> dict[str, Any]:
        return {name: made(dice) for name, (share, made) in choices.items() if dice.random() < share}

    return draw


def _of(*values: Any) -> Callable[[random.Random], Any]:
    return lambda dice: dice.choice(values)


_more_of_the_api = _some(
    slots=(0.5, _of(1, 2, 8)),
    failed_share=(0.15, _of(0.2, 0.5)),
    moderated_share=(0.1, _of(0.2, 0.5)),
    short_share=(0.2, _of(0.5, 1.0)),
    url_seconds=(0.2, _of(0.5, 20.0, 120.0)),
    fresh_links=(0.1, _of(False)),
    expired_link_status=(0.2, _of(403, 404, 410)),
    request_seconds=(0.05, _of(60.0, 600.0)),
    max_submits_per_second=(0.1, _of(1, 2)),
    queue_limit=(0.1, _of(0, 1)),
    retry_after=(0.3, _of("seconds", "date", "none")),
    errors_on_200=(0.1, _of(True)),
    token_status=(0.2, _of(400, 401, 403)),
    balance_status=(0.2, _of(400, 402)),
    balance_usd=(0.1, _of(Decimal(0), Decimal("0.1"), Decimal("0.2"))),
    submit_status=(0.2, _of(200, 202)),
    failed_in_status=(0.2, _of(True)),
    success_word=(0.2, _of("succeeded", "completed")),
    single_picture_as=(0.2, _of("image", "images")),
    unfinished_result=(0.2, _of("state", "error")),
    timestamps=(0.2, _of("iso", "epoch", "none")),
    cancelled_cost=(0.1, _of("billed")),
    billed=(0.1, _of("delivered")),
)

_some_settings = _some(
    concurrency=(0.4, _of(1, 2, 4)),
    submit_gate=(0.4, _of(1, 2, 4)),
    downloads=(0.3, _of(1, 2)),
    rate=(0.1, _of(6.0, 60.0)),
    max_attempts=(0.15, _of(2, 3)),
    resubmit_unconfirmed=(0.1, _of(1, 2)),
    guard_failures=(0.1, _of(1, 2)),
    guard_unconfirmed=(0.1, _of(1, 2)),
    budget=(0.1, _of(Decimal("0.1"), Decimal("0.2"), Decimal("1"))),
    keep_bad=(0.1, _of(True)),
    canary_above=(0.1, _of(1)),
)


_guards = _some(canary=(0.8, _of(1, 1, 2, 3)), guard_window=(0.1, _of(1, 2, 3)))


def _emulator(dice: random.Random, seed: int) -> dict[str, Any]:
    median = dice.choice((2.0, 10.0, 10.0, 60.0))
    return {"seed": seed, "median_seconds": median} | _more_of_the_api(dice)


def _settings(dice: random.Random) -> dict[str, Any]:
    poll_min = dice.choice((1.0, 2.0, 5.0))
    return {
        "poll_min": poll_min,
        "poll_max": poll_min * dice.choice((1, 4)),
        "deadline": dice.choice((120.0, 300.0, 900.0)),
        "outage_limit": dice.choice((60.0, 120.0, 600.0)),
    } | _some_settings(dice)


_DOUBTFUL = (
    {"kind": FaultKind.DROP},
    {"kind": FaultKind.RESET},
    {"kind": FaultKind.STALL},
    {"kind": FaultKind.HTML},
    {"kind": FaultKind.REDIRECT},
    {"kind": FaultKind.HTTP, "status": 500},
    {"kind": FaultKind.HTTP, "status": 502, "shape": "html"},
    {"kind": FaultKind.HTTP, "status": 503, "shape": "text"},
    {"kind": FaultKind.HTTP, "status": 504, "shape": "empty"},
    {"kind": FaultKind.ERROR_ON_200},
)
"""Answers to a submit that may have been accepted, or not."""

_SUBMIT: tuple[dict[str, Any], ...] = (
    *_DOUBTFUL,
    *({**kind, "accepted": True} for kind in _DOUBTFUL),
    {"kind": FaultKind.TRUNCATE},
    {"kind": FaultKind.TRUNCATE, "count": 70},
    {"kind": FaultKind.CUT},
    {"kind": FaultKind.CUT, "count": 60},
    {"kind": FaultKind.DRIP},
    {"kind": FaultKind.NO_ID},
    {"kind": FaultKind.HTTP, "status": 429, "retry_after": 3},
    {"kind": FaultKind.HTTP, "status": 429, "retry_after": 30, "retry_after_date": True},
    {"kind": FaultKind.HTTP, "status": 429, "retry_after": "soon"},
    {"kind": FaultKind.HTTP, "status": 503, "retry_after": 2},
    {"kind": FaultKind.HTTP, "status": 408},
    {"kind": FaultKind.HTTP, "status": 425},
    {"kind": FaultKind.HTTP, "status": 422},
    {"kind": FaultKind.MODERATED},
    {"kind": FaultKind.TOKEN},
    {"kind": FaultKind.BALANCE},
)
_ANY: tuple[dict[str, Any], ...] = (
    {"kind": FaultKind.HTTP, "status": 500},
    {"kind": FaultKind.HTTP, "status": 502, "shape": "html"},
    {"kind": FaultKind.HTTP, "status": 503, "retry_after": 5},
    {"kind": FaultKind.HTTP, "status": 429, "retry_after": 2},
    {"kind": FaultKind.DROP},
    {"kind": FaultKind.RESET},
    {"kind": FaultKind.STALL},
    {"kind": FaultKind.TRUNCATE},
    {"kind": FaultKind.CUT},
    {"kind": FaultKind.DRIP, "seconds": 0.3},
    {"kind": FaultKind.HTML},
    {"kind": FaultKind.REDIRECT},
)
_STATUS: tuple[dict[str, Any], ...] = (
    *_ANY,
    {"kind": FaultKind.UNKNOWN_ID},
    {"kind": FaultKind.TOKEN},
    {"kind": FaultKind.WORD},
    {"kind": FaultKind.STAYS},
    {"kind": FaultKind.ERROR_ON_200},
)
_RESULT: tuple[dict[str, Any], ...] = (
    *_STATUS,
    {"kind": FaultKind.FAILED},
    {"kind": FaultKind.MODERATED},
    {"kind": FaultKind.NO_PICTURES},
    {"kind": FaultKind.NO_OUTPUT},
    {"kind": FaultKind.FEWER_PICTURES},
    {"kind": FaultKind.MORE_PICTURES},
    {"kind": FaultKind.FOREIGN_URL},
    {"kind": FaultKind.EXPIRED_LINKS},
)
_MEDIA: tuple[dict[str, Any], ...] = (
    *_ANY,
    {"kind": FaultKind.HTTP, "status": 404, "shape": "text"},
    {"kind": FaultKind.HTTP, "status": 403, "shape": "text"},
    {"kind": FaultKind.WRONG_BYTES},
    {"kind": FaultKind.WRONG_TYPE},
    {"kind": FaultKind.GZIP},
    {"kind": FaultKind.BOMB},
    {"kind": FaultKind.HUGE, "count": 80_000_000},
)
_KINDS: dict[Endpoint, tuple[dict[str, Any], ...]] = {
    Endpoint.SUBMIT: _SUBMIT,
    Endpoint.STATUS: _STATUS,
    Endpoint.RESULT: _RESULT,
    Endpoint.MEDIA: _MEDIA,
    Endpoint.CANCEL: (
        *_ANY,
        {"kind": FaultKind.UNKNOWN_ID},
        {"kind": FaultKind.TOKEN},
        {"kind": FaultKind.ERROR_ON_200},
    ),
    Endpoint.MODELS: _ANY,
    Endpoint.ANY: (
        {"kind": FaultKind.DROP},
        {"kind": FaultKind.STALL},
        {"kind": FaultKind.HTTP, "status": 503},
    ),
}


def _fault(dice: random.Random) -> Fault:
    (endpoint,) = dice.choices(list(_KINDS), (8, 3, 4, 5, 1, 1, 1))
    often: dict[str, Any] = dice.choice(
        (
            {"times": 1, "from_call": dice.randint(1, 4)},
            {"times": dice.randint(2, 6)},
            {"times": None, "chance": 0.3},
            {"times": None, "prompt": f"no. {dice.randrange(3)}"},
            {"times": None, "after_seconds": dice.uniform(0, 60), "for_seconds": dice.uniform(1, 200)},
        )
    )
    if endpoint is Endpoint.ANY:
        often = {"times": None, "after_seconds": dice.uniform(0, 30), "for_seconds": dice.uniform(5, 600)}
    return Fault(endpoint=endpoint, **dice.choice(_KINDS[endpoint]), **often)


_WEATHER = ("offline", "clock", "sleep", "cut", "token", "balance", "disk full", "database full")
_STORE_WEATHER = ("store silent", "store refuses")
_PAINTER = ("paint", "paint", "lose a picture")
_ORDERS = (
    "pause",
    "resume",
    "tune",
    "cancel one",
    "cancel all",
    "retry",
    "review",
    "edit",
    "second runner",
    "interrupt",
)


def _events(dice: random.Random, kinds: tuple[str, ...], many: int) -> tuple[Event, ...]:
    made = [
        Event(dice.uniform(0, 40), dice.choice(kinds), dice.choice((1.0, 20.0, 90.0, 300.0)))
        for _ in range(many)
    ]
    return tuple(sorted(made, key=lambda event: event.at))
