"""Every format of a manifest. Another is one file with a class like these, and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from jobs.manifests.columns import ColumnNames
from jobs.manifests.csv import CsvTable
from jobs.manifests.jsonl import JsonLines


class ManifestWriter(Protocol):
    """Turns records into bytes."""

    head: bytes
    """What stands before the first record."""

    def line(self, record: Mapping[str, Any]) -> bytes:
        """One record."""
        ...


@dataclass(frozen=True, slots=True)
class ManifestFormat:
    """A format: its name, which is also a file's ending, and what makes a writer for a batch."""

    name: str
    writer: Callable[[ColumnNames], ManifestWriter]
    needs_names: bool = False
    """Whether the names have to be known, which costs a pass over the jobs."""


FORMATS: Mapping[str, ManifestFormat] = {
    "jsonl": ManifestFormat("jsonl", JsonLines),
    "csv": ManifestFormat("csv", CsvTable, needs_names=True),
}


def format_for(output: PurePath | None) -> ManifestFormat:
    """The format that a file's ending means; jsonl where it means none."""
    ending = "" if output is None else output.suffix.lower().removeprefix(".")
    return FORMATS.get(ending, FORMATS["jsonl"])
