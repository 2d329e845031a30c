"""From a path to the job table."""

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from jobs.errors import CannotWrite
from jobs.store.open import open_store


async def test_a_table_is_made_only_on_demand(tmp_path: Path) -> None:
    """A command that reads does not leave a file behind."""
    path, now = tmp_path / "a.db", partial(datetime.now, UTC)
    with pytest.raises(CannotWrite, match="There is no database"):
        async with open_store(path, now):
            pass
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    async with open_store(path, now, create=True) as store:
        assert await store.batches.find("x") is None
    async with open_store(path, now) as store:
        assert store.database.path == path
