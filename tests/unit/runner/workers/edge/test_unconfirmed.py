"""An answer that is no receipt and names an id: the id is on disk first, and then it is asked for."""

import json
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from jobs.attempts import RawAnswer
from jobs.outcomes import Discarded
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.planning.resubmits import allowed_resubmits
from runner.providers.base import (
    CallFailed,
    RemoteStatus,
    RemoteStatusReport,
    StatusVerdict,
    Taken,
    TurnedAway,
    Unconfirmed,
    UnknownId,
)
from runner.recovery.recover import recover
from runner.settings import Settings
from runner.workers.edge.submit import submit
from runner.workers.edge.unconfirmed import take_up
from tests.support.scripted import Call
from tests.support.tables import failure
from tests.support.virtual_time import virtual
from tests.support.world import World, world

ANSWER = RawAnswer(500, {"server": "nginx"}, '{"requestId": "r-1"}')
NAMING = Unconfirmed("HTTP 500", "500", "r-1", answer=ANSWER)
LATER = TurnedAway("429", retry_after_seconds=30, busy=True)
UNDER_A_429 = Unconfirmed("HTTP 429", "429", "r-1", LATER, ANSWER)
KNOWN = RemoteStatusReport(RemoteStatus.QUEUED, "in_queue")
UNKNOWN = UnknownId("no such request", "404001")
FORBIDDEN = UnknownId("another user's", "403001")
"""It is somebody's: whose, a gateway may know better."""
SILENT = CallFailed("no answer")


def id_on_disk(w: World) -> tuple[str, str, object]:
    """State, id and answer as another process sees them."""
    (attempt,) = w.attempts()
    return w.on_disk()["state"], attempt["named_id"], json.loads(attempt["answer"] or "null")


@virtual
async def test_the_id_and_the_answer_are_on_disk_before_it_is_asked_for(tmp_path: Path) -> None:
    """A crash at that moment leaves a row that the next run settles."""
    async with world(tmp_path, "a") as w:

        def look(_call: Call) -> StatusVerdict:
            seen.append(id_on_disk(w))
            return KNOWN

        seen: list[tuple[str, str, object]] = []
        w.provider.says("submit", NAMING)
        w.provider.says("status", look)
        taken = await submit(w.run, await w.queued())
        told = {"status": 500, "headers": {"server": "nginx"}, "body": '{"requestId": "r-1"}'}
        assert seen == [("unconfirmed", "r-1", told)]
        assert taken is not None
        assert (taken.request_id, taken.state) == ("r-1", JobState.RUNNING)
        assert (await w.job()).failure is None
        assert not w.run.limits.health.last_submit_unconfirmed
        assert w.notices == []


@virtual
async def test_an_id_that_takes_its_time_is_asked_for_three_times(tmp_path: Path) -> None:
    """At once, after 5 s, after 15 s: a new request may take that long to be known everywhere."""
    async with world(tmp_path, "a") as w:
        w.provider.says("submit", NAMING)
        w.provider.says("status", UNKNOWN, SILENT, KNOWN)
        assert await submit(w.run, await w.queued()) is not None
        assert [round(call.at) for call in w.provider.asked("status")] == [0, 5, 15]


@pytest.mark.parametrize("said", [UNKNOWN, SILENT])
def test_an_id_that_is_never_known_stays_a_doubt(tmp_path: Path, said: StatusVerdict) -> None:
    """It is told once, when it was asked for; the money stays put aside."""

    @virtual
    async def test() -> None:
        async with world(tmp_path, "a") as w:
            w.provider.says("submit", NAMING)
            w.provider.says("status", said)
            assert await submit(w.run, await w.queued()) is None
            assert await w.states() == {"a": JobState.UNCONFIRMED}
            assert len(w.notices) == 1
            assert w.run.limits.budget.committed == Decimal("0.04")

    test()


@pytest.mark.parametrize(("said", "submits"), [(UNKNOWN, 2), (FORBIDDEN, 1), (SILENT, 1), (KNOWN, 1)])
def test_under_a_429_an_unknown_id_is_a_gateway_s_reference(
    tmp_path: Path, said: StatusVerdict, submits: int
) -> None:
    """Then it was turned away, is free, and is sent again; only where the API says that it does not know."""

    @virtual
    async def test() -> None:
        async with world(tmp_path, "a") as w:
            w.provider.says("submit", UNDER_A_429, Taken("r-2"))
            w.provider.says("status", said)
            await submit(w.run, await w.queued())
            calls = w.provider.asked("submit")
            assert len(calls) == submits
            assert w.run.limits.budget.committed == Decimal("0.04")
            if said is UNKNOWN:
                assert calls[1].at - calls[0].at >= 15 + 30
                lines = [(line["outcome"], line["request_id"]) for line in w.attempts()]
                assert lines == [("turned_away", None), ("accepted", "r-2")]

    test()


@virtual
async def test_a_setting_sends_it_again_only_once_it_was_asked_for(tmp_path: Path) -> None:
    """Before that, it may turn out as paid."""
    async with world(tmp_path, "a") as w:
        w.run.tally.resubmits_left = 1
        w.provider.says("submit", NAMING, Taken("r-2"))
        w.provider.says("status", UNKNOWN)
        assert await submit(w.run, await w.queued()) is None
        assert await w.states() == {"a": JobState.QUEUED}
        assert len(w.provider.asked("status")) == 3
        assert "sent again" in w.notices[0]


@virtual
async def test_what_a_person_decided_meanwhile_stays(tmp_path: Path) -> None:
    """Nothing is queued behind their back, and the run goes on."""
    async with world(tmp_path, "a") as w:

        async def decide() -> None:
            await w.clock.sleep(3)
            job = await w.job()
            assert await w.store.jobs.apply(Discarded(job.id, failure(), w.clock.now()))

        w.provider.says("submit", NAMING)
        w.provider.says("status", UNKNOWN, UNKNOWN)
        w.run.tally.resubmits_left = 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(decide)
            assert await submit(w.run, await w.queued()) is None
        assert await w.states() == {"a": JobState.FAILED}
        assert w.run.tally.resubmits_left == 1
        assert w.notices == [], "nobody is sent to `review` for it"


@virtual
async def test_a_pause_ends_the_questions(tmp_path: Path) -> None:
    """The next start asks again: nothing is lost by not waiting."""
    async with world(tmp_path, "a") as w:

        def pause(_call: Call) -> StatusVerdict:
            w.run.limits.brake.pause(PauseReason.TOKEN, "expired")
            return SILENT

        w.provider.says("submit", NAMING)
        w.provider.says("status", pause)
        assert await submit(w.run, await w.queued()) is None
        assert len(w.provider.asked("status")) == 1
        assert await w.states() == {"a": JobState.UNCONFIRMED}


@virtual
async def test_a_pause_after_the_first_question_proves_nothing(tmp_path: Path) -> None:
    """An id that is not known at once may be a receipt all the same: it is not sent again."""
    async with world(tmp_path, "a") as w:

        def pause(_call: Call) -> StatusVerdict:
            w.run.limits.brake.pause(PauseReason.TOKEN, "expired")
            return UNKNOWN

        w.provider.says("submit", UNDER_A_429, Taken("r-2"))
        w.provider.says("status", pause)
        assert await submit(w.run, await w.queued()) is None
        assert await w.states() == {"a": JobState.UNCONFIRMED}
        assert len(w.provider.asked("submit")) == 1


@virtual
async def test_a_setting_sends_nothing_again_whose_id_may_be_known(tmp_path: Path) -> None:
    """The API did not say: the id is in hand, and is asked for by the next run."""
    async with world(tmp_path, "a") as w:
        w.run.tally.resubmits_left = 1
        w.provider.says("submit", NAMING, Taken("r-2"))
        w.provider.says("status", SILENT)
        assert await submit(w.run, await w.queued()) is None
        assert await w.states() == {"a": JobState.UNCONFIRMED}
        settings = Settings(resubmit_unconfirmed=5)
        assert await allowed_resubmits(w.store, w.run.batch, settings) == []


@pytest.mark.parametrize("known", [True, False])
def test_each_start_asks_once(tmp_path: Path, known: bool) -> None:
    """What was named and not known then may be known now."""

    @virtual
    async def test() -> None:
        async with world(tmp_path, "a") as w:
            w.provider.says("submit", NAMING)
            w.provider.says("status", *[UNKNOWN] * 3, KNOWN if known else UNKNOWN)
            await submit(w.run, await w.queued())
            found = await recover(w.store, w.run.batch, w.places, w.clock.now())
            (naming,) = found.naming_ids
            assert (found.ids, found.models) == ({naming.id}, [naming.model])
            taken = await take_up(w.run, naming)
            assert (taken is not None) is known
            assert len(w.provider.asked("status")) == 4
            assert await w.states() == {"a": JobState.RUNNING if known else JobState.UNCONFIRMED}

    test()


@virtual
async def test_a_named_id_that_another_job_has_is_not_taken(tmp_path: Path) -> None:
    """Two jobs never wait for the same pictures."""
    async with world(tmp_path, "a", "b") as w:
        w.provider.says("submit", Taken("r-1"), NAMING)
        w.provider.says("status", KNOWN)
        await submit(w.run, await w.queued("a"))
        assert await submit(w.run, await w.queued("b")) is None
        assert await w.states() == {"a": JobState.RUNNING, "b": JobState.UNCONFIRMED}
        (naming,) = await w.store.ledger.naming_ids(w.run.batch.id)
        assert await take_up(w.run, naming) is None
