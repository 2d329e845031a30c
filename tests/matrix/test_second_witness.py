"""The database goes back in time, is copied, or is lost: nothing is paid for twice, and all comes home."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import CannotWrite, LockHeld, UsageProblem
from jobs.states import JobState
from jobs.store.open import open_store
from runner.planning.consent import Ask
from runner.recovery.journal_places import Places, places_of
from runner.recovery.state_lock import one_runner
from tests.support.journals import journals
from tests.support.night import Night, night
from tests.support.virtual_time import virtual

ROWS = 12


async def nobody_consents(_ask: Ask) -> bool:
    return False


async def nobody_is_asked(_ask: Ask) -> bool:
    raise AssertionError("somebody is asked to pay")


async def loaded(w: Night) -> Path:
    """Load a sheet, send nothing of it, and keep a copy of its database: last night's backup."""
    sheet = w.sheet(ROWS)
    with pytest.raises(UsageProblem):
        await w.run(sheet, nobody_consents)
    backup = w.folder / "backup"
    backup.mkdir()
    for path in w.folder.glob("night.db*"):
        if path.is_file():
            shutil.copy(path, backup / path.name)
    return sheet


def restore(w: Night) -> None:
    for suffix in ("-wal", "-shm"):
        w.database.with_name(f"night.db{suffix}").unlink(missing_ok=True)
    for path in (w.folder / "backup").iterdir():
        shutil.copy(path, w.folder / path.name)


def nothing(_w: Night) -> None:
    """The journal is where it was."""


def no_journal_beside(w: Night) -> None:
    """The copy in the state folder alone is left."""
    shutil.rmtree(w.database.with_name("night.db.journal"))


def no_state_folder(w: Night) -> None:
    """The journal beside the database alone is left."""
    shutil.rmtree(w.folder / ".local")


@pytest.mark.parametrize("lose", [nothing, no_journal_beside, no_state_folder])
def test_a_backup_that_is_restored(tmp_path: Path, lose: Callable[[Night], None]) -> None:
    """Each row goes on with the id that the journal has; nothing is asked and nothing is sent before."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            sheet = await loaded(w)
            assert (await w.run(sheet)).exit_code == 0
            restore(w)
            lose(w)
            report = await w.run(sheet, nobody_is_asked)
            assert report.exit_code == 0
            assert any(f"did not know {ROWS} submits" in notice for notice in w.watching.notices)
            w.everything_once(ROWS)

    test()


@virtual
async def test_a_row_that_was_edited_since_the_backup(tmp_path: Path) -> None:
    """What was paid for before the edit is told; the row as it is now is another one."""
    async with night(tmp_path, median_seconds=60) as w:
        sheet = await loaded(w)
        assert (await w.run(sheet)).exit_code == 0
        restore(w)
        edited = sheet.read_text().replace("no. 3", "no. 30")
        sheet.write_text(edited)
        report = await w.run(sheet)
        assert report.exit_code == 0
        assert max(w.submits().values()) == 1
        assert w.states() == {JobState.SUCCEEDED: ROWS}
        assert any("fit no row of this database: 'row-3'" in notice for notice in w.watching.notices)


@virtual
async def test_a_copy_in_another_folder_knows_what_the_first_one_sent(tmp_path: Path) -> None:
    """By the state folder, which both have; that there are two is told."""
    async with night(tmp_path) as w:
        sheet = await loaded(w)
        there = tmp_path / "there"
        shutil.copytree(w.folder / "backup", there)
        assert (await w.run(sheet)).exit_code == 0
        report = await w.run(sheet, nobody_is_asked, db=there / "night.db")
        assert report.exit_code == 0
        assert any("there is one there still" in notice for notice in w.watching.notices)
        assert max(w.submits().values()) == 1


@virtual
async def test_two_runners_over_copies(tmp_path: Path) -> None:
    """The second is refused, whatever lock file it looks at."""
    async with night(tmp_path) as w:
        sheet = await loaded(w)
        places = await _places(w)
        with one_runner(places, w.database, print), pytest.raises(LockHeld, match="copy of"):
            await w.run(sheet)
        assert not w.service.ledger


async def _places(w: Night) -> Places:
    async with open_store(w.database, w.clock.now) as store:
        batch = await store.batches.named(None)
        return await places_of(store, batch, w.settings(), w.environment.state_folder)


@virtual
async def test_a_second_name(tmp_path: Path) -> None:
    """A hard link has no lock and no -wal in common with the file's other name."""
    async with night(tmp_path) as w:
        sheet = await loaded(w)
        other = tmp_path / "other.db"
        other.hardlink_to(w.database)
        for database in (w.database, other):
            with pytest.raises(CannotWrite, match="2 names"):
                await w.run(sheet, db=database)
        assert not w.service.ledger


@virtual
async def test_the_state_folder_cannot_be_written(tmp_path: Path) -> None:
    """Each run says so, and goes on: the journal beside the database is the witness."""
    async with night(tmp_path) as w:
        (tmp_path / ".local").write_text("a file")
        sheet = w.sheet(ROWS)
        for _run in range(2):
            w.watching.notices.clear()
            assert (await w.run(sheet)).exit_code == 0
            assert any("No copy of the journal" in notice for notice in w.watching.notices)
        assert len(journals(tmp_path)) == 1
        w.everything_once(ROWS)


@virtual
async def test_a_rehearsal_keeps_no_copy(tmp_path: Path) -> None:
    """It pays nothing."""
    async with night(tmp_path) as w:
        await loaded(w)
        async with open_store(w.database, w.clock.now) as store:
            batch = await store.batches.named(None)
            assert (
                await places_of(store, batch, w.settings(emulator=True), w.environment.state_folder)
            ).copies is None
