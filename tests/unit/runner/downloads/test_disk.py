"""Folders, probes, half-written files: the parts of the disk that can say no."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from runner.downloads.disk import (
    PART_SUFFIX,
    DiskTrouble,
    LocalDisk,
    describe_disk,
    part_path,
    prepare_folder,
    probe_writable,
    remove_stale_parts,
)
from runner.downloads.unsynced import UnsyncedFolders


class Failing(LocalDisk):
    """A disk on which one kind of call fails."""

    def __init__(self, call: str, number: int = errno.ENOSPC) -> None:
        super().__init__()
        self._call = call
        self._number = number

    def _fail(self, call: str) -> None:
        if call == self._call:
            raise OSError(self._number, os.strerror(self._number))

    def create(self, path: Path) -> int:
        self._fail("create")
        return super().create(path)

    def write(self, descriptor: int, data: bytes) -> None:
        self._fail("write")
        super().write(descriptor, data)

    def finish(self, descriptor: int) -> None:
        self._fail("finish")
        super().finish(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._fail("replace")
        super().replace(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._fail("sync_folder")
        super().sync_folder(folder)


def test_a_new_file_is_ours_alone_until_it_is_finished(tmp_path: Path) -> None:
    """0600 while it grows, then what the umask gives to any file."""
    before = os.umask(0o027)
    try:
        disk = LocalDisk()
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    path = tmp_path / "a"
    descriptor = disk.create(path)
    disk.write(descriptor, b"abc")
    assert path.stat().st_mode & 0o777 == 0o600
    disk.finish(descriptor)
    disk.close(descriptor)
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_bytes() == b"abc"


def test_a_finished_file_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only in the system's memory: the name that it gets next must not outlive the bytes."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    disk = LocalDisk()
    descriptor = disk.create(tmp_path / "a")
    disk.finish(descriptor)
    disk.close(descriptor)
    assert synced == [descriptor]


def test_a_system_without_fchmod_leaves_the_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows before Python 3.13."""
    monkeypatch.delattr(os, "fchmod")
    disk = LocalDisk()
    descriptor = disk.create(tmp_path / "a")
    disk.finish(descriptor)
    disk.close(descriptor)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_what_exists_is_never_opened(tmp_path: Path) -> None:
    """Neither a file nor a link that somebody put there in advance."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for name in ("victim", "link", "dangling"):
        with pytest.raises(FileExistsError):
            LocalDisk().create(tmp_path / name)
    assert victim.read_text() == "precious"


def test_a_write_that_takes_a_part_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may take fewer bytes than it was given."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
    disk = LocalDisk()
    descriptor = disk.create(tmp_path / "a")
    disk.write(descriptor, b"0123456789")
    disk.close(descriptor)
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_a_folder_is_not_synced_where_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows opens no folders."""

    def never(*_args: object) -> int:
        raise AssertionError

    disk = LocalDisk()
    with monkeypatch.context() as patch:
        patch.setattr("runner.downloads.disk.os.name", "nt")
        patch.setattr("runner.downloads.disk.os.open", never)
        disk.sync_folder(tmp_path)


def test_folders_are_made_and_synced(tmp_path: Path) -> None:
    """Each new name is on disk before anything is put below it; what is there is left alone."""
    synced: list[Path] = []

    class Noting(LocalDisk):
        def sync_folder(self, folder: Path) -> None:
            synced.append(folder)
            super().sync_folder(folder)

    root = tmp_path / "deep" / "out"
    assert prepare_folder(Noting(), root, PurePosixPath("a/b")) == root / "a" / "b"
    assert synced == [tmp_path, tmp_path / "deep", root, root / "a"]
    assert prepare_folder(Noting(), root, PurePosixPath("a/b")).is_dir()
    assert len(synced) == 4


def test_new_folders_may_be_synced_later(tmp_path: Path) -> None:
    """Whoever puts a file into one of them sees to that."""
    unsynced, synced = UnsyncedFolders(), list[Path]()

    class Noting(LocalDisk):
        def sync_folder(self, folder: Path) -> None:
            synced.append(folder)

    folder = prepare_folder(Noting(), tmp_path / "out", PurePosixPath("a/b"), unsynced)
    assert synced == []
    unsynced.sync_above(Noting(), folder)
    assert synced == [tmp_path / "out" / "a", tmp_path / "out", tmp_path]


def test_a_folder_that_a_killed_run_made_is_synced_by_the_next(tmp_path: Path) -> None:
    """It is there, and its entry may not be on the disk. What is above the root is not this run's to open."""
    unsynced, synced = UnsyncedFolders(), list[Path]()

    class Noting(LocalDisk):
        def sync_folder(self, folder: Path) -> None:
            synced.append(folder)

    root = tmp_path / "out"
    (root / "a" / "b").mkdir(parents=True)
    for _image in range(2):
        folder = prepare_folder(Noting(), root, PurePosixPath("a/b"), unsynced)
        unsynced.sync_above(Noting(), folder)
    assert synced == [root / "a", root]


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    """`outputs` on another disk is the user's own choice."""
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    prepare_folder(LocalDisk(), tmp_path / "out", PurePosixPath("a"))
    assert (tmp_path / "real" / "a").is_dir()


@pytest.mark.parametrize("below", ["a", "a/b"])
@pytest.mark.parametrize("target", ["elsewhere", "out/inside", "missing"])
def test_a_link_below_the_root_is_refused(below: str, target: str, tmp_path: Path) -> None:
    """Wherever it leads, also to another place inside."""
    root = tmp_path / "out"
    (root / "inside").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (root / "a").symlink_to(tmp_path / target)
    with pytest.raises(OSError, match="symbolic link"):
        prepare_folder(LocalDisk(), root, PurePosixPath(below))
    assert not any((tmp_path / "elsewhere").iterdir())


def test_a_folder_that_leads_out_in_another_way_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A junction on Windows is no symbolic link."""
    root = tmp_path / "out"
    root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (root / "a").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr("os.path.islink", lambda _path: False)
    with pytest.raises(OSError, match="out of the output folder"):
        prepare_folder(LocalDisk(), root, PurePosixPath("a"))


def test_a_folder_on_another_drive_leads_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A junction of Windows may: what two drives have in common, Python refuses to say."""

    def refuse(_paths: object) -> str:
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr("os.path.commonpath", refuse)
    with pytest.raises(OSError, match="out of the output folder") as raised:
        prepare_folder(LocalDisk(), tmp_path, PurePosixPath("a"))
    assert raised.value.errno == errno.ELOOP


def test_a_file_in_the_way_of_a_folder_is_the_system_s_error(tmp_path: Path) -> None:
    """It is not deleted to make room."""
    (tmp_path / "a").write_text("x")
    with pytest.raises(FileExistsError):
        prepare_folder(LocalDisk(), tmp_path, PurePosixPath("a"))


def test_a_part_has_a_name_of_its_own_each_time(tmp_path: Path) -> None:
    """Two downloads of one picture do not meet."""
    first, second = part_path(tmp_path, "01"), part_path(tmp_path, "01")
    assert first != second
    assert first.parent == tmp_path
    assert first.name.startswith("01.")
    assert first.suffix == PART_SUFFIX


OURS, THEIRS = "0a1b2c3d", "deadbeef"
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_stale_parts_are_swept_and_nothing_else(tmp_path: Path) -> None:
    """Only names that we give; not behind links, not what is no file, not what the user calls `.part`."""
    other = tmp_path / "other"
    folder = tmp_path / "out" / "night"
    (folder / "hero").mkdir(parents=True)
    other.mkdir()
    stale = [part_path(folder, "01", OURS), part_path(folder / "hero", "02.x", OURS)]
    kept = [
        folder / "01.png",
        folder / "mine.part",
        folder / f"01.{OURS}-0a1b2c3.part",
        folder / f"01.{OURS}-0a1b2c3d.parts",
        folder / f"01.{OURS}.0a1b2c3d.png",
        part_path(other, "03", OURS),
    ]
    for path in [*stale, *kept]:
        path.write_text("x")
    (folder / "link").symlink_to(other)
    odd = folder / f"05.{OURS}-0a1b2c3d.part"
    odd.mkdir()
    assert remove_stale_parts(tmp_path / "out", OURS, NOW) == 2
    assert not any(path.exists() for path in stale)
    assert all(path.exists() for path in [*kept, odd])
    assert remove_stale_parts(tmp_path / "out", OURS, NOW) == 0
    assert remove_stale_parts(tmp_path / "missing", OURS, NOW) == 0


def test_parts_of_others_are_left_to_them(tmp_path: Path) -> None:
    """Two databases may share a folder. What nobody has marked is an older version's: it goes after a day."""
    theirs, fresh, old = (part_path(tmp_path, "01", mark) for mark in (THEIRS, "", ""))
    for path, hours in ((theirs, 999), (fresh, 23), (old, 25)):
        path.write_text("x")
        os.utime(path, (at := (NOW - timedelta(hours=hours)).timestamp(), at))
    assert remove_stale_parts(tmp_path, OURS, NOW) == 1
    assert sorted(tmp_path.iterdir()) == sorted([theirs, fresh])


def test_a_part_that_cannot_be_deleted_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It harms nobody, and the run goes on."""

    def refuse(_path: Path) -> None:
        raise PermissionError(errno.EACCES, "no")

    part_path(tmp_path, "01", OURS).write_text("x")
    monkeypatch.setattr(Path, "unlink", refuse)
    assert remove_stale_parts(tmp_path, OURS, NOW) == 0


def test_a_writable_folder_passes_the_probe_and_is_left_as_it_was(tmp_path: Path) -> None:
    """It is made where it is missing."""
    assert probe_writable(tmp_path / "new" / "out") is None
    assert list((tmp_path / "new" / "out").iterdir()) == []


@pytest.mark.parametrize("call", ["create", "write", "finish", "replace", "sync_folder"])
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission"),
        (errno.EDQUOT, "quota"),
    ],
)
def test_a_folder_that_cannot_be_written_is_said(call: str, number: int, words: str, tmp_path: Path) -> None:
    """Whichever step fails, before anything is paid; and nothing is left behind."""
    told = probe_writable(tmp_path, Failing(call, number))
    assert told is not None
    assert words in told
    assert str(tmp_path) in told
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_name_is_not_utf_8_is_said(tmp_path: Path) -> None:
    """The table could not hold where its pictures are: these would be paid for first."""
    told = probe_writable(tmp_path / "night\udcff" / "out")
    assert told == f"{tmp_path}/night\\xff/out cannot be written: its name is not UTF-8"
    assert list(tmp_path.iterdir()) == []


def test_a_file_instead_of_a_folder_fails_the_probe(tmp_path: Path) -> None:
    """No exception, a sentence."""
    (tmp_path / "out").write_text("x")
    told = probe_writable(tmp_path / "out")
    assert told is not None
    assert "exists" in told


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENAMETOOLONG, "x"), "/o cannot be written: the name is too long for this disk"),
        (OSError(errno.EIO, "Input/output error"), "/o cannot be written: Input/output error"),
        (OSError("odd"), "/o cannot be written: OSError"),
    ],
)
def test_a_disk_s_error_becomes_a_sentence(error: OSError, reason: str) -> None:
    """With the number kept, for who decides whether to pause."""
    assert describe_disk(error, Path("/o")) == DiskTrouble(reason, error.errno)
