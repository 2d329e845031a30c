"""Whether a file is a database of ours: looked at without changing anything beside it."""

from pathlib import Path

import pytest

from jobs.errors import CannotWrite
from jobs.store.sqlite.beside import check_readable
from tests.support.warm import prepare_database


def test_a_database_is_readable_and_stays_as_it_is(tmp_path: Path) -> None:
    """No -wal and no -shm appear."""
    path = tmp_path / "night.db"
    prepare_database(path)
    before = sorted(tmp_path.iterdir()), path.read_bytes()
    check_readable(path)
    assert (sorted(tmp_path.iterdir()), path.read_bytes()) == before


@pytest.mark.parametrize("content", [b"", b"a letter", b"SQLite format 3\0" + b"x" * 4096])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, a text, and what only begins like one."""
    path = tmp_path / "night.db"
    path.write_bytes(content)
    with pytest.raises(CannotWrite, match="cannot be read"):
        check_readable(path)
