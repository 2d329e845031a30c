"""One job table for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.tables import Table, opened_table


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    """A batch of three queued jobs: a, b and c."""
    async with opened_table(tmp_path / "night.db", "a", "b", "c") as opened:
        yield opened
