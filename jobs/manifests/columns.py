"""The inputs and own columns of a batch's jobs: a table names its columns before its first row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.catalog.registry import find
from jobs.views import JobColumns

if TYPE_CHECKING:
    from jobs.store.store import Store


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The columns that differ from batch to batch, in the order in which the sheet first uses them."""

    inputs: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    linked: bool = False
    """Whether any job has the result of another."""


async def column_names_of(store: "Store", batch_id: int, *, everything: bool = False) -> ColumnNames:
    """The columns of the batch's jobs, and of old revisions and removed rows with `everything`."""
    return await names_of(store, batch_id, await store.jobs.columns(batch_id, everything=everything))


async def names_of(store: "Store", batch_id: int, found: JobColumns) -> ColumnNames:
    """The same, where it is known which models and own columns the jobs have."""
    inputs: dict[str, None] = {}
    for model in found.models:
        spec = find(model)
        if spec is None:  # a model that has left the catalogue: its jobs are still exported
            inputs |= dict.fromkeys(await store.jobs.input_names(batch_id, model))
        else:
            inputs |= dict.fromkeys(spec.fields)
    return ColumnNames(tuple(inputs), found.own, found.linked)
