"""One trial: runs over a small sheet under a seed's troubles, killed one to three times, then left in peace.

In the end a person settles what is in doubt, and everything has to come to its end. `run_trial` raises what
the oracle finds, with the command that replays it.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from jobs.pauses import UNTIL_RESUMED
from jobs.states import ENDED, JobState
from runner.planning.selection import WHOLE, Selection
from tests.simulation import oracle
from tests.simulation.evidence import gather
from tests.simulation.history import History
from tests.simulation.losing import Files, judge
from tests.simulation.orders import carry_out, clear_pause, decide_about_all, give_up_forgotten, untune
from tests.simulation.process import Crash
from tests.simulation.schedule import Schedule, losing, schedule
from tests.simulation.stage import in_world
from tests.simulation.weather import befall, clear
from tests.simulation.world import Ended, World
from tests.support.witness import LOSSES

MOST_LIVES = 30
LIMIT_SECONDS = 2 * 24 * 3600.0
LIFE_SECONDS = 6 * 3600.0
"""No run of a few rows is longer: I10."""

_LIVES_AFTER_LOSSES = 3
_IDLE = 0.3
"""Share of the trials that are run once more when all is over."""
_NO_GUARDS = {"guard_failures": 0, "guard_window": 0, "guard_unconfirmed": 0, "canary": 0}
_PEACEFUL: dict[str, Any] = {"budget": None, "rate": None} | _NO_GUARDS


@dataclass(frozen=True, slots=True)
class Result:
    """What a trial came to."""

    plan: Schedule
    history: History
    deaths: tuple[str, ...]
    """The points at which the machine died."""
    submits: int
    paid_twice: int
    lost: int
    answered_after: int
    """Answers of something in front of the API after it had accepted a submit."""
    virtual_seconds: float
    losses: tuple[str, ...] = ()
    """What was lost of its files, between its runs."""
    refused: int = 0
    """Runs of a trial that loses files which refused to begin."""

    @property
    def crashes(self) -> int:
        return len(self.deaths)


def run_trial(seed: int, told: Callable[[History], None] = lambda _history: None, **changes: Any) -> Result:
    """The trial of a seed; `changes` are fields of its schedule. `told` is given its history to look at."""
    return _run(replace(schedule(seed), **changes), "", told)


def run_losing_trial(seed: int, told: Callable[[History], None] = lambda _history: None) -> Result:
    """The same trial, with files that are lost between its runs."""
    return _run(losing(schedule(seed)), " --losing", told)


def search_trial(seed: int) -> Result:
    """The trial of a seed in a search: some of them lose files."""
    loses = random.Random(f"loses {seed}").random() < LOSSES
    return run_losing_trial(seed) if loses else run_trial(seed)


def _run(plan: Schedule, how: str, told: Callable[[History], None]) -> Result:
    world: list[World] = []

    async def course(w: World) -> Result:
        world.append(w)
        told(w.history)
        return await (_losing_course(w) if plan.losses else _course(w))

    try:
        return in_world(plan, course, limit_seconds=LIMIT_SECONDS)
    except BaseException as error:
        if world:
            error.add_note("the end of its history:\n" + "\n".join(world[0].history.lines[-25:]))
        error.add_note(f"replay it: python -m tests.simulation.replay {plan.seed}{how}")
        raise


async def _course(w: World) -> Result:
    crashes = list(w.plan.crashes)
    environment = asyncio.create_task(_surround(w))
    try:
        for _life in range(len(crashes) + w.dice.choice((0, 0, 1))):
            await _live(w, crashes)
            await w.clock.sleep(w.dice.choice((1.0, 30.0, 400.0)))
    finally:
        environment.cancel()
        with suppress(asyncio.CancelledError):
            await environment
    clear(w)
    await w.alone()
    if w.table.jobs:
        await untune(w)
    await _in_peace(w, crashes)
    if JobState.UNCONFIRMED in w.table.states():
        await decide_about_all(w)
        await _in_peace(w, crashes)
    assert set(w.table.states()) <= ENDED, f"I10: {w.table.states()}"
    if w.dice.random() < _IDLE:
        await _idle(w)
    e = gather(w)
    lost = oracle.losses(e)
    return Result(
        w.plan,
        w.history,
        tuple(w.deaths),
        len(e.submits),
        lost.paid_twice,
        lost.lost,
        w.gateway.after,
        w.clock.monotonic(),
    )


async def _losing_course(w: World) -> Result:
    """Runs of which files are lost in between. Each may refuse to begin; what is in doubt stays so."""
    crashes, files, refused = list(w.plan.crashes), Files(w), 0
    environment = asyncio.create_task(_surround(w))
    try:
        for loss in w.plan.losses:
            refused += await _live_on(w, crashes, files)
            await w.alone()
            files.keep()
            if loss is not None and files.spares(loss):
                files.befall(loss)
            if not crashes:
                break
            await w.clock.sleep(w.dice.choice((1.0, 30.0, 400.0)))
    finally:
        environment.cancel()
        with suppress(asyncio.CancelledError):
            await environment
    clear(w)
    await w.alone()
    for _life in range(_LIVES_AFTER_LOSSES):
        refused += await _live_on(w, [], files, **_PEACEFUL)
        await w.clock.sleep(60)
    oracle.i13_token_nowhere(w.folder, w.watching.notices)
    return Result(
        w.plan,
        w.history,
        tuple(w.deaths),
        len(w.service.ledger),
        *judge(w),
        w.gateway.after,
        w.clock.monotonic(),
        tuple(files.befallen),
        refused,
    )


async def _live_on(w: World, crashes: list[Crash], files: Files, **settings: Any) -> bool:
    """One life, in which every request has to keep its rules; whether it was refused."""
    resume = w.database.exists() and bool(w.table.jobs) and w.dice.random() < 0.3
    ended = await w.live(crashes[0] if crashes else None, resume=resume, **settings)
    for violation in w.history.violations:
        raise violation
    if crashes and (ended.killed or w.dice.random() < 0.5):
        crashes.pop(0)
    if ended.report is not None and not ended.killed:
        files.healed()
    return ended.error is not None


async def _surround(w: World) -> None:
    """Weather and orders, each at its time."""
    events = [(event, None) for event in w.plan.weather]
    orders = [(event, number) for number, event in enumerate(w.plan.orders, start=1)]
    async with asyncio.TaskGroup() as tasks:
        for event, number in sorted([*events, *orders], key=lambda pair: pair[0].at):
            await w.clock.sleep(event.at - w.clock.monotonic())
            tasks.create_task(befall(w, event) if number is None else carry_out(w, number, event))


async def _live(w: World, crashes: list[Crash], **settings: Any) -> Ended:
    """One life, and the oracle after it."""
    crash = crashes[0] if crashes else None
    meddled = w.meddled
    begun = len(w.transport.calls)
    resume = not settings and bool(w.table.jobs) and w.dice.random() < 0.3  # in peace the sheet is loaded
    part = _part(w) if w.plan.in_parts and not settings else WHOLE
    ended = await w.live(crash, resume=resume, part=part, **settings)
    for violation in w.history.violations:
        raise violation
    assert ended.seconds <= LIFE_SECONDS, f"I10: a run of {ended.seconds:.0f} s"
    most = 60 + 20 * len(w.table.jobs) + 12 * ended.seconds
    assert len(w.transport.calls) - begun <= most, "I15: too many requests"
    if ended.killed:
        crashes.pop(0)
    elif crash is not None:  # it never came there: sooner, and where every run comes
        crashes[0] = (
            Crash("step", 1 + crash.nth % 60)
            if crash.point == "step"
            else Crash("after commit", 1 + crash.nth % 3)
        )
    _check(w, ended, alone=w.meddled == meddled)
    return ended


def _part(w: World) -> Selection:
    """Of the rows that the sheet has now; what none of them is like is refused."""
    match w.dice.choice(("limit", "sample", "only", "whole")):
        case "limit":
            return Selection(limit=w.dice.choice((1, 2)))
        case "sample":
            return Selection(sample=1)
        case "only":
            return Selection(only=(w.dice.choice(sorted(w.rows)),))
        case _:
            return WHOLE


def _check(w: World, ended: Ended, *, alone: bool = True) -> None:
    oracle.i13_token_nowhere(w.folder, w.watching.notices)
    assert w.service.media_with_token == 0, "I13: a picture's host was told the token"
    if not w.table.jobs:
        return
    e = gather(w)
    if ended.killed or ended.process.reached["refusal"]:  # what the table could not take is as after a kill
        oracle.after_a_kill(e, gate=w.net.gate)
        w.orphans |= {path for path in oracle.unknown_files(e) if path.suffix != ".part"}
    if ended.killed:
        return
    defects = [text for text in w.watching.notices if "defect" in text]
    assert not defects, f"a defect: {defects}"
    if ended.report is None:  # refused before it could put anything in order
        oracle.after_a_kill(e, gate=w.net.gate)
        return
    if not ended.process.reached["refusal"] and not w.is_run:
        oracle.between_runs(e, w.orphans)
    known = set(e.held) | set(e.journaled)
    for receipt in w.net.receipts:
        if receipt.process is ended.process and receipt.request_id not in known:
            if receipt.request_id in e.named:
                continue
            told = any(receipt.request_id in text for text in w.watching.notices)
            assert told, f"I3: {receipt.request_id} was received, and is nowhere"
    counts = sum(ended.report.counts.values())
    assert counts == sum(job["current"] for job in e.jobs), "I8: counts that do not add up"
    if ended.report.exit_code != 73:
        oracle.i8_manifests_complete(e, current=alone)


async def _in_peace(w: World, crashes: list[Crash]) -> None:
    """Nothing goes wrong any more, but for the crashes that are left: all that is not in doubt ends. I10.

    What the API has forgotten ends by a person: a run alone never calls it lost without evidence.
    """
    for life in range(MOST_LIVES):
        if w.table.paused in UNTIL_RESUMED:
            await clear_pause(w)
        ended = await _live(w, crashes, **_PEACEFUL)
        if crashes or ended.killed:
            continue
        assert ended.error is None, f"I10: in peace, and refused: {ended.error}"
        if w.table.waiting_for_nobody() <= oracle.SETTLED:
            return
        await give_up_forgotten(w, 700 + life)
        await w.clock.sleep(60)
    raise AssertionError(f"I10: not settled in peace: {w.table.states()}")


async def _idle(w: World) -> None:
    """A batch that is over asks the API nothing, and nothing of it changes. I9."""
    calls, before = len(w.transport.calls), gather(w)
    ended = await w.live()
    after = gather(w)
    assert len(w.transport.calls) == calls, "I9: a finished batch calls the API"
    assert [_lasting(job) for job in after.jobs] == [_lasting(job) for job in before.jobs], "I9: jobs changed"
    assert after.attempts == before.attempts, "I9: attempts changed"
    assert after.artifacts == before.artifacts, "I9: pictures changed"
    _check(w, ended)


def _lasting(job: Any) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name != "generation"}
