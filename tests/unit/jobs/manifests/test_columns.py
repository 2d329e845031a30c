"""The names that a table's columns are made of."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jobs.manifests.columns import ColumnNames, column_names_of
from tests.support.tables import Table, opened_table

PROMPT_ONLY = '{"prompt":"x","fidelity":2}'


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    """Three rows."""
    async with opened_table(tmp_path / "night.db", "a", "b", "c") as table:
        yield table


def change(table: Table, key: str, **columns: Any) -> None:
    """Write columns of a row as they are."""
    with closing(sqlite3.connect(table.path)) as connection, connection:
        for name, value in columns.items():
            connection.execute(f'UPDATE job SET "{name}" = ? WHERE "key" = ?', (value, key))


async def test_inputs_of_the_models_in_use_and_own_columns(table: Table) -> None:
    """All inputs of a model, so that two exports of one batch have the same columns."""
    change(table, "b", columns='{"b":"1"}')
    change(table, "c", columns='{"a":"2","b":"3","Z":"4"}')
    found = await column_names_of(table.store, table.batch.id)
    assert found.columns == ("b", "a", "Z"), "in the order of the sheet, and of the row"
    assert {"prompt", "resolution"} <= set(found.inputs)
    assert not found.linked


async def test_a_model_that_is_gone_from_the_catalogue(table: Table) -> None:
    """Its jobs are told by what they were sent with."""
    change(table, "a", model="bytedance/gone", inputs=PROMPT_ONLY)
    found = await column_names_of(table.store, table.batch.id)
    assert found.inputs[:2] == ("prompt", "fidelity")
    assert "resolution" in found.inputs


async def test_a_removed_row_has_columns_where_everything_is_asked_for(table: Table) -> None:
    """And none where the sheet alone is."""
    change(table, "b", current=0, columns='{"gone":"1"}', model="bytedance/gone", inputs=PROMPT_ONLY)
    assert "fidelity" not in (await column_names_of(table.store, table.batch.id)).inputs
    everything = await column_names_of(table.store, table.batch.id, everything=True)
    assert (everything.columns, "fidelity" in everything.inputs) == (("gone",), True)


async def test_a_job_that_has_the_result_of_another(table: Table) -> None:
    """There is a column for it then."""
    ids = {row["key"]: row["id"] for row in table.everything()[1]}
    change(table, "b", same_as=ids["a"])
    assert (await column_names_of(table.store, table.batch.id)).linked


async def test_no_job(tmp_path: Path) -> None:
    """Nothing to name."""
    async with opened_table(tmp_path / "empty.db", "a") as table:
        assert await column_names_of(table.store, table.batch.id + 1) == ColumnNames()
