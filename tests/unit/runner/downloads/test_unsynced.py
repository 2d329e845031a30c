"""A folder with a new entry is synced before anybody relies on it, and once for all who came before."""

import errno
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from runner.downloads.unsynced import UnsyncedFolders

TOP = Path("/out")
BATCH = TOP / "night"


def _make_entry(unsynced: UnsyncedFolders, folder: Path) -> None:
    with unsynced.made(folder / "entry"):
        pass


def _nothing() -> None:
    """Happens."""


class Disk:
    """Notes what is synced. `meanwhile` is what happens during a sync."""

    def __init__(self) -> None:
        self.synced: list[Path] = []
        self.meanwhile: Callable[[], None] = _nothing
        self.fails = False

    def sync_folder(self, folder: Path) -> None:
        if self.fails:
            raise OSError(errno.EIO, "broken")
        self.synced.append(folder)
        self.meanwhile()


def test_all_that_leads_to_a_folder_is_synced_once() -> None:
    """Not what leads elsewhere."""
    unsynced, disk = UnsyncedFolders(), Disk()
    for folder in (TOP, BATCH, BATCH, TOP / "day"):
        _make_entry(unsynced, folder)
    unsynced.sync_above(disk, BATCH / "hero")
    assert disk.synced == [BATCH, TOP]
    unsynced.sync_above(disk, BATCH / "hero")
    assert disk.synced == [BATCH, TOP]
    unsynced.sync_above(disk, TOP / "day" / "hero")
    assert disk.synced == [BATCH, TOP, TOP / "day"]


def test_who_did_not_make_it_waits_for_it_as_well() -> None:
    """The folder above was made for another image, whose sync is still under way."""
    unsynced, disk = UnsyncedFolders(), Disk()
    _make_entry(unsynced, TOP)
    other = Disk()
    disk.meanwhile = lambda: unsynced.sync_above(other, BATCH / "other")
    unsynced.sync_above(disk, BATCH / "hero")
    assert other.synced == [TOP]


def test_an_entry_that_comes_during_a_sync_needs_another_one() -> None:
    """The sync under way may have missed it."""
    unsynced, disk = UnsyncedFolders(), Disk()
    _make_entry(unsynced, BATCH)
    disk.meanwhile = lambda: _make_entry(unsynced, BATCH)
    unsynced.sync_above(disk, BATCH / "hero")
    disk.meanwhile = _nothing
    unsynced.sync_above(disk, BATCH / "late")
    assert disk.synced == [BATCH, BATCH]


def test_an_entry_that_is_seen_is_noted() -> None:
    """Another thread, which sees the new folder, has its image there before the entry is noted."""
    unsynced, disk = UnsyncedFolders(), Disk()
    other = Thread(target=unsynced.sync_above, args=(disk, BATCH / "hero"))
    with unsynced.made(BATCH):
        other.start()
        other.join(0.1)  # returns at once where nobody waits for the note
        assert other.is_alive()
    other.join()
    assert disk.synced == [TOP]


def test_a_sync_that_fails_is_still_needed() -> None:
    """By the next one who comes."""
    unsynced, disk = UnsyncedFolders(), Disk()
    _make_entry(unsynced, BATCH)
    disk.fails = True
    with pytest.raises(OSError, match="broken"):
        unsynced.sync_above(disk, BATCH / "hero")
    disk.fails = False
    unsynced.sync_above(disk, BATCH / "hero")
    assert disk.synced == [BATCH]


def test_what_others_made_is_synced_once_for_a_run() -> None:
    """A run that was killed, or works there as well, may not have come to it; each new folder counts."""
    unsynced, disk = UnsyncedFolders(), Disk()
    for _ in range(2):
        unsynced.seen(BATCH)
        unsynced.sync_above(disk, BATCH)
    assert disk.synced == [TOP]
    unsynced.seen(TOP / "day")
    unsynced.sync_above(disk, TOP / "day")
    assert disk.synced == [TOP, TOP]


def test_what_a_run_made_itself_is_not_new_to_it() -> None:
    """One sync for each folder."""
    unsynced, disk = UnsyncedFolders(), Disk()
    with unsynced.made(BATCH):
        pass
    unsynced.sync_above(disk, BATCH)
    unsynced.seen(BATCH)
    unsynced.sync_above(disk, BATCH)
    assert disk.synced == [TOP]


def test_no_more_folders_are_remembered_than_a_run_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is forgotten is synced above again, at worst."""
    monkeypatch.setattr("runner.downloads.unsynced.MOST_SEEN", 2)
    unsynced, disk = UnsyncedFolders(), Disk()
    for folder in (TOP / "a", TOP / "b", TOP / "c", TOP / "a"):
        unsynced.seen(folder)
        unsynced.sync_above(disk, folder)
    assert disk.synced == [TOP] * 4
