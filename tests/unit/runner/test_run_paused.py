"""Which pause `run` clears: those that mend themselves. A guard's and a person's wait for `resume`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import anyio
import pytest

from jobs.pauses import UNTIL_RESUMED, PauseReason
from jobs.states import JobState
from jobs.store.open import open_store
from jobs.store.store import Store
from jobs.views import BatchView
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.planning.consent import Ask, Consent, agreed_to_all
from runner.planning.selection import Selection
from tests.support.night import Night, night
from tests.support.virtual_time import virtual

ROWS = 12
LASTING = sorted(UNTIL_RESUMED)


async def in_table(w: Night, do: Callable[[Store, BatchView], Awaitable[object]]) -> BatchView:
    """Do something with the batch, from another process; the batch as it is then."""
    async with open_store(w.database, w.clock.now) as store:
        batch = await store.batches.named(None)
        await do(store, batch)
        return await store.batches.get(batch.id)


async def paused(w: Night, reason: PauseReason) -> datetime:
    """Pause the batch, some time before anything else happens; since when it is."""
    batch = await in_table(w, lambda store, batch: store.batches.pause(batch.id, reason, "It was seen."))
    assert batch.paused is not None
    await w.clock.sleep(60)
    return batch.paused.since


async def never_asked(_ask: Ask) -> bool:
    raise AssertionError("nobody is asked about what is not sent")


async def loaded(w: Night) -> None:
    """The sheet of the night, in the table and agreed to, and none of it sent."""
    w.transport.offline = True
    assert (await w.run(w.sheet(ROWS), outage_limit=5)).exit_code == 69
    w.transport.offline = False
    w.transport.calls.clear()
    w.watching.notices.clear()


@pytest.mark.parametrize("reason", LASTING)
def test_a_run_leaves_it_and_sends_nothing(tmp_path: Path, reason: PauseReason) -> None:
    """Also with nothing to poll: exit 75, one sentence, no question, no request, the same pause as before."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            await loaded(w)
            since = await paused(w, reason)
            for _ in range(2):
                report = await w.run(w.sheet(ROWS), consent=never_asked)
                assert report.paused is not None
                found = (report.exit_code, report.paused.reason, report.paused.detail, report.paused.since)
                assert found == (75, reason, "It was seen.", since)
            assert (w.transport.calls, w.states()) == ([], {JobState.QUEUED: ROWS})
            assert (
                w.watching.notices[::2]
                == w.watching.notices[1::2]
                == [
                    f"Batch 'sheet' is paused ({reason}), and nothing is sent: It was seen. "
                    "To clear the pause: `nightsheet resume sheet`."
                ]
            )
            resumed = await w.resume()
            assert resumed is not None
            assert resumed.exit_code == 0
            w.everything_once(ROWS)

    test()


@pytest.mark.parametrize("reason", sorted(set(PauseReason) - UNTIL_RESUMED))
def test_a_run_clears_what_mends_itself(tmp_path: Path, reason: PauseReason) -> None:
    """And sends the rest."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            await loaded(w)
            await paused(w, reason)
            assert (await w.run(w.sheet(ROWS))).exit_code == 0
            w.everything_once(ROWS)

    test()


@pytest.mark.parametrize("reason", LASTING)
def test_what_is_paid_comes_home_under_it(tmp_path: Path, reason: PauseReason) -> None:
    """The sheet is loaded, what is at the API polled and fetched: no submit, no price, and the same pause."""

    @virtual
    async def test() -> None:
        stuck = Fault(endpoint=Endpoint.STATUS, kind=FaultKind.STAYS, times=None)
        async with night(tmp_path, faults=(stuck,)) as w:
            assert (await w.run(w.sheet(8), deadline=60)).exit_code == 1
            since = await paused(w, reason)
            w.service.faults = ()
            w.transport.calls.clear()
            report = await w.run(w.sheet(ROWS), consent=never_asked)
            assert report.paused is not None
            assert (report.exit_code, report.paused.reason, report.paused.since) == (75, reason, since)
            assert w.states() == {JobState.SUCCEEDED: 8, JobState.QUEUED: ROWS - 8}
            assert w.pictures_whole() > 8
            paths = [path for _at, _method, path in w.transport.calls]
            assert not [path for path in paths if "/models/" in path]
            resumed = await w.resume()
            assert resumed is not None
            assert resumed.exit_code == 0
            w.everything_once(ROWS)

    test()


@pytest.mark.parametrize("consent", [agreed_to_all, never_asked])
def test_consent_given_in_advance_is_kept_for_the_resume(tmp_path: Path, consent: Consent) -> None:
    """`run --yes` sends nothing now, and a `resume` without a terminal need not ask; else it must."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            assert (await w.run(w.sheet(2))).exit_code == 0
            await paused(w, PauseReason.PERSON)
            assert (await w.run(w.sheet(4), consent=consent)).exit_code == 75
            agreed = {job["agreed"] for job in w.jobs() if job["state"] == JobState.QUEUED}
            assert agreed == {consent is agreed_to_all}
            if consent is agreed_to_all:
                resumed = await w.resume(never_asked)
                assert resumed is not None
                assert resumed.exit_code == 0
                w.everything_once(4)

    test()


@virtual
async def test_a_part_and_dedupe_are_no_way_around_it(tmp_path: Path) -> None:
    """Nor does a part change what was agreed to."""
    async with night(tmp_path) as w:
        await loaded(w)
        agreed = [job["agreed"] for job in w.jobs()]
        await paused(w, PauseReason.PERSON)
        for part in (Selection(only=("row-1",)), Selection(limit=2), Selection(where=(("id", "row-3"),))):
            assert (await w.run(w.sheet(ROWS), selection=part, dedupe=True)).exit_code == 75
        assert (w.transport.calls, w.states()) == ([], {JobState.QUEUED: ROWS})
        assert [job["agreed"] for job in w.jobs()] == agreed
        resumed = await w.resume(selection=Selection(only=("row-1",)))
        assert resumed is not None
        assert (resumed.exit_code, w.states()[JobState.SUCCEEDED]) == (0, 1)


@virtual
async def test_trouble_under_it_does_not_take_its_place(tmp_path: Path) -> None:
    """Else the next run would clear the token's pause, and send what a person had paused."""
    stuck = Fault(endpoint=Endpoint.STATUS, kind=FaultKind.STAYS, times=None)
    async with night(tmp_path, faults=(stuck,)) as w:
        await w.run(w.sheet(8), deadline=60)
        await paused(w, PauseReason.PERSON)
        w.service.faults = (Fault(endpoint=Endpoint.STATUS, kind=FaultKind.TOKEN, times=None),)
        for _ in range(2):
            report = await w.run(w.sheet(ROWS))
            assert report.paused is not None
            assert (report.exit_code, report.paused.reason) == (75, PauseReason.PERSON)
            assert any(text.startswith("Paused (token)") for text in w.watching.notices)
        assert w.states()[JobState.QUEUED] == ROWS - 8


@virtual
async def test_a_resume_from_elsewhere_is_obeyed_by_a_run_that_began_paused(tmp_path: Path) -> None:
    """It sends what was agreed to, and does not write the pause down again."""
    stuck = Fault(endpoint=Endpoint.STATUS, kind=FaultKind.STAYS, times=None)
    async with night(tmp_path, faults=(stuck,)) as w:

        async def at(seconds: float, do: Callable[[Store, BatchView], Awaitable[object]]) -> None:
            await w.clock.sleep(seconds)
            await in_table(w, do)

        def pause(store: Store, batch: BatchView) -> Awaitable[object]:
            return store.batches.pause(batch.id, PauseReason.PERSON, "It was seen.")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(at, 5, pause)
            assert (await w.run(w.sheet(ROWS), deadline=60)).exit_code == 75
        assert w.states() == {JobState.RUNNING: 8, JobState.QUEUED: ROWS - 8}
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(at, 20, lambda store, batch: store.batches.resume(batch.id))
            report = await w.run(w.sheet(ROWS), deadline=60)
        assert (report.exit_code, report.paused) == (1, None)
        assert w.states() == {JobState.RUNNING: ROWS}


@virtual
async def test_a_finished_batch_stays_paused(tmp_path: Path) -> None:
    """Rows that are added tomorrow are not sent behind the person's back."""
    async with night(tmp_path) as w:
        assert (await w.run(w.sheet(2))).exit_code == 0
        await paused(w, PauseReason.PERSON)
        assert (await w.run(w.sheet(2))).exit_code == 75
        assert (await w.run(w.sheet(ROWS))).exit_code == 75
        assert w.states() == {JobState.SUCCEEDED: 2, JobState.QUEUED: ROWS - 2}
