"""The inputs and own columns of a batch's jobs: a table names its columns before its first row."""

import json
from collections.abc import AsyncIterable
from dataclasses import dataclass

from jobs.catalog.registry import find
from jobs.views import JobView


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The columns that differ from batch to batch, in the order in which the sheet first uses them."""

    inputs: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    linked: bool = False
    """Whether any job has the result of another."""


async def column_names_of(jobs: AsyncIterable[JobView]) -> ColumnNames:
    """One pass over the jobs. Memory grows with the names, not with the jobs."""
    inputs: dict[str, None] = {}
    columns: dict[str, None] = {}
    models: set[str] = set()
    linked = False
    async for job in jobs:
        linked = linked or job.twin is not None
        columns |= dict.fromkeys(job.columns)
        spec = find(job.model)
        if spec is None:  # a model that has left the catalogue: its jobs are still exported
            inputs |= dict.fromkeys(json.loads(job.inputs))
        elif job.model not in models:
            models.add(job.model)
            inputs |= dict.fromkeys(spec.fields)
    return ColumnNames(tuple(inputs), tuple(columns), linked)
