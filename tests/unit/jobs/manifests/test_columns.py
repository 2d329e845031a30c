"""The names that a table's columns are made of."""

from collections.abc import AsyncIterator

from jobs.manifests.columns import ColumnNames, column_names_of
from jobs.views import JobView
from tests.support.manifests import MODEL, view


async def stream(*jobs: JobView) -> AsyncIterator[JobView]:
    for job in jobs:
        yield job


async def test_inputs_of_the_models_in_use_and_own_columns() -> None:
    """All inputs of a model, so that two exports of one batch have the same columns."""
    found = await column_names_of(stream(view(columns={"b": "1"}), view(columns={"a": "2", "b": "3"})))
    assert found == ColumnNames(
        ("prompt", "sequential_image_generation_options", "resolution", "seed"), ("b", "a")
    )


async def test_a_model_that_is_gone_from_the_catalogue() -> None:
    """Its jobs are told by what they were sent with."""
    gone = view(model="bytedance/gone", inputs='{"prompt":"x","fidelity":2}')
    found = await column_names_of(stream(gone, view(model=MODEL)))
    assert found.inputs[:2] == ("prompt", "fidelity")
    assert "seed" in found.inputs


async def test_no_job() -> None:
    """Nothing to name."""
    assert await column_names_of(stream()) == ColumnNames()
