"""The formats of a manifest. A new one is a module with a class like these, and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from jobs.manifests.columns import ColumnNames
from jobs.manifests.csv import CsvTable
from jobs.manifests.jsonl import JsonLines


class ManifestWriter(Protocol):
    """Encodes records as bytes."""

    head: bytes
    """The bytes before the first record."""

    def line(self, record: Mapping[str, Any]) -> bytes:
        """One record."""
        ...


@dataclass(frozen=True, slots=True)
class ManifestFormat:
    """A format: its name, which is also a file's ending, and the constructor of its writer."""

    name: str
    writer: Callable[[ColumnNames], ManifestWriter]
    needs_names: bool = False
    """Whether a writer needs the names of columns, which cost a pass over the jobs."""


FORMATS: Mapping[str, ManifestFormat] = {
    "jsonl": ManifestFormat("jsonl", JsonLines),
    "csv": ManifestFormat("csv", CsvTable, needs_names=True),
}


def format_for(output: PurePath | None) -> ManifestFormat:
    """The format of a file by its ending; jsonl for any other ending."""
    ending = "" if output is None else output.suffix.lower().removeprefix(".")
    return FORMATS.get(ending, FORMATS["jsonl"])
