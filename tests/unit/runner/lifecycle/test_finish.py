"""The end of a run: its pause, its manifests and its row are written down, and its report tells the same."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import CannotWrite
from jobs.outcomes import Accepted, Fetched, RemoteDone
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.events.report import RunReport
from runner.lifecycle.finish import finish, finish_idle
from runner.limits.brake import Reach
from tests.support.order import order_of
from tests.support.tables import ESTIMATE, claimed, select
from tests.support.virtual_time import virtual
from tests.support.world import World, world

COST = Decimal("0.08")


async def bring_home(w: World, key: str = "a") -> None:
    """Bring a job home."""
    job = await w.queued(key)
    now = w.clock.now()
    assert await w.store.jobs.claim(claimed(job.id, now, ESTIMATE))
    done = RemoteDone(job.id, ("https://pictures.example/1.png",), COST)
    assert await w.store.jobs.apply(Accepted(job.id, f"req-{key}", now), done, Fetched(job.id, (), now))


async def closed(w: World, folder: Path, begun: float = 0.0) -> RunReport:
    """Close the world's run, which is in the table."""
    order, _watching = order_of(w, folder)
    run_id = await w.store.batches.begin_run(w.run.batch.id, pid=1, host="here")
    return await finish(order, w.run, run_id, begun)


def on_disk(w: World) -> dict[str, Any]:
    """The pause and the end, as another process sees them."""
    (batch,) = select(w.path, "SELECT paused_reason, paused_detail FROM batch")
    (run,) = select(w.path, "SELECT exit_code, ended_at FROM run")
    return batch | run


@virtual
async def test_all_went_well(tmp_path: Path) -> None:
    """Counts and account are the batch's, the rest is this run's; both manifests are there."""
    async with world(tmp_path, "a") as w:
        await w.clock.sleep(100)
        await bring_home(w)
        w.run.tally.images = 7
        await w.clock.sleep(50)
        report = await closed(w, tmp_path, begun=100.0)
        assert (report.batch, report.exit_code, report.seconds) == ("night", 0, 50)
        assert (report.images, report.warned, report.overdue) == (7, 0, 0)
        assert report.counts[JobState.SUCCEEDED] == 1
        assert (report.account.reported_usd, report.account.submits) == (COST, 1)
        assert (report.paused, report.interrupted) == (None, False)
        assert report.folder == tmp_path / "outputs" / "night"
        assert sorted(path.name for path in report.manifests) == ["manifest.csv", "manifest.jsonl"]
        (record,) = map(json.loads, (report.folder / "manifest.jsonl").read_text().splitlines())
        assert (record["key"], record["state"]) == ("a", "succeeded")
        found = on_disk(w)
        assert (found["exit_code"], found["paused_reason"]) == (0, None)
        assert found["ended_at"] is not None


@virtual
async def test_not_all_succeeded(tmp_path: Path) -> None:
    """Exit 1, in the table as well; jobs that it waited for no longer are told."""
    async with world(tmp_path, "a", "b") as w:
        await bring_home(w)
        w.run.tally.overdue = 1
        report = await closed(w, tmp_path)
        assert (report.exit_code, report.overdue, on_disk(w)["exit_code"]) == (1, 1, 1)


@virtual
async def test_a_pause_that_nobody_has_written_down_yet_is(tmp_path: Path) -> None:
    """The run may end within the second in which the table is looked at."""
    async with world(tmp_path, "a") as w:
        w.run.limits.brake.pause(PauseReason.BALANCE, "used up")
        report = await closed(w, tmp_path)
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason, report.paused.detail) == (
            75,
            PauseReason.BALANCE,
            "used up",
        )
        found = on_disk(w)
        assert (found["paused_reason"], found["paused_detail"]) == ("balance", "used up")
        assert found["exit_code"] == 75


@virtual
async def test_the_graver_pause_is_the_one_that_stands(tmp_path: Path) -> None:
    """What was written down before gives way."""
    async with world(tmp_path, "a") as w:
        await w.store.batches.pause(w.run.batch.id, PauseReason.BALANCE, "used up")
        w.run.limits.brake.pause(PauseReason.TOKEN, "expired")
        assert (await closed(w, tmp_path)).exit_code == 77
        assert on_disk(w)["paused_reason"] == "token"


@virtual
async def test_a_pause_of_another_process_in_the_last_second(tmp_path: Path) -> None:
    """This run has not seen it; its report does."""
    async with world(tmp_path, "a") as w:
        await w.store.batches.pause(w.run.batch.id, PauseReason.PERSON, "by hand")
        report = await closed(w, tmp_path)
        assert report.paused is not None
        assert (report.exit_code, report.paused.detail) == (75, "by hand")


@virtual
async def test_an_interruption_is_no_pause(tmp_path: Path) -> None:
    """The next run goes on by itself."""
    async with world(tmp_path, "a") as w:
        w.run.limits.brake.interrupt(Reach.POLLS)
        report = await closed(w, tmp_path)
        assert (report.exit_code, report.interrupted, report.paused) == (130, True, None)
        assert on_disk(w)["paused_reason"] is None


@virtual
async def test_manifests_that_cannot_be_written_pause(tmp_path: Path) -> None:
    """Exit 73; the run is closed all the same, and nothing of the table is lost."""
    (tmp_path / "outputs").write_text("a file")
    async with world(tmp_path, "a") as w:
        await bring_home(w)
        report = await closed(w, tmp_path)
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason, report.manifests) == (73, PauseReason.DISK, ())
        assert report.counts[JobState.SUCCEEDED] == 1
        assert [stop.reason for stop in w.stops] == [PauseReason.DISK]
        found = on_disk(w)
        assert (found["paused_reason"], found["exit_code"]) == ("disk", 73)


@virtual
async def test_a_pause_that_stands_is_not_lost_to_manifests_that_fail(tmp_path: Path) -> None:
    """A token that was refused reaches further than a folder that is full."""
    (tmp_path / "outputs").write_text("a file")
    async with world(tmp_path, "a") as w:
        w.run.limits.brake.pause(PauseReason.TOKEN, "expired")
        assert (await closed(w, tmp_path)).exit_code == 77


@virtual
async def test_a_run_with_nothing_to_do(tmp_path: Path) -> None:
    """Manifests and an honest report; no row of a run, and nothing asked."""
    async with world(tmp_path, "a") as w:
        await bring_home(w)
        order, watching = order_of(w, tmp_path)
        report = await finish_idle(order)
        assert (report.exit_code, report.seconds, report.images) == (0, 0, 0)
        assert report.account.reported_usd == COST
        assert [path.exists() for path in report.manifests] == [True, True]
        assert select(w.path, "SELECT * FROM run") == []
        assert (w.provider.calls, watching.notices) == ([], [])


@virtual
async def test_a_run_with_nothing_to_do_and_no_folder(tmp_path: Path) -> None:
    """Said in words: there is no run that could be paused."""
    (tmp_path / "outputs").write_text("a file")
    async with world(tmp_path) as w:
        order, _watching = order_of(w, tmp_path)
        with pytest.raises(CannotWrite) as refused:
            await finish_idle(order)
        assert refused.value.exit_code == 73
        assert (await w.store.batches.get(w.run.batch.id)).paused is None
