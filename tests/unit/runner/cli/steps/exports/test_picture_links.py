"""`export --pictures link | hardlink`: where names lead, and what is said where there can be none."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from jobs.datasets import imagefolder
from tests.support.loaders import loaded
from tests.unit.runner.cli.steps.exports.test_data_sets import BLUE, COUNT, GREEN, RED, lines, shot, written
from tests.unit.runner.cli.world import World, job

HARD = ("--pictures", "hardlink")


@pytest.fixture
def night(world: World) -> World:
    """Three pictures of two jobs."""
    world.load(job(0, "fox"), job(1, "hare"))
    shot(world, "fox", RED, BLUE)
    shot(world, "hare", GREEN)
    return world


def of(world: World, name: str) -> Path:
    """A picture in the output folder."""
    return world.folder / "outputs" / "night" / name


def test_a_hard_link_is_the_picture_itself(night: World) -> None:
    """It takes no room, `datasets` reads it, and what it means is said. The picture is not touched."""
    before = of(night, "fox/02.png").stat()
    ran = night.run("export", "--format", "imagefolder", "--output", "out", *HARD)
    assert ran.code == 0, ran.err
    link = night.folder / "out" / "train" / "fox-02.png"
    assert link.samefile(of(night, "fox/02.png"))
    assert not link.is_symlink()
    assert "3 pictures hard linked" in ran.err
    assert "copied" not in ran.err
    after = of(night, "fox/02.png").stat()
    assert (after.st_mtime_ns, after.st_mode, after.st_nlink) == (before.st_mtime_ns, before.st_mode, 2)
    assert loaded(night.folder, COUNT) == 3


def test_writing_it_again_leaves_the_pictures(night: World) -> None:
    """A name of the picture goes, the picture does not; sidecars are files of their own."""
    for way in ("hardlink", "copy", "hardlink", "link"):
        folder = written(night, "imagefolder", "out", "--pictures", way, "--metadata", "xmp")
        assert [of(night, name).read_bytes() for name in ("fox/01.png", "fox/02.png", "hare/01.png")] == [
            RED,
            BLUE,
            GREEN,
        ]
        assert (folder / "train" / "hare-01.png.xmp").stat().st_nlink == 1
    assert of(night, "hare/01.png").stat().st_nlink == 1


@pytest.mark.parametrize("refusal", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_where_there_can_be_none_it_is_copied_and_said(
    night: World, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    """Another device, no right to, too many names, a file system without: the set is whole all the same."""
    real = os.link

    def link(source: Any, target: Any, **more: Any) -> None:
        if "fox" in str(source):
            raise OSError(refusal, os.strerror(refusal))
        real(source, target, **more)

    monkeypatch.setattr("os.link", link)
    ran = night.run("export", "--format", "imagefolder", "--output", "out", *HARD)
    assert ran.code == 0
    assert f"2 pictures copied: a hard link was refused ({os.strerror(refusal)})" in ran.err
    assert "1 picture hard linked" in ran.err
    copy = night.folder / "out" / "train" / "fox-01.png"
    assert (copy.read_bytes(), copy.stat().st_nlink) == (RED, 1)
    assert len(lines(night.folder / "out" / "train" / "metadata.jsonl")) == 3


@pytest.mark.parametrize("swapped", ["file", "link", "folder"])
def test_a_picture_that_is_swapped_meanwhile_is_not_linked(
    night: World, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    """Proven was another file: its bytes are copied, and no name leads out of the folder."""
    real, fox = os.link, of(night, "fox/01.png")
    secret = night.folder / "away" / "01.png"
    secret.parent.mkdir()
    secret.write_bytes(b"secret")

    def link(source: Any, target: Any, **more: Any) -> None:
        if Path(source) == fox and not fox.with_name("aside").exists():
            if swapped == "folder":
                fox.parent.rename(fox.parents[1] / "gone")
                fox.parent.symlink_to(secret.parent, target_is_directory=True)
            else:
                fox.rename(fox.with_name("aside"))
                fox.write_bytes(b"other") if swapped == "file" else fox.symlink_to(secret)
        real(source, target, **more)

    monkeypatch.setattr("os.link", link)
    ran = night.run("export", "--format", "imagefolder", "--output", "out", *HARD)
    made = night.folder / "out" / "train" / "fox-01.png"
    assert (made.is_symlink(), made.read_bytes(), made.stat().st_nlink) == (False, RED, 1)
    assert "(it was replaced meanwhile)" in ran.err
    assert secret.read_bytes() == b"secret"


def test_a_full_disk_is_told_as_one(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is no way out of it."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.link", full)
    monkeypatch.setattr(imagefolder, "_write_new", full)
    ran = night.run("export", "--format", "imagefolder", "--output", "out", *HARD)
    assert (ran.code, "No space left" in ran.err) == (73, True)
    assert not (night.folder / "out").exists()


@pytest.mark.parametrize("form", ["parquet", "webdataset"])
def test_only_a_folder_has_them(night: World, form: str) -> None:
    """A file of files has bytes or paths."""
    ran = night.run("export", "--format", form, "--output", "out", *HARD)
    assert (ran.code, "--pictures hardlink goes with --format imagefolder" in ran.err) == (2, True)


def test_a_link_holds_below_a_linked_folder(night: World) -> None:
    """Names on the way there may be links, which `..` does not go back by."""
    (night.folder / "disk" / "deep" / "sets").mkdir(parents=True)
    (night.folder / "sets").symlink_to(night.folder / "disk" / "deep" / "sets", target_is_directory=True)
    folder = written(night, "imagefolder", "sets/out", "--pictures", "link")
    assert (folder / "train" / "fox-02.png").read_bytes() == BLUE
