"""An id that reached us is on disk afterwards, whatever the answer looked like that held it."""

import random
from datetime import UTC, datetime
from pathlib import Path

from jobs.failures import Failure, FailureKind
from runner.http.replies import Answer
from runner.limits.brake import Reach
from runner.limits.guards import GuardLimits
from runner.providers.base import Denied, UnknownId
from runner.providers.runcomfy.evidence import raw_answer
from runner.providers.runcomfy.submit_answers import Unauthorised, read_submit
from runner.workers.edge.submit import submit
from tests.fuzz.dresses import dressed
from tests.support.virtual_time import virtual
from tests.support.world import World, world

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
KEYS = [f"row-{number}" for number in range(80)]
_NO_GUARDS = GuardLimits(failures_in_a_row=0, unconfirmed=0, canary=0)
_OVER = Failure(FailureKind.REFUSED, "enough")


@virtual
async def test_an_id_in_any_dress_is_on_disk_afterwards(tmp_path: Path) -> None:
    """As the row's request, as the id to ask for, or in what was answered: a person finds it there."""
    async with world(tmp_path, *KEYS, guard_limits=_NO_GUARDS) as w:
        w.provider.says("status", UnknownId("no such request"))
        for number, key in enumerate(KEYS):
            request_id, status, headers, body = dressed(random.Random(number))
            answer = Answer(status, {name: value.decode() for name, value in headers.items()}, body)
            verdict = read_submit(answer, NOW)
            if isinstance(verdict, Unauthorised):
                verdict = Denied(_OVER, raw_answer(answer))
            w.provider.says("submit", verdict, Denied(_OVER))
            await submit(w.run, await w.queued(key))
            w.run.limits.brake.stop, w.run.limits.brake.reach = None, Reach.NOTHING  # the next night
            assert request_id in _on_disk(w, key), f"{request_id} is lost: {answer!r} {body!r}"


def _on_disk(w: World, key: str) -> str:
    return " ".join(f"{line['request_id']} {line['named_id']} {line['answer']}" for line in w.attempts(key))
