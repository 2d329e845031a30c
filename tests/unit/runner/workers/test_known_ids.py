"""What the API's answers about some ids say about the others."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from jobs.outcomes import Accepted
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.providers.base import UnknownId
from runner.workers.known_ids import ANOTHER_ACCOUNT, LOST_AFTER_SECONDS, KnownIds
from runner.workers.poll import watch
from tests.support.scripted import WORKING
from tests.support.tables import ESTIMATE, claimed
from tests.support.virtual_time import VirtualClock, virtual
from tests.support.world import World, world

UNKNOWN = UnknownId("PermissionDeniedError", "403001")


@virtual
async def test_an_id_is_lost_only_where_the_api_knows_others() -> None:
    """In the very time in which it did not know this one, and that has to be long enough."""
    clock = VirtualClock()
    ids = KnownIds(clock)
    ids.submit_taken()
    await clock.sleep(1)
    unknown_since = clock.monotonic()
    await clock.sleep(LOST_AFTER_SECONDS)
    assert not ids.is_lost(unknown_since)
    ids.known(7)
    assert ids.is_lost(unknown_since)
    assert not ids.is_lost(unknown_since + 1)
    assert not KnownIds(clock).is_lost(unknown_since)


@pytest.mark.parametrize(
    ("recovered", "slots", "needed"), [(2, 8, None), (3, 8, 3), (5, 8, 5), (100, 8, 8), (5, 1, 3)]
)
def test_how_many_unknown_ids_speak_of_another_account(
    recovered: int, slots: int, needed: int | None
) -> None:
    """All that are asked at the same time, and three at least. It is said once."""

    @virtual
    async def test() -> None:
        ids = KnownIds(VirtualClock(), range(recovered))
        said = [ids.speak_of_another_account(job, slots=slots) for job in range(recovered) for _twice in "12"]
        assert said.count(True) == (needed is not None)
        assert needed is None or said.index(True) == 2 * (needed - 1)

    test()


@virtual
async def test_what_this_run_sent_itself_says_nothing_about_the_token() -> None:
    """Only what was under way before."""
    ids = KnownIds(VirtualClock(), [1, 2, 3])
    ids.known(9)
    assert [ids.speak_of_another_account(job, slots=8) for job in (7, 8, 9, 1, 2, 3)] == [False] * 5 + [True]


@virtual
async def test_one_id_that_is_known_is_proof_of_the_account() -> None:
    """Whatever is said of the others."""
    ids = KnownIds(VirtualClock(), [1, 2, 3, 4])
    ids.known(4)
    assert not any(ids.speak_of_another_account(job, slots=8) for job in (1, 2, 3, 4))


@virtual
async def test_whoever_went_on_is_not_asked_again() -> None:
    """They know better."""
    ids = KnownIds(VirtualClock(), [1, 2, 3], account_doubted=True)
    assert not any(ids.speak_of_another_account(job, slots=8) for job in (1, 2, 3))


async def go_on_with(w: World, keys: str) -> None:
    """Jobs that an earlier run left at the API, watched all at once."""
    for key in keys:
        queued, now = await w.queued(key), w.clock.now()
        assert await w.store.jobs.claim(claimed(queued.id, now, ESTIMATE))
        assert await w.store.jobs.apply(Accepted(queued.id, f"req-{key}", now))
    await w.clock.sleep(61)
    jobs = [await w.running(key) for key in keys]
    run = replace(w.run, known_ids=KnownIds(w.clock, [job.id for job in jobs]))
    async with anyio.create_task_group() as tasks:
        for job in jobs:
            tasks.start_soon(watch, run, job)


@pytest.mark.parametrize(("keys", "paused"), [("ab", 0), ("abc", 1), ("abcde", 1)])
def test_another_account_s_token_pauses_once(tmp_path: Path, keys: str, paused: int) -> None:
    """What is paid for is kept: nothing is lost."""

    @virtual
    async def test() -> None:
        async with world(tmp_path, *keys) as w:
            w.provider.says("status", UNKNOWN)
            await go_on_with(w, keys)
            assert [stop.reason for stop in w.stops] == [PauseReason.TOKEN] * paused
            assert all(stop.detail.startswith(ANOTHER_ACCOUNT) for stop in w.stops)
            assert set((await w.states()).values()) == {JobState.RUNNING}

    test()


@virtual
async def test_one_known_id_lets_the_others_be_lost(tmp_path: Path) -> None:
    """Each for itself."""
    async with world(tmp_path, *"abc") as w:
        w.provider.says("status", lambda call: WORKING if call.about == "req-b" else UNKNOWN)
        await go_on_with(w, "abc")
        assert w.stops == []
        assert await w.states() == {"a": JobState.FAILED, "b": JobState.RUNNING, "c": JobState.FAILED}
