"""A process that ends at the worst places beyond the submit edge: the next run finds all that is paid for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.store.batches import Batches
from jobs.store.jobs import Jobs
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from jobs.store.witness import Witness
from runner.downloads.incoming import MOST_IN_MEMORY
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.matrix.nights import posts
from tests.support.command import QUICK, desk, until, wait
from tests.support.night import Night, night
from tests.support.tables import ORIGIN, SHEET, rows, select
from tests.support.virtual_time import VirtualClock, virtual

ROWS = 9


class Killed(BaseException):
    """The process ends here."""


async def killed(w: Night) -> None:
    """A run that does not come to its end."""
    with pytest.raises(BaseException) as ended:  # noqa: PT011 - a group with the kill in it
        await w.run(w.sheet(ROWS))
    assert "Killed" in repr(ended.value)


async def goes_on(w: Night) -> None:
    """The next run ends the batch, and every row has been paid once."""
    report = await w.run(w.sheet(ROWS))
    assert report.exit_code == 0
    assert w.states() == {JobState.SUCCEEDED: ROWS}
    assert w.submits() == {f"A boat no. {row}": 1 for row in range(ROWS)}
    assert posts(w) == ROWS
    assert w.pictures_whole() == sum(submit.draw.pictures for submit in w.service.ledger)


@pytest.mark.parametrize("call", ["/status", "/result", "/media/"])
@pytest.mark.parametrize("nth", [1, 5])
def test_killed_at_a_free_call(tmp_path: Path, call: str, nth: int) -> None:
    """While it polls, asks for a result or downloads: nothing is in doubt, nothing is sent again."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            real, seen = w.transport.handle_async_request, 0

            async def handle(request: Any) -> Any:
                nonlocal seen
                seen += call in request.url.path
                if call in request.url.path and seen == nth:
                    raise Killed
                return await real(request)

            with mock.patch.object(w.transport, "handle_async_request", handle):
                await killed(w)
            assert seen >= nth
            assert JobState.UNCONFIRMED not in w.states()
            await goes_on(w)

    test()


@virtual
async def test_killed_between_the_name_and_the_note(tmp_path: Path) -> None:
    """The picture has its final name, the table does not know: it is taken as it stands, not once more."""
    async with night(tmp_path) as w:
        with mock.patch.object(Jobs, "succeed", side_effect=Killed):
            await killed(w)
        named = {path: path.stat().st_ino for path in pictures(tmp_path)}
        assert named
        await goes_on(w)
        assert {path: path.stat().st_ino for path in named} == named, "not even replaced"
        assert [path for path in pictures(tmp_path) if path.stem.endswith("-2")] == []


def pictures(folder: Path) -> list[Path]:
    return list((folder / "outputs").rglob("*.jpg"))


@virtual
async def test_killed_while_the_manifest_is_written(tmp_path: Path) -> None:
    """The old one stays whole; the next run writes the new one."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(ROWS - 4))
        with mock.patch("jobs.disk.atomic_file.AtomicFile.commit", side_effect=Killed):
            await killed(w)
        assert len(w.manifest()) == ROWS - 4
        await goes_on(w)
        assert len(w.manifest()) == ROWS


KEYS = [f"{number:04}" for number in range(1200)]


@virtual
async def test_killed_while_a_sheet_is_loaded(tmp_path: Path) -> None:
    """All of its rows or none; and loading it again when it is there adds nothing."""

    def cut_off() -> Iterator[PlannedJob]:
        yield from rows(*KEYS[:1100])
        raise Killed

    async with open_database(tmp_path / "night.db") as database:
        store = Store(database, VirtualClock().now)
        with pytest.raises(Killed):
            await store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=cut_off())
    assert select(tmp_path / "night.db", "SELECT count(*) AS n FROM job") == [{"n": 0}]
    async with open_database(tmp_path / "night.db") as database:
        store = Store(database, VirtualClock().now)
        for _ in range(2):
            await store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows(*KEYS))
            assert select(tmp_path / "night.db", "SELECT count(*) AS n FROM job") == [{"n": len(KEYS)}]


@virtual
async def test_killed_again_and_again_while_it_recovers(tmp_path: Path) -> None:
    """Once in a submit, then twice in the recovery: what was in doubt stays so, and nothing is added."""
    passed: list[str] = []

    def probe(name: str) -> None:
        passed.append(name)
        if name == "after submit" and passed.count(name) == 2:
            raise Killed

    async with night(tmp_path) as w:
        w.probe = probe
        await killed(w)
        w.probe = lambda _name: None
        real = Witness.settle_interrupted

        async def noted(self: Witness, *arguments: Any) -> None:
            await real(self, *arguments)
            raise Killed

        with mock.patch.object(Witness, "settle_interrupted", noted):
            await killed(w)
        doubts = w.states()[JobState.UNCONFIRMED]
        assert doubts == 1
        with mock.patch.object(Batches, "begin_run", side_effect=Killed):
            await killed(w)
        sent = posts(w)
        report = await w.run(w.sheet(ROWS))
        assert report.exit_code == 1
        assert w.states() == {JobState.UNCONFIRMED: doubts, JobState.SUCCEEDED: ROWS - doubts}
        assert posts(w) == ROWS > sent
        assert max(w.submits().values()) == 1


@pytest.mark.process
async def test_a_real_kill_in_the_middle_of_a_download(tmp_path: Path) -> None:
    """kill -9 leaves a half of a picture under a name that nobody takes for one; the next run sweeps it."""
    slow = Fault(
        endpoint=Endpoint.MEDIA, kind=FaultKind.DRIP, times=None, seconds=0.5, count=2 * MOST_IN_MEMORY
    )
    async with desk(tmp_path, faults=(slow,)) as here:
        process = here.start("run", here.sheet(4), *QUICK)
        await until(lambda: len(halves(tmp_path)) >= 2, process)
        process.kill()
        await wait(process)
        assert halves(tmp_path)
        assert len(here.service.ledger) == 4
        here.service.faults = ()
        ended = await here.call("run", "sheet.csv", *QUICK)
        assert ended.code == 0, ended.err
        assert halves(tmp_path) == []
        assert len(here.service.ledger) == 4
        assert here.assert_pictures_whole() == 7


def halves(folder: Path) -> list[Path]:
    """Pictures that are on their way, with some bytes in them."""
    return [path for path in folder.rglob("*.part") if path.stat().st_size > 0]
