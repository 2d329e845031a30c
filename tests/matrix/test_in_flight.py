"""`--concurrency auto` over whole nights: at an API that queues, and at one that turns away."""

from pathlib import Path

import pytest

from jobs.states import JobState
from jobs.store.open import open_store
from tests.support.night import Night, night
from tests.support.virtual_time import virtual

SINGLES = 10_000
"""No row of the sheet is a series."""


def most_in_flight(w: Night) -> int:
    """The most jobs at the API that anybody saw, once the first ones had ended."""
    seen = [progress.counts for progress in w.watching.progresses if progress.ended_here > 20]
    return max(counts.get(JobState.RUNNING, 0) for counts in seen)


@pytest.mark.parametrize(("queue_limit", "most"), [(None, 22), (0, 10)])
def test_it_finds_what_the_api_takes(tmp_path: Path, queue_limit: int | None, most: int) -> None:
    """Each row once, at full use of ten machines; what was turned away was not paid, and is told."""

    @virtual
    async def test() -> None:
        async with night(
            tmp_path, slots=10, queue_limit=queue_limit, retry_after="none", median_seconds=12, sigma=0.2
        ) as w:
            report = await w.run(w.sheet(150, series_every=SINGLES), concurrency="auto", submit_gate=2)
            w.everything_once(150)
            assert report.exit_code == 0
            posts = sum(method == "POST" for _at, method, _path in w.transport.calls)
            assert posts - 150 <= 150 * 0.05, "few were turned away"
            settled = w.service.ledger[60:140]
            seconds = settled[-1].at - settled[0].at
            assert seconds < 80 * 12 / 10 * 1.2, "ten machines were at work"
            assert most_in_flight(w) <= most

    test()


@virtual
async def test_the_next_night_goes_on_from_there(tmp_path: Path) -> None:
    """What one night found out of an account, the next one need not: few are turned away, none idles."""
    async with night(
        tmp_path, slots=30, queue_limit=0, retry_after="none", median_seconds=12, sigma=0.2
    ) as w:
        turned_away = []
        for rows in (200, 400):
            before = len(w.transport.calls)
            report = await w.run(w.sheet(rows, series_every=SINGLES), concurrency="auto", submit_gate=4)
            assert report.exit_code == 0
            new = w.transport.calls[before:]
            turned_away.append(sum(method == "POST" for _at, method, _path in new) - 200)
        w.everything_once(400)
        assert turned_away[1] <= 200 * 0.03
        nights = [[submit.at for submit in w.service.ledger[first : first + 30]] for first in (0, 200)]
        took = [max(at) - min(at) for at in nights]
        assert took[1] < took[0] / 2, f"seconds until thirty machines were at work: {took}"


@virtual
async def test_a_stop_ends_the_wait_for_room(tmp_path: Path) -> None:
    """Where nothing is taken at all, `auto` ends as a number does: paused, with nothing paid."""
    async with night(tmp_path, slots=1, queue_limit=0, retry_after="none", median_seconds=3000) as w:
        sheet = w.sheet(6, series_every=SINGLES)
        report = await w.run(sheet, concurrency="auto", outage_limit=60.0, deadline=600.0)
        assert len(w.service.ledger) == 1
        assert report.exit_code in {69, 1}


@virtual
async def test_tune_gives_a_number_back(tmp_path: Path) -> None:
    """What `tune` stored as `auto` is `auto` in the next run, until a number takes its place."""
    async with night(tmp_path, slots=40, median_seconds=12) as w:
        await w.run(w.sheet(3, series_every=SINGLES), concurrency="auto")
        async with open_store(w.database, w.clock.now) as store:
            await store.batches.tune(1, {"concurrency": "auto"})
            assert (await store.batches.get(1)).concurrency == "auto"
        await w.run(w.sheet(80, series_every=SINGLES))
        assert most_in_flight(w) > 8
