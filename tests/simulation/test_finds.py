"""The search has teeth: bugs of the gravest kinds, planted in the run, are found within a few seeds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import pytest
from sqlalchemy import Connection, text

from jobs.outcomes import Accepted
from jobs.store.jobs import Jobs
from jobs.store.store import Store
from jobs.views import OpenJob
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.providers.base import TurnedAway
from runner.recovery.recover import recover
from tests.simulation.process import Crash
from tests.simulation.refs import INSIDE
from tests.simulation.schedule import Event
from tests.simulation.trial import run_trial

MOST_SEEDS = 40

_advance = Jobs.advance


def _server_errors_are_sent_again() -> AbstractContextManager[Any]:
    again = TurnedAway("a server error", busy=True)
    return mock.patch("runner.providers.runcomfy.submit_answers._unconfirmed", return_value=again)


def _what_was_interrupted_is_queued_again() -> AbstractContextManager[Any]:
    def requeue(connection: Any) -> None:
        doubtful = "SELECT id FROM job WHERE state = 'submitting'"
        connection.execute(text(f"DELETE FROM attempt WHERE job_id IN ({doubtful})"))
        again = "UPDATE job SET state = 'queued', agreed = 1, attempts = 0, cancel_requested = 0"
        connection.execute(text(f"{again} WHERE state = 'submitting'"))

    async def careless(store: Store, *arguments: Any) -> Any:
        await store.database.write(requeue)
        return await recover(store, *arguments)

    return mock.patch("runner.lifecycle.stages.recover", careless)


def _answers_are_not_committed() -> AbstractContextManager[Any]:
    def put_back(connection: Connection, job_id: int) -> None:
        newest = "UPDATE attempt SET outcome = 'intent', request_id = NULL WHERE job_id = :job"
        connection.execute(text(newest), {"job": job_id})
        connection.execute(text("UPDATE job SET state = 'submitting' WHERE id = :job"), {"job": job_id})

    async def forget(jobs: Jobs, outcome: Any) -> OpenJob | None:
        taken = await _advance(jobs, outcome)
        if isinstance(outcome, Accepted):
            await jobs._database.write(partial(put_back, job_id=outcome.job_id))
        return taken

    return mock.patch.object(Jobs, "advance", forget)


def _the_gate_is_open() -> AbstractContextManager[Any]:
    def wide(_gate: int) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(100)

    return mock.patch("runner.limits.throttle.anyio.Semaphore", wide)


def _a_repainted_picture_is_sent() -> AbstractContextManager[Any]:
    return mock.patch("runner.uploads.uploader.read_again", lambda places: Path(places[0].path).read_bytes())


_REPAINTED = {
    "rows": 6,
    "settings": {"concurrency": 1},
    "upload": INSIDE,
    "orders": tuple(Event(at, "paint") for at in (0.5, 2.0, 8.0, 30.0)),
}
_FIVE_HUNDREDS = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.HTTP, status=502, accepted=True)


@pytest.mark.parametrize(
    ("bug", "law", "changes"),
    [
        (_server_errors_are_sent_again, "I[13]", {"faults": (_FIVE_HUNDREDS,)}),
        (_what_was_interrupted_is_queued_again, "I[135]", {"crashes": (Crash("after submit", 1),)}),
        (_answers_are_not_committed, "I[35]", {}),
        (_a_repainted_picture_is_sent, "I4", {**_REPAINTED, "copies": False}),
        (_the_gate_is_open, "I11", {"rows": 5, "settings": {"submit_gate": 1}}),
    ],
)
def test_a_planted_bug_is_found(
    bug: Callable[[], AbstractContextManager[Any]], law: str, changes: dict[str, Any]
) -> None:
    """By one of the first seeds, under the number of the invariant that it breaks."""
    with bug(), pytest.raises(AssertionError, match=law):
        _search(changes)


def _search(changes: dict[str, Any]) -> None:
    for seed in range(MOST_SEEDS):
        run_trial(seed, **changes)
