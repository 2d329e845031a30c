"""The database fails at its k-th operation, for every k of a night: nothing is paid twice, nothing is lost.

In CI one way of failing for each k, in turn; with `--slow` each way at each k.
"""

from functools import partial
from pathlib import Path

import pytest

from tests.fault.storage import search
from tests.support.faulty_sqlite import Way, failing_sqlite

SHARDS = 6
"""Each takes every sixth operation, and one way of failing."""
WAYS = (Way.FULL, Way.IO, Way.LATE)
LOOKS_APART = 16
"""A night looks some hundred times oftener than it writes."""
OF_A_NEW_ONE = 30
"""Operations that make a database, and a few more."""

FOR_EVER = pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for-ever"])


@pytest.mark.parametrize("shard", range(SHARDS))
@FOR_EVER
def test_a_write_fails(tmp_path: Path, for_ever: bool, shard: int) -> None:
    """Statement or commit, from the load of the sheet to the end of the run."""
    breaking = partial(failing_sqlite, way=WAYS[shard % len(WAYS)])
    assert search(tmp_path, breaking, for_ever=for_ever, first=shard + 1, step=SHARDS) > 5


@FOR_EVER
def test_somebody_else_holds_the_lock(tmp_path: Path, for_ever: bool) -> None:
    """When a transaction begins."""
    assert search(tmp_path, partial(failing_sqlite, way=Way.LOCKED), for_ever=for_ever) > 10


@FOR_EVER
def test_a_look_fails(tmp_path: Path, for_ever: bool) -> None:
    """What is read is as much at the disk's mercy as what is written."""
    breaking = partial(failing_sqlite, way=Way.IO, reads=True)
    assert search(tmp_path, breaking, for_ever=for_ever, step=LOOKS_APART) > 3


@FOR_EVER
def test_a_database_cannot_be_made(tmp_path: Path, for_ever: bool) -> None:
    """A half of one is nobody's trouble: the next run makes it again."""
    breaking = partial(failing_sqlite, way=Way.IO)
    assert search(tmp_path, breaking, for_ever=for_ever, new=True, step=2, most=OF_A_NEW_ONE // 2) > 10


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("way", WAYS)
@FOR_EVER
def test_every_write_fails_in_every_way(tmp_path: Path, for_ever: bool, way: Way) -> None:
    """The same without leaving anything out."""
    assert search(tmp_path, partial(failing_sqlite, way=way), for_ever=for_ever) > 30


@pytest.mark.slow
@pytest.mark.timeout(1200)
@FOR_EVER
def test_every_look_fails(tmp_path: Path, for_ever: bool) -> None:
    """Likewise."""
    assert search(tmp_path, partial(failing_sqlite, way=Way.IO, reads=True), for_ever=for_ever) > 100


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("way", [*WAYS, Way.LOCKED])
@FOR_EVER
def test_a_database_cannot_be_made_in_any_way(tmp_path: Path, for_ever: bool, way: Way) -> None:
    """Likewise."""
    breaking = partial(failing_sqlite, way=way)
    assert search(tmp_path, breaking, for_ever=for_ever, new=True, most=OF_A_NEW_ONE) > 10
