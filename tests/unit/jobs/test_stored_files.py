"""Pictures that came home, and may have gone again."""

from pathlib import Path

from jobs.stored_files import is_on_disk, missing_files
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
