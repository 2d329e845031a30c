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
    with unsynced.entry(folder):
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
    with unsynced.entry(TOP):
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
