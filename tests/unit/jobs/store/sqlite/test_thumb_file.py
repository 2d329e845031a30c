"""The file of thumbnails: kept by content, thrown away without harm, and in nobody's way."""

import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest

from jobs.errors import CannotWrite
from jobs.store.sqlite.thumb_file import SPARE_BYTES, VERSION, ThumbFile

ONE, OTHER = "a" * 64, "b" * 64
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "night.db.thumbs"


def kept(path: Path, sha256: str, side: int = 384) -> bytes | None:
    """What a file that is opened anew has."""
    file = ThumbFile(path)
    try:
        return file.get(sha256, side)
    finally:
        file.close()


def test_it_lies_beside_its_database(tmp_path: Path) -> None:
    """So that it is found, and deleted with it."""
    file = ThumbFile.beside(tmp_path / "night.db")
    file.put(ONE, 384, b"one")
    file.close()
    assert [path.name for path in tmp_path.iterdir()] == ["night.db.thumbs"]
    assert (tmp_path / "night.db.thumbs").stat().st_mode & 0o777 == 0o600


def test_what_is_kept_is_found_by_content_and_size(path: Path) -> None:
    """Also by the next process; the first one stays."""
    file = ThumbFile(path)
    assert file.get(ONE, 384) is None
    file.put(ONE, 384, b"one")
    file.put(ONE, 384, b"again")
    file.put(OTHER, 384, b"other")
    assert (file.get(ONE, 384), file.get(ONE, 1600)) == (b"one", None)
    file.close()
    assert (kept(path, ONE), kept(path, OTHER)) == (b"one", b"other")


@pytest.mark.parametrize("how", ["garbage", "newer"])
def test_what_is_no_file_of_ours_is_thrown_away(path: Path, how: str) -> None:
    """It is a cache: nothing is lost."""
    if how == "garbage":
        path.write_bytes(b"no database" * 1000)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE thumb (other)")
            connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    file = ThumbFile(path)
    file.put(ONE, 384, b"one")
    assert file.get(ONE, 384) == b"one"
    file.close()
    assert kept(path, ONE) == b"one"


def test_a_file_that_breaks_under_way_costs_its_thumbnails_alone(path: Path) -> None:
    """Nothing is raised, and nothing is found."""
    file = ThumbFile(path)
    file.put(ONE, 384, b"one")
    file.close()
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 20_000)
    file = ThumbFile(path)
    file.put(OTHER, 384, b"other")
    assert file.get(ONE, 384) is None
    file.close()


def test_it_is_forgotten_or_it_is_told(tmp_path: Path) -> None:
    """One that was never there is forgotten as well; what cannot be deleted is named."""
    database = tmp_path / "night.db"
    ThumbFile.forget(database)
    kept = ThumbFile.beside(database)
    kept.put("a" * 64, 384, b"x")
    kept.close()
    ThumbFile.forget(database)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "night.db.thumbs").mkdir()
    with pytest.raises(CannotWrite, match=r"night\.db\.thumbs cannot be deleted"):
        ThumbFile.forget(database)


def test_where_it_cannot_be_written_nothing_is_kept(tmp_path: Path) -> None:
    """The folder is gone: no error, no thumbnail."""
    file = ThumbFile(tmp_path / "gone" / "night.db.thumbs")
    file.put(ONE, 384, b"one")
    assert file.get(ONE, 384) is None
    file.close()


def test_another_process_that_holds_it_is_not_waited_for_long(path: Path) -> None:
    """It may write, too; meanwhile nothing is kept, and the file is not thrown away."""
    file = ThumbFile(path)
    file.put(ONE, 384, b"one")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        file.put(OTHER, 384, b"other")
        fresh = ThumbFile(path)
        assert fresh.get(ONE, 384) is None
        fresh.close()
        other.execute("ROLLBACK")
    assert (file.get(ONE, 384), file.get(OTHER, 384)) == (b"one", None)
    file.close()


def test_a_disk_that_fills_up_gets_no_thumbnails(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The room is for images and the database; up to there it is kept."""
    file = ThumbFile(path)
    for free, data in ((SPARE_BYTES - 1, None), (SPARE_BYTES, b"one")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, free=free: Usage(1, 1, free))
        file.put(ONE, 384, b"one")
        assert file.get(ONE, 384) == data
    file.close()


def test_a_second_breakage_is_not_mended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another program writes is not deleted again and again."""
    path.write_bytes(b"no database" * 1000)

    def never(_self: Path, missing_ok: bool = False) -> None:
        """Somebody puts the same back at once."""

    monkeypatch.setattr(Path, "unlink", never)
    file = ThumbFile(path)
    file.put(ONE, 384, b"one")
    assert file.get(ONE, 384) is None
    assert path.read_bytes().startswith(b"no database")
    file.close()
