"""An archive takes its place whole, only of one that an export wrote, and is the same each time."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from jobs.disk.own_archive import own_archive
from jobs.errors import CannotWrite, UsageProblem


def write(target: Path, text: bytes = b"text", picture: bytes = b"picture") -> None:
    """An archive with two files."""
    with own_archive(target, "inner") as archive:
        archive.put("p/a.webp", picture)
        archive.put_file("data.js", io.BytesIO(text))


def test_it_holds_what_was_put(tmp_path: Path) -> None:
    """In one folder; what is packed already is stored as it is."""
    write(tmp_path / "new" / "a.zip", text=b"text" * 1000)
    with zipfile.ZipFile(tmp_path / "new" / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("inner/data.js") == b"text" * 1000
        entries = {one.filename: one for one in archive.infolist()}
    assert list(entries) == ["inner/p/a.webp", "inner/data.js"]
    assert entries["inner/data.js"].compress_size < 1000
    assert entries["inner/p/a.webp"].compress_type == zipfile.ZIP_STORED
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.zip"]


def test_it_is_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the time, the umask and the system are."""
    write(tmp_path / "a.zip")
    before = os.umask(0o077)
    try:
        monkeypatch.setattr("time.time", lambda: 2e9)
        write(tmp_path / "b.zip")
    finally:
        os.umask(before)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_one_of_ours_is_replaced(tmp_path: Path) -> None:
    """By what it holds now."""
    write(tmp_path / "a.zip")
    write(tmp_path / "a.zip", text=b"other")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read("inner/data.js") == b"other"


def foreign(target: Path) -> None:
    target.write_bytes(b"mine")


def empty(target: Path) -> None:
    target.write_bytes(b"")


def another_archive(target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mine", "mine")


def added_to(target: Path) -> None:
    write(target)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("mine", "mine")


def changed_in(target: Path) -> None:
    write(target)
    with zipfile.ZipFile(target) as archive:
        comment = archive.comment
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("inner/p/a.webp", b"PICTURE")
        archive.writestr("inner/data.js", b"text")
        archive.comment = comment


def cut(target: Path) -> None:
    write(target)
    target.write_bytes(target.read_bytes()[:-5])


def folder(target: Path) -> None:
    target.mkdir()


def link(target: Path) -> None:
    write(target.with_name("real.zip"))
    target.symlink_to("real.zip")


@pytest.mark.parametrize("there", [foreign, empty, another_archive, added_to, changed_in, cut, folder, link])
def test_what_is_somebody_s_is_left(tmp_path: Path, there: "object") -> None:
    """Before anything is written."""
    target = tmp_path / "a.zip"
    assert callable(there)
    there(target)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageProblem, match="Nothing was written"):
        write(target, text=b"other")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_came_meanwhile_is_left(tmp_path: Path) -> None:
    """Writing takes its time."""
    target = tmp_path / "a.zip"

    def meanwhile() -> None:
        with own_archive(target, "inner") as archive:
            archive.put("a.webp", b"picture")
            target.write_bytes(b"mine")

    with pytest.raises(UsageProblem):
        meanwhile()
    assert target.read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_is_broken_off_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    """And what was there is there."""
    write(tmp_path / "a.zip")
    before = (tmp_path / "a.zip").read_bytes()

    def broken_off() -> None:
        with own_archive(tmp_path / "a.zip", "inner") as archive:
            archive.put("a.webp", b"picture")
            raise error

    with pytest.raises(CannotWrite if isinstance(error, OSError) else KeyboardInterrupt):
        broken_off()
    assert (tmp_path / "a.zip").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
