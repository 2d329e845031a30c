"""Pictures that came home, and may have gone again."""

import hashlib
import os
from pathlib import Path

import pytest

from jobs.images.stored import Whereabouts, is_on_disk, kept_folder, kept_path, missing_files
from jobs.views import ArtifactView
from tests.support.manifests import view
from tests.support.tables import picture


def test_a_picture_is_there_whole_or_not(tmp_path: Path) -> None:
    """Deleted, cut short, or a folder in its place: none of these is the picture."""
    path = tmp_path / "01.png"
    found = picture(path=str(path), bytes=3)
    assert not is_on_disk(found)
    path.write_bytes(b"abc")
    assert is_on_disk(found)
    path.write_bytes(b"ab")
    assert not is_on_disk(found)
    path.unlink()
    path.mkdir()
    assert not is_on_disk(found)


def test_what_a_job_lacks_is_named(tmp_path: Path) -> None:
    """Those alone that are not there."""
    path = tmp_path / "02.png"
    path.write_bytes(b"abc")
    there, gone = picture(2, path=str(path), bytes=3), picture(1, path=str(tmp_path / "01.png"))
    assert missing_files(view(images=(gone, there))) == (gone.path,)


def put(path: Path, data: bytes) -> ArtifactView:
    """A picture on disk, as it is recorded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return picture(path=str(path), bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def test_what_was_moved_is_found_by_its_content(tmp_path: Path) -> None:
    """Under any name, wherever below the folder; not by its length alone, and not as what was put aside."""
    fox, owl, gone = (
        put(tmp_path / "a" / f"0{number}.png", data)
        for number, data in enumerate((b"fox", b"owl", b"elk"), 1)
    )
    places = Whereabouts(tmp_path)
    assert places.of(fox) == tmp_path / "a" / "01.png"
    Path(owl.path).rename(tmp_path / "best owl.png")
    Path(gone.path).rename(tmp_path / "a" / "03.bad")
    (tmp_path / "a" / ".03.png.1234.part").write_bytes(b"elk")
    assert places.of(owl) == tmp_path / "best owl.png"
    assert (places.of(gone), places.missing) == (None, 1)
    assert Whereabouts(tmp_path / "nowhere").of(gone) is None


def test_the_one_of_the_same_name_is_taken_first(tmp_path: Path) -> None:
    """Of several copies: a person knows it by its name."""
    fox = put(tmp_path / "01.png", b"fox")
    Path(fox.path).unlink()
    put(tmp_path / "a" / "copy.png", b"fox")
    put(tmp_path / "b" / "01.png", b"fox")
    assert Whereabouts(tmp_path).of(fox) == tmp_path / "b" / "01.png"


def test_a_folder_that_was_moved_whole_is_read_at_its_new_place(tmp_path: Path) -> None:
    """No file is hashed for that; one that stayed behind is found there."""
    before, now = tmp_path / "before", tmp_path / "now"
    fox, owl = put(before / "a" / "01.png", b"fox"), put(before / "b" / "01.png", b"owl")
    (now / "a").mkdir(parents=True)
    Path(fox.path).rename(now / "a" / "01.png")
    places = Whereabouts(now, before)
    assert places.of(fox) == now / "a" / "01.png"
    assert places.of(owl) == before / "b" / "01.png"
    assert places._sha256 == {}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    """It may be the picture; nobody can tell."""
    fox = put(tmp_path / "01.png", b"fox")
    Path(fox.path).rename(tmp_path / "02.png")
    (tmp_path / "02.png").chmod(0)
    assert Whereabouts(tmp_path).of(fox) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """It leads anywhere."""
    fox = put(tmp_path / "root" / "01.png", b"fox")
    Path(fox.path).rename(tmp_path / "elsewhere.png")
    (tmp_path / "root" / "02.png").symlink_to(tmp_path / "elsewhere.png")
    assert Whereabouts(tmp_path / "root").of(fox) is None


def test_what_can_be_moved_together_is_kept_relative(tmp_path: Path) -> None:
    """Folder and images below the database's folder; all else by its whole path."""
    home, database = tmp_path / "project", tmp_path / "project" / "night.db"
    home.mkdir()
    assert kept_folder(home / "outputs", database) == "outputs"
    assert kept_folder(tmp_path / "disk", database) == str(tmp_path / "disk")
    assert kept_path(home / "outputs" / "a" / "01.png", home / "outputs", database) == "a/01.png"
    assert kept_path(home / "old" / "01.png", home / "outputs", database) == "../old/01.png"
    assert kept_path(tmp_path / "01.png", home / "outputs", database) == str(tmp_path / "01.png")
    link = tmp_path / "link"
    link.symlink_to(home)
    assert kept_folder(link / "outputs", database) == "outputs"
