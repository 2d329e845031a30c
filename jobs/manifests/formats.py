"""The formats of a manifest. A new one is a module with a class like these, and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol

from jobs.errors import UsageProblem
from jobs.manifests.columns import ColumnNames
from jobs.manifests.csv import CsvTable
from jobs.manifests.jsonl import JsonLines

if TYPE_CHECKING:
    from jobs.store.bulk.records import Page
    from jobs.views import ArtifactView


class ManifestWriter(Protocol):
    """Encodes records as bytes."""

    head: bytes
    """The bytes before the first record."""

    def page(
        self,
        batch: str,
        page: "Page",
        folder: Path,
        place_of: Callable[["ArtifactView"], Path | None],
    ) -> bytes:
        """Records of jobs as the table keeps them, for a manifest in `folder`."""
        ...

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
    """The format of a file by its ending; jsonl for standard output and a name without an ending.

    Raises:
        UsageProblem: no manifest is written with this ending.
    """
    ending = "" if output is None else output.suffix.lower().removeprefix(".")
    format_ = FORMATS.get(ending or "jsonl")
    if format_ is None:
        endings = " or ".join(f".{name}" for name in (*FORMATS, "parquet"))
        raise UsageProblem(
            f"{output}: no manifest is written as .{ending}. Nothing was written.",
            hint=f"Choose a name that ends with {endings}, or say what it is to hold with --format.",
        )
    return format_
