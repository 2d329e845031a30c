"""Puts a world up for one story, and takes it down."""

import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from tests.simulation.orders import commands_of
from tests.simulation.schedule import Schedule
from tests.simulation.serial import SerialLoop, run_serial
from tests.simulation.world import World
from tests.support.warm import fast_folder, warm

T = TypeVar("T")


def in_world(plan: Schedule, story: Callable[[World], Coroutine[Any, Any, T]], *, limit_seconds: float) -> T:
    """Run a story in the world of a schedule, in a folder that is gone afterwards."""

    async def main(loop: SerialLoop) -> T:
        with tempfile.TemporaryDirectory(dir=fast_folder(), prefix="nightsheet-") as folder:
            w = World(loop, Path(folder) / "night", plan)
            look = w.plan.look_seconds
            try:
                with (
                    commands_of(w),
                    mock.patch("runner.lifecycle.stages.LocalDisk", w.new_disk),
                    mock.patch("runner.lifecycle.stages.open_bucket", return_value=w.refs.bucket()),
                    mock.patch("runner.lifecycle.supervise.LOOK_SECONDS", look),
                    mock.patch("runner.lifecycle.supervise.SETTLED_AFTER", 0),
                    mock.patch("runner.workers.queue._LOOK_AGAIN_SECONDS", look),
                ):
                    return await story(w)
            finally:
                await w.transport.aclose()

    with warm():
        return run_serial(main, seed=plan.seed, limit_seconds=limit_seconds)
