"""What a person does meanwhile: the real commands, each in a process of its own, and edits of the sheet."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from jobs.failures import FailureKind
from jobs.states import JobState
from jobs.store.open import open_store
from runner.cli.commands import cancel, pause, retry, review, tune
from runner.cli.commands.cancel import cancel_jobs
from runner.cli.commands.pause import pause_batch
from runner.cli.commands.retry import retry_jobs
from runner.cli.commands.review import review_jobs
from runner.cli.commands.tune import tune_batch
from runner.cli.console import console
from runner.emulator.service.history import Submit
from runner.environment import Environment
from tests.simulation.refs import COLOURS, as_planned, paint
from tests.simulation.schedule import Event
from tests.simulation.world import World
from tests.support.night import BASE, TOKEN
from tests.support.tables import select

_ENVIRONMENT, _CLOCK = "process_environment", "system_clock"
_FOUND = (
    *((command, _ENVIRONMENT) for command in (cancel, retry, review)),
    *((command, _CLOCK) for command in (pause, tune)),
)
"""What each command finds around it; a name that a command does not have is an error."""

Order = Callable[[World], Coroutine[Any, Any, Any]]


@contextmanager
def commands_of(w: World) -> Iterator[None]:
    """Within, commands find the simulated environment, and print to nobody."""

    def process_environment() -> Environment:
        return w.environment  # of whoever asks

    finds = {_ENVIRONMENT: process_environment, _CLOCK: lambda: w.clock}
    with ExitStack() as stack:
        for command, name in _FOUND:
            stack.enter_context(mock.patch.object(command, name, finds[name]))
        for name in ("message", "result", "as_json", "table"):
            stack.enter_context(mock.patch.object(console, name))
        stack.enter_context(mock.patch.object(console, "is_interactive", return_value=False))
        yield


async def carry_out(w: World, number: int, event: Event) -> None:
    """One thing that a person does."""
    w.history.note(f"order {number}: {event.what}")
    match event.what:
        case "edit":
            _edit(w)
        case "interrupt":
            _interrupt(w)
        case "paint" | "lose a picture":
            _paint(w, lost=event.what != "paint")
        case what:
            if w.database.exists():
                work = w.order(number, _ORDERS[what](w), runs=what == "second runner")
                await asyncio.shield(work)  # it outlives those who gave the order


def _keys(w: World, *states: JobState) -> list[str]:
    """Keys of the jobs that stand there, one revision of each."""
    return sorted({job.key for job in w.table.jobs.values() if job.state in states})


def _edit(w: World) -> None:
    """Change a row, change it back, take one out, or add one. The next `run` loads it."""
    key = w.dice.choice(sorted(w.rows))
    number = key.partition("-")[2]
    match w.dice.choice(("change", "undo", "remove", "add")):
        case "change":
            w.rows[key] = f"A boat no. {number} in the rain"
        case "undo":
            w.rows[key] = f"A boat no. {number}"
        case "remove" if len(w.rows) > 1:
            del w.rows[key]
        case _:
            new = f"row-{max(int(key.partition('-')[2]) for key in w.rows) + 1}"
            w.rows[new] = f"A boat no. {new.partition('-')[2]}"


def _paint(w: World, *, lost: bool) -> None:
    """Another picture where a row's was, or none until the next `run`; that row may be sent by now."""
    named = sorted(key for key in w.rows if w.names_a_picture(key))
    if not named or not w.folder.exists():
        return
    key = w.dice.choice(named)
    if lost:
        (w.folder / "refs" / f"{key}.png").unlink(missing_ok=True)
    else:
        w.colours[key] = w.dice.choice(COLOURS)
        paint(w.folder, key, w.colours[key])


def _interrupt(w: World) -> None:
    """SIGTERM, once a run: a second one would end this very process."""
    process = w.running
    if process is None or process.dead or process.reached["interrupt"]:
        return
    if signal.SIGTERM in w.loop.obeyed:
        process.reached["interrupt"] += 1
        w.loop.deliver(signal.SIGTERM)


async def _paused(w: World) -> None:
    await pause_batch(w.settings(), None)


async def _resumed(w: World) -> None:
    """From a second terminal; where nobody runs it would do the work itself, which is `World.live`'s part."""
    if w.running is not None:
        w.net.allowed_again()
        await _in_second_terminal(w)


async def _in_second_terminal(w: World) -> None:
    async with open_store(w.settings().database, w.clock.now) as store:
        await store.batches.resume((await store.batches.named(None)).id)


async def _second_runner(w: World) -> None:
    """It is refused while a run holds the database; where that one is about to end, it takes over."""
    if w.running is not None and w.table.jobs:
        await w.run(w.folder / "sheet.csv")


async def _tuned(w: World) -> None:
    said = {
        "concurrency": w.dice.choice(("1", "3", "none")),
        "rate": w.dice.choice(("30", "none")),
        "budget": w.dice.choice(("0.1", "5", "none")),
    }
    name = w.dice.choice(sorted(said))
    await tune_batch(w.settings(), None, {name: said[name]})


async def _cancelled_one(w: World) -> None:
    keys = _keys(w, JobState.QUEUED, JobState.SUBMITTING, JobState.RUNNING)
    if keys:
        await cancel_jobs(w.settings(), None, [w.dice.choice(keys)])


async def _cancelled_all(w: World) -> None:
    await cancel_jobs(w.settings(), None, None)


async def _retried(w: World) -> None:
    failed = _keys(w, JobState.FAILED, JobState.CANCELLED)
    if failed and w.dice.random() < 0.7:
        await retry_jobs(w.settings(yes=True), None, [w.dice.choice(failed)], ())
    else:
        await retry_jobs(w.settings(yes=True), None, (), [FailureKind.REMOTE_FAILED, FailureKind.BAD_PICTURE])


async def _reviewed(w: World) -> None:
    """A person decides about one unconfirmed submit, not always rightly."""
    doubts = in_doubt(w)
    if not doubts:
        return
    key = w.dice.choice(sorted(doubts))
    match w.dice.choice(("attach", "resubmit", "discard", "attach a wrong one")):
        case "attach":
            lost = unclaimed(w, doubts[key])
            await review_jobs(w.settings(), None, [f"{key}={lost[0].request_id}"] if lost else (), (), ())
        case "resubmit":
            await review_jobs(w.settings(yes=True), None, (), [key], ())
        case "discard":
            await review_jobs(w.settings(), None, (), (), [key])
        case _:
            await review_jobs(w.settings(), None, [f"{key}=00000000-0000-4000-8000-000000000000"], (), ())


_ORDERS: dict[str, Order] = {
    "pause": _paused,
    "resume": _resumed,
    "second runner": _second_runner,
    "tune": _tuned,
    "cancel one": _cancelled_one,
    "cancel all": _cancelled_all,
    "retry": _retried,
    "review": _reviewed,
}


def in_doubt(w: World) -> dict[str, str]:
    """The unconfirmed jobs, by KEY@REVISION, and what each of them sent."""
    found = select(
        w.database, "SELECT key, revision, inputs FROM job WHERE state = 'unconfirmed' ORDER BY id"
    )
    return {f"{job['key']}@{job['revision']}": job["inputs"] for job in found}


def unclaimed(w: World, inputs: str) -> list[Submit]:
    """What the API's dashboard shows of these inputs, and nobody has the id of."""
    held = {attempt.request_id for attempt in w.table.attempts.values()}
    return [s for s in w.service.ledger if s.request_id not in held and as_planned(s.body) == inputs]


async def decide_about_all(w: World) -> None:
    """In the end a person looks at the dashboard, and settles every doubt: what is there is attached."""
    tried: set[str] = set()
    for number in range(900, 999):
        doubts = in_doubt(w)
        if not doubts:
            return
        name, inputs = next(iter(doubts.items()))
        lost = unclaimed(w, inputs)
        if lost and lost[0].request_id not in tried:  # what the API has forgotten cannot be attached
            tried.add(lost[0].request_id)
            await w.order(number, review_jobs(w.settings(), None, [f"{name}={lost[0].request_id}"], (), ()))
        else:
            await w.order(number, review_jobs(w.settings(), None, (), (), [name]))
        await asyncio.sleep(1)
    raise AssertionError("I10: a doubt that cannot be settled")


def forgotten(w: World) -> list[str]:
    """Keys of the jobs that wait for a request that the API does not know any more."""
    newest = {attempt.job_id: attempt.request_id for _id, attempt in sorted(w.table.attempts.items())}
    running = [job for job in w.table.jobs.values() if job.state is JobState.RUNNING]
    return sorted(job.key for job in running if not _is_known(w, newest[job.id]))


def _is_known(w: World, request_id: str | None) -> bool:
    assert request_id is not None
    return "error_code" not in w.service.status(request_id, token=TOKEN, origin=BASE).body


async def give_up_forgotten(w: World, number: int) -> None:
    """In the end a person gives up what the API has forgotten. Each ends as lost: its id is kept."""
    keys = forgotten(w)
    if keys:
        w.history.note(f"order {number}: give up {', '.join(keys)}")
        await w.order(number, cancel_jobs(w.settings(), None, keys))


async def clear_pause(w: World) -> None:
    """`resume`: `run` leaves a guard's and a person's pause."""
    await w.order(898, _in_second_terminal(w))


async def untune(w: World) -> None:
    """Take back what was tuned."""
    said = {"concurrency": "none", "rate": "none", "budget": "none"}
    await w.order(899, tune_batch(w.settings(), None, said))
