"""One job table for each test, in a file and on a server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.postgres import WHERE
from tests.support.tables import Table, opened_table

_ON_BOTH = Path(__file__).parent
_OF_SQLITE = {"test_large_sheets", "test_open", "test_tables"}
"""Tests of a file, of what a file enforces, and of how little memory its driver needs."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The store's contract holds on both; what lies in a folder of its own is about one of them."""
    path = Path(metafunc.definition.path)
    if path.parent == _ON_BOTH and path.stem not in _OF_SQLITE:
        metafunc.fixturenames.append("kept_on")
        metafunc.parametrize("kept_on", WHERE, indirect=True)


@pytest.fixture
async def table(kept_on: str, tmp_path: Path) -> AsyncIterator[Table]:
    """A batch of three queued jobs: a, b and c."""
    async with opened_table(tmp_path / "night.db", "a", "b", "c") as opened:
        yield opened
