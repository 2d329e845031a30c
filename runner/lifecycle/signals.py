"""Signals: Ctrl-C, SIGTERM and a lost terminal end a run without losing anything."""

import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio

from jobs.errors import NightsheetError
from runner.clock import Clock
from runner.limits.brake import Brake, Reach

GRACE_SECONDS = 15.0
"""How long downloads in progress may continue after Ctrl-C."""

LAST_STEP_SECONDS = 2.0
"""How long saying how the batch stands may hold up an exit at once."""

Exit = Callable[[int], object]
LastStep = Callable[[], Awaitable[None]]


async def _silence() -> None:
    """Say nothing."""


@asynccontextmanager
async def obeying_signals(
    brake: Brake,
    clock: Clock,
    notice: Callable[[str], None],
    last_step: LastStep = _silence,
    beside_it: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> AsyncIterator[None]:
    """Handle signals for the length of the block, and do `beside_it` meanwhile.

    A `NightsheetError` leaves it bare, not in a group.
    """
    error: NightsheetError | None = None
    async with anyio.create_task_group() as beside:
        # On Windows Ctrl-C cancels the run, which loses nothing either; another thread gets no signals.
        if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
            beside.start_soon(obey_signals, brake, clock, notice, os._exit, last_step)
        if beside_it is not None:
            beside.start_soon(beside_it)
        try:
            yield
        except NightsheetError as raised:
            error = raised
        beside.cancel_scope.cancel()
    if error is not None:
        raise error


async def obey_signals(
    brake: Brake,
    clock: Clock,
    notice: Callable[[str], None],
    exit_now: Exit = os._exit,
    last_step: LastStep = _silence,
) -> None:
    """On the first signal, start nothing new. On the second, exit at once; that loses nothing either."""

    async def end_downloads() -> None:
        await clock.sleep(GRACE_SECONDS)
        brake.interrupt(Reach.DOWNLOADS)

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with anyio.create_task_group() as tasks:
            async for _signal in signals:
                if brake.interrupted:
                    try:
                        with anyio.move_on_after(LAST_STEP_SECONDS, shield=True):
                            await last_step()
                    finally:
                        exit_now(130)
                brake.interrupt(Reach.POLLS)
                tasks.start_soon(end_downloads)
                notice(
                    "Stopping: nothing new is sent, and requests being sent are recorded. "
                    "Press Ctrl-C again to stop at once; either way the next run continues from here."
                )
