"""Pictures that somebody deleted come home again, and nothing is paid for that."""

from pathlib import Path
from typing import Any

from jobs.outcomes import Reopened
from jobs.states import JobState
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.support.night import Night, night
from tests.support.virtual_time import virtual


async def reopen(w: Night) -> None:
    """As `retry` does."""
    async with open_database(w.database) as database:
        store = Store(database, w.clock.now)
        batch = await store.batches.named("sheet")
        for job in await store.jobs.in_state(batch.id, [JobState.SUCCEEDED]):
            assert await store.jobs.apply(Reopened(job.id, w.clock.now()))


def shown(records: list[dict[str, Any]]) -> list[list[tuple[str, str]]]:
    """Where each picture lies, and what is in it; the links to them are new ones."""
    return [[(image["path"], image["sha256"]) for image in record["images"]] for record in records]


@virtual
async def test_a_deleted_picture_is_fetched_again(tmp_path: Path) -> None:
    """To where it was; what is there is left alone, and the books stay as they were."""
    async with night(tmp_path) as w:
        first = await w.run(w.sheet(3))
        before = w.manifest()
        pictures = sorted((tmp_path / "outputs" / "sheet").glob("*/*.jpg"))
        kept = pictures[0].stat().st_mtime_ns
        for path in pictures[1:]:
            path.unlink()
        await reopen(w)
        report = await w.resume()
        assert report is not None
        assert (report.exit_code, report.images) == (0, len(pictures) - 1)
        assert report.account == first.account
        assert shown(w.manifest()) == shown(before)
        assert pictures[0].stat().st_mtime_ns == kept
        w.everything_once(3)


@virtual
async def test_what_the_api_has_no_more_is_told(tmp_path: Path) -> None:
    """It is paid for and gone, as the API knows the other one; nothing is bought again."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(2))
        for path in (tmp_path / "outputs" / "sheet").glob("*/*.jpg"):
            path.unlink()
        await reopen(w)
        w.service.faults = [
            Fault(endpoint=Endpoint.STATUS, kind=FaultKind.UNKNOWN_ID, times=None, prompt="no. 0"),
            Fault(endpoint=Endpoint.STATUS, kind=FaultKind.HTTP, status=500, times=3, prompt="no. 1"),
        ]  # the other one is known a few seconds later: only what is known meanwhile is evidence
        report = await w.resume()
        assert report is not None
        assert (report.exit_code, w.states()) == (1, {JobState.FAILED: 1, JobState.SUCCEEDED: 1})
        assert [record["error"] and record["error"]["kind"] for record in w.manifest()] == ["lost", None]
        assert len(w.service.ledger) == 2
