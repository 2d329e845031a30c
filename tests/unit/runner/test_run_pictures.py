"""Whole runs over sheets with pictures of this computer, in virtual time."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.pauses import PauseReason
from jobs.sheets.images.way import UNPROVEN
from jobs.states import JobState
from tests.support.fake_files import FakeFiles
from tests.support.night import night
from tests.support.small_pictures import put
from tests.support.virtual_time import virtual

EDIT = "bytedance/seedream-4-5/edit"
STORE: dict[str, Any] = {"upload": "s3://bucket/refs"}


def sheet(folder: Path, *cells: str) -> Path:
    """A sheet with these cells for pictures."""
    path = folder / "sheet.csv"
    rows = "".join(f"row-{n},{EDIT},A boat no. {n},{cell}\n" for n, cell in enumerate(cells))
    path.write_text(f"id,model,prompt,images\n{rows}")
    return path


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> FakeFiles:
    """The store that `upload` leads to."""
    made = FakeFiles()
    monkeypatch.setattr("runner.lifecycle.stages.open_bucket", lambda _url: made.bucket())
    return made


def test_every_row_once_and_every_picture_once(tmp_path: Path, files: FakeFiles) -> None:
    """Twenty rows that name two pictures."""

    @virtual
    async def test() -> None:
        put(tmp_path / "refs" / "1.png")
        put(tmp_path / "refs" / "2.png", colour="red")
        async with night(tmp_path) as n:
            report = await n.run(sheet(tmp_path, *["refs"] * 20), **STORE)
            assert report.exit_code == 0
            n.everything_once(20)
            assert len(files.puts) == 2

    test()


def test_what_moves_is_not_paid_again_and_what_changes_is(tmp_path: Path, files: FakeFiles) -> None:
    """By their content, whatever they are called."""

    @virtual
    async def test() -> None:
        put(tmp_path / "a.png")
        put(tmp_path / "b.png", colour="red")
        async with night(tmp_path) as n:
            await n.run(sheet(tmp_path, "a.png", "b.png"), **STORE)
            (tmp_path / "a.png").rename(tmp_path / "moved.png")
            put(tmp_path / "b.png", colour="blue")
            report = await n.run(sheet(tmp_path, "moved.png", "b.png"), **STORE)
            assert report.exit_code == 0
            assert n.submits() == {"A boat no. 0": 1, "A boat no. 1": 2}
            assert len(files.puts) == 3

    test()


def test_a_store_that_refuses_pauses_and_the_next_day_goes_on(tmp_path: Path, files: FakeFiles) -> None:
    """With signatures of that day; nothing is paid twice, nothing failed."""

    @virtual
    async def test() -> None:
        put(tmp_path / "a.png")
        async with night(tmp_path) as n:
            await n.run(sheet(tmp_path, "a.png"), **STORE)
            put(tmp_path / "b.png", colour="red")
            files.fails.extend([PermissionError("ExpiredToken")] * 2)  # to a look, then to the upload
            report = await n.run(sheet(tmp_path, "a.png", "b.png"), **STORE)
            assert report.exit_code == 75
            assert report.paused is not None
            assert report.paused.reason is PauseReason.GUARD
            assert n.states() == {JobState.SUCCEEDED: 1, JobState.QUEUED: 1}
            n.clock.jump(timedelta(hours=12))
            resumed = await n.resume(**STORE)
            assert resumed is not None
            assert resumed.exit_code == 0
            n.everything_once(2)
            assert len(files.signed) == 2

    test()


def test_resumed_without_a_way_it_has_its_own(tmp_path: Path, files: FakeFiles) -> None:
    """The batch remembers how its images reach the API; nobody need say it again."""

    @virtual
    async def test() -> None:
        put(tmp_path / "a.png")
        async with night(tmp_path) as n:
            files.fails.extend([PermissionError("no"), PermissionError("no")])
            assert (await n.run(sheet(tmp_path, "a.png"), **STORE)).exit_code == 75
            resumed = await n.resume()
            assert resumed is not None
            assert resumed.exit_code == 0
            n.everything_once(1)

    test()


def test_resumed_with_no_way_at_all_it_waits_for_one(tmp_path: Path, files: FakeFiles) -> None:
    """The sheet is loaded, and the images are refused by now: told, and nothing is lost."""

    @virtual
    async def test() -> None:
        put(tmp_path / "a.png")
        async with night(tmp_path) as n:
            files.fails.extend([PermissionError("no"), PermissionError("no")])
            assert (await n.run(sheet(tmp_path, "a.png"), **STORE)).exit_code == 75
            report = await n.resume(upload="refuse")
            assert report is not None
            assert report.paused is not None
            assert (report.exit_code, "--upload" in report.paused.detail) == (75, True)
            last = await n.resume(**STORE)
            assert last is not None
            assert last.exit_code == 0

    test()


@virtual
async def test_inside_the_request_is_said_to_be_unproven(tmp_path: Path) -> None:
    """The stand-in takes it, and draws from it."""
    put(tmp_path / "a.png")
    async with night(tmp_path) as n:
        report = await n.run(sheet(tmp_path, "a.png"), upload="data-uri")
        assert report.exit_code == 0
        assert UNPROVEN in n.watching.notices
        assert [len(submit.looks) for submit in n.service.ledger] == [1]
        assert "picture:sha256:" in n.manifest()[0]["inputs"]["images"][0]
