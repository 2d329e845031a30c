"""`resume` beside another runner promises only what comes true, and takes over from one that is ending."""

import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import pytest

from jobs.errors import LockHeld
from jobs.manifests.of_a_run import write_manifests
from jobs.outcomes import Attached
from jobs.states import JobState
from jobs.store.open import open_store
from runner.downloads.disk import LocalDisk
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.events.report import RunReport
from runner.recovery.lock import Phase, holding, say_phase
from tests.support.night import TOKEN, Night, night
from tests.support.tables import select
from tests.support.virtual_time import virtual

ROWS = 20
GOES_ON = "It goes on by itself."


class Runner:
    """A run beside the test; its report, once it has ended."""

    report: RunReport

    async def run(self, w: Night) -> None:
        self.report = await w.run(w.sheet(ROWS))


@asynccontextmanager
async def beside(w: Night) -> AsyncIterator[Runner]:
    """A run for the length of the block, which waits for its end."""
    runner = Runner()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run, w)
        yield runner


async def told(w: Night, word: str) -> None:
    """Wait until the run says so."""
    with anyio.fail_after(3600):
        while not any(word in notice for notice in w.watching.notices):
            await w.clock.sleep(0.1)


async def stored_pause(w: Night, reason: str) -> None:
    """Wait until the table has the pause: the runner writes it when it looks next."""
    with anyio.fail_after(3600):
        while select(w.database, "SELECT paused_reason FROM batch") != [{"paused_reason": reason}]:
            await w.clock.sleep(0.1)


def is_waited_for(w: Night) -> bool:
    return any("is ending: waiting until it has ended" in notice for notice in w.watching.notices)


@virtual
async def test_a_token_pause_with_downloads_under_way(tmp_path: Path) -> None:
    """The runner cannot go on: polls that were cancelled do not come back. The next one can, and does."""
    slow = Fault(endpoint=Endpoint.MEDIA, kind=FaultKind.DRIP, seconds=0.5, times=None)
    async with night(tmp_path, faults=[slow]) as w, beside(w) as runner:
        while not any(method == "GET" and "media" in path for _, method, path in w.transport.calls):
            await w.clock.sleep(0.1)
        w.service.revoke(TOKEN)
        await told(w, "Paused (token)")
        w.service.accept_tokens(None)
        w.service.faults = ()
        resumed = await w.resume()
        assert runner.report.exit_code == 77
        assert resumed is not None
        assert (resumed.exit_code, resumed.paused) == (0, None)
        assert is_waited_for(w)
        assert GOES_ON not in w.watching.notices
        w.everything_once(ROWS)


@virtual
async def test_a_paused_runner_that_ends_before_it_looks_into_the_table(tmp_path: Path) -> None:
    """What it had in hand is home; it writes its pause again, and nobody is told that it goes on."""
    async with night(tmp_path, look_seconds=36_000, median_seconds=30, sigma=0) as w, beside(w) as runner:
        await w.clock.sleep(5)
        w.service.set_balance(Decimal(0))
        await told(w, "Paused (balance)")
        w.service.set_balance(Decimal(100))
        resumed = await w.resume()
        assert runner.report.exit_code == 75
        assert resumed is not None
        assert (resumed.exit_code, resumed.paused) == (0, None)
        assert GOES_ON not in w.watching.notices
        w.everything_once(ROWS)


@virtual
async def test_a_paused_runner_that_goes_on(tmp_path: Path) -> None:
    """It does so first, and only then it is said."""
    async with night(tmp_path, look_seconds=1, median_seconds=300) as w, beside(w) as runner:
        await w.clock.sleep(30)
        w.service.set_balance(Decimal(0))
        await stored_pause(w, "balance")
        w.service.set_balance(Decimal(100))
        assert await w.resume() is None
        going_on, promised = w.watching.notices[-2:]
        assert (going_on, promised) == ("Going on: the pause was cleared.", GOES_ON)
    assert (runner.report.exit_code, runner.report.paused) == (0, None)
    w.everything_once(ROWS)


@virtual
async def test_an_interrupted_runner_is_waited_for(tmp_path: Path) -> None:
    """It is no pause, and downloads in progress have some seconds."""
    async with night(tmp_path) as w:
        (w.folder / "sheet.csv").write_text(w.sheet(ROWS).read_text())
        async with _held(w, "sheet", Phase.ENDING):
            report = await w.run(tmp_path / "sheet.csv")
        assert report.exit_code == 0
        assert is_waited_for(w)
        w.everything_once(ROWS)


@asynccontextmanager
async def _held(w: Night, batch: str, phase: Phase, seconds: float = 60) -> AsyncIterator[None]:
    """A runner of that batch and in that phase holds the database for so long."""
    begun = anyio.Event()

    async def runner() -> None:
        async with holding(w.database, command="run", batch=batch, clock=w.clock, notice=print) as other:
            assert other is None
            say_phase(w.database, phase)
            begun.set()
            await w.clock.sleep(seconds)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner)
        await begun.wait()
        yield


async def _paused_night(w: Night) -> None:
    """A batch that has run out of money, and has some again."""
    w.service.set_balance(Decimal(0))
    assert (await w.run(w.sheet(ROWS))).exit_code == 75
    w.service.set_balance(Decimal(100))


@virtual
async def test_a_runner_of_another_batch_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    """There is no reason to ask for a second resume."""
    async with night(tmp_path) as w:
        await _paused_night(w)
        async with _held(w, "other", Phase.ENDING):
            resumed = await w.resume()
        assert resumed is not None
        assert resumed.exit_code == 0
        w.everything_once(ROWS)


@virtual
async def test_a_runner_that_never_ends_is_not_waited_for_all_night(tmp_path: Path) -> None:
    """After ten minutes it is said who stands in the way."""
    async with night(tmp_path) as w:
        await _paused_night(w)
        async with _held(w, "sheet", Phase.ENDING, 900):
            with pytest.raises(LockHeld, match="`nightsheet run`") as refused:
                await w.resume()
            assert "try again when it has ended" in refused.value.hint


@virtual
async def test_a_runner_that_does_not_move_is_told(tmp_path: Path) -> None:
    """Its pause is cleared, and nothing is promised."""
    async with night(tmp_path) as w:
        await _paused_night(w)
        async with _held(w, "sheet", Phase.PAUSED, 900):
            with pytest.raises(LockHeld, match="Its pause is cleared, and it has not gone on"):
                await w.resume()
        assert GOES_ON not in w.watching.notices
        assert select(w.database, "SELECT paused_reason FROM batch") == [{"paused_reason": None}]


@virtual
async def test_a_runner_that_pauses_again_says_why(tmp_path: Path) -> None:
    """Money is short still: nothing is promised, and nobody waits for it."""
    async with night(tmp_path, look_seconds=1, median_seconds=300) as w, beside(w) as runner:
        await w.clock.sleep(30)
        w.service.set_balance(Decimal(0))
        await stored_pause(w, "balance")
        before = w.clock.monotonic()
        with pytest.raises(LockHeld, match=r"It has paused again \(balance\)"):
            await w.resume()
        assert w.clock.monotonic() - before < 60
        assert GOES_ON not in w.watching.notices
        w.service.set_balance(Decimal(100))
    assert runner.report.exit_code == 75
    assert (await w.run(w.folder / "sheet.csv")).exit_code == 0
    w.everything_once(ROWS)


@virtual
async def test_an_id_attached_meanwhile_is_polled_by_the_runner_itself(tmp_path: Path) -> None:
    """`review --attach` and a free `retry` make jobs `running` behind its back, and it is to go on."""
    unreadable = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.NO_ID, prompt="no. 0")
    async with night(tmp_path, faults=[unreadable], median_seconds=300) as w, beside(w) as runner:
        await told(w, "Job 'row-0'")
        job = next(job for job in w.jobs() if job["state"] == JobState.UNCONFIRMED)
        accepted = next(submit for submit in w.service.ledger if "no. 0" in str(submit.body["prompt"]))
        async with open_store(w.database, w.clock.now) as store:
            assert await store.jobs.apply(Attached(job["id"], accepted.request_id, w.clock.now()))
    assert runner.report.exit_code == 0
    w.everything_once(ROWS)


@virtual
async def test_a_runner_without_a_disk_is_ending(tmp_path: Path) -> None:
    """It has let go of what it could not write: the next one takes that up, and does."""

    class Full(LocalDisk):
        def create(self, path: Path) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    async with night(tmp_path, median_seconds=30) as w, beside(w) as runner:
        with mock.patch("runner.lifecycle.stages.LocalDisk", Full):
            await told(w, "Paused (disk)")
        resumed = await w.resume()
        assert runner.report.exit_code == 73
        assert resumed is not None
        assert (resumed.exit_code, resumed.paused) == (0, None)
        assert GOES_ON not in w.watching.notices
        w.everything_once(ROWS)


@virtual
async def test_a_runner_that_dies_meanwhile_is_taken_over_from(tmp_path: Path) -> None:
    """It was killed, say: nobody goes on but the one who asks."""
    async with night(tmp_path) as w:
        await _paused_night(w)
        async with _held(w, "sheet", Phase.WORKING, 2):
            resumed = await w.resume()
        assert resumed is not None
        w.everything_once(ROWS)


@pytest.mark.parametrize("idle", [False, True])
def test_a_runner_that_writes_its_manifests_is_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idle: bool
) -> None:
    """Which takes a while where rows are many. What is queued meanwhile, it does not see."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            if idle:
                await w.run(w.sheet(ROWS))
            monkeypatch.setattr("runner.lifecycle.finish.write_manifests", slowly(w.clock.sleep))
            async with beside(w) as runner:
                await writing.wait()
                resumed = await w.resume()
            assert runner.report.exit_code == 0
            assert resumed is not None
            assert is_waited_for(w)
            w.everything_once(ROWS)

    writing = anyio.Event()

    def slowly(sleep: Callable[[float], Awaitable[None]]) -> Callable[..., Awaitable[tuple[Path, ...]]]:
        async def write(*arguments: Any) -> tuple[Path, ...]:
            writing.set()
            await sleep(25)
            return await write_manifests(*arguments)

        return write

    test()
