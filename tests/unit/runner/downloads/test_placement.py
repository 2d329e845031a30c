"""The final name: never over what is not ours, never through a link."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.downloads.disk import LocalDisk
from runner.downloads.placement import place, sha256_of


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def put(folder: Path, data: bytes = b"new", *, replaces: str | None = None, name: str = "01") -> str:
    """Places `data` as `01.png`, and returns the name that it got."""
    part = folder / f"{name}.{os.urandom(4).hex()}.part"
    part.write_bytes(data)
    placed = place(LocalDisk(), part, folder / name, ".png", digest(data), replaces)
    assert not part.exists()
    assert placed.read_bytes() == data
    assert placed.parent == folder
    return placed.name


def test_a_free_name_is_taken(tmp_path: Path) -> None:
    """The ordinary case."""
    assert put(tmp_path) == "01.png"


def test_a_name_with_a_dot_keeps_it(tmp_path: Path) -> None:
    """`v1.0` is a name and has no ending."""
    assert put(tmp_path, name="v1.0") == "v1.0.png"


def test_the_same_content_is_taken_as_it_stands(tmp_path: Path) -> None:
    """Killed between the rename and the commit, the next run finds its own file and does not touch it."""
    put(tmp_path)
    before = (tmp_path / "01.png").stat()
    assert put(tmp_path) == "01.png"
    after = (tmp_path / "01.png").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_stranger_s_file_is_left_alone(tmp_path: Path) -> None:
    """The user may have edited it: the new one goes beside it."""
    (tmp_path / "01.png").write_bytes(b"edited")
    assert put(tmp_path) == "01-2.png"
    assert (tmp_path / "01.png").read_bytes() == b"edited"
    assert put(tmp_path) == "01-2.png"
    assert put(tmp_path, b"third") == "01-3.png"


def test_a_file_known_to_be_ours_is_replaced(tmp_path: Path) -> None:
    """An earlier download, by the hash that was recorded for it."""
    put(tmp_path, b"old")
    assert put(tmp_path, b"new", replaces=digest(b"old")) == "01.png"
    (tmp_path / "01.png").write_bytes(b"edited since")
    assert put(tmp_path, b"newest", replaces=digest(b"new")) == "01-2.png"


@pytest.mark.parametrize("target", ["victim", "missing", "folder", "same"])
def test_a_planted_link_is_neither_followed_nor_replaced(target: str, tmp_path: Path) -> None:
    """Not even where it leads to the very same content."""
    outside = tmp_path / "outside"
    folder = tmp_path / "out"
    folder.mkdir()
    (outside / "folder").mkdir(parents=True)
    (outside / "victim").write_bytes(b"precious")
    (outside / "same").write_bytes(b"new")
    (folder / "01.png").symlink_to(outside / target)
    assert put(folder, replaces=digest(b"precious")) == "01-2.png"
    assert (folder / "01.png").is_symlink()
    assert (outside / "victim").read_bytes() == b"precious"
    assert sorted(path.name for path in outside.iterdir()) == ["folder", "same", "victim"]


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    """A folder, a pipe: reading one of them could hang for ever."""
    (tmp_path / "01.png").mkdir()
    os.mkfifo(tmp_path / "01-2.png")
    assert put(tmp_path) == "01-3.png"


def test_a_file_that_cannot_be_read_counts_as_a_stranger_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its content might be anything."""
    (tmp_path / "01.png").write_bytes(b"new")
    part = tmp_path / "x.part"
    part.write_bytes(b"new")

    def refuse(*_args: object) -> int:
        raise PermissionError(13, "no")

    with monkeypatch.context() as patch:
        patch.setattr("runner.downloads.placement.os.open", refuse)
        patch.setattr(LocalDisk, "sync_folder", lambda _disk, _folder: None)
        placed = place(LocalDisk(), part, tmp_path / "01", ".png", digest(b"new"))
    assert placed.name == "01-2.png"


def test_without_a_hash_nothing_is_taken_for_ours(tmp_path: Path) -> None:
    """Unknown is equal to nothing, least of all to another unknown."""
    (tmp_path / "01.bad").mkdir()
    part = tmp_path / "x.part"
    part.write_bytes(b"new")
    assert place(LocalDisk(), part, tmp_path / "01", ".bad", None).name == "01-2.bad"


def test_the_names_come_to_an_end(tmp_path: Path) -> None:
    """A hundred strangers of one name are a sign of something else."""
    for number in range(1, 100):
        (tmp_path / ("01.png" if number == 1 else f"01-{number}.png")).touch()
    with pytest.raises(FileExistsError, match="99"):
        put(tmp_path)


def test_two_threads_never_get_one_name(tmp_path: Path) -> None:
    """Between looking and renaming nobody else gets a turn."""
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda n: put(tmp_path, b"content %d" % n), range(40)))
    assert len(set(names)) == 40


def test_the_folder_is_synced_after_the_rename(tmp_path: Path) -> None:
    """The name must survive a power cut as well as the bytes."""
    calls: list[str] = []

    class Noting(LocalDisk):
        def replace(self, source: Path, target: Path) -> None:
            calls.append("replace")
            super().replace(source, target)

        def sync_folder(self, folder: Path) -> None:
            calls.append("sync")
            super().sync_folder(folder)

    part = tmp_path / "x.part"
    part.write_bytes(b"new")
    place(Noting(), part, tmp_path / "01", ".png", digest(b"new"))
    assert calls == ["replace", "sync"]


def test_a_hash_is_of_the_bytes(tmp_path: Path) -> None:
    """And of nothing where there is no file."""
    (tmp_path / "a").write_bytes(b"abc" * 1_000_000)
    assert sha256_of(tmp_path / "a") == digest(b"abc" * 1_000_000)
    assert sha256_of(tmp_path / "missing") is None
