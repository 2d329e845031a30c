"""Which module reads which format. A new format is a module with `open_...(source)` and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from jobs.errors import UsageProblem
from jobs.sheets.opened import OpenedSheet
from jobs.sheets.source import SheetSource


@dataclass(frozen=True, slots=True)
class SheetFormat:
    """A format by the module and the function that read it, and the endings of its files.

    Named, not imported: a CSV sheet does not load the YAML parser. `options` are those of a source that apply
    to the format. `needs` is a package that is not installed with Nightsheet: it is large, and few need it.
    """

    module: str
    function: str
    endings: tuple[str, ...]
    options: tuple[str, ...] = ("encoding",)
    needs: str | None = None


FORMATS: Mapping[str, SheetFormat] = {
    "csv": SheetFormat("jobs.sheets.readers.csv_sheet", "open_csv", (".csv",)),
    "tsv": SheetFormat("jobs.sheets.readers.csv_sheet", "open_tsv", (".tsv", ".tab")),
    "xlsx": SheetFormat(
        "jobs.sheets.readers.xlsx_sheet", "open_xlsx", (".xlsx", ".xlsm"), ("worksheet", "visible_only")
    ),
    "yaml": SheetFormat("jobs.sheets.readers.yaml_sheet", "open_yaml", (".yaml", ".yml")),
    "json": SheetFormat("jobs.sheets.readers.json_sheet", "open_json", (".json",)),
    "jsonl": SheetFormat("jobs.sheets.readers.jsonl_sheet", "open_jsonl", (".jsonl", ".ndjson")),
    "txt": SheetFormat("jobs.sheets.readers.text_sheet", "open_text", (".txt",)),
    "parquet": SheetFormat("jobs.sheets.readers.parquet_sheet", "open_parquet", (".parquet",), (), "pyarrow"),
}

SUFFIXES = tuple(ending for form in FORMATS.values() for ending in form.endings)
"""The endings that can be read, in lower case."""


def format_of(path: Path) -> str | None:
    """The format of a file by its ending, or None."""
    ending = path.suffix.lower()
    return next((name for name, form in FORMATS.items() if ending in form.endings), None)


def reader_of(name: str) -> Callable[[SheetSource], OpenedSheet]:
    """The reader of this format.

    Raises:
        UsageProblem: a package that it needs is not installed.
    """
    form = FORMATS[name]
    try:
        reader: Callable[[SheetSource], OpenedSheet] = getattr(import_module(form.module), form.function)
    except ModuleNotFoundError as error:
        if form.needs is None or error.name is None or error.name.partition(".")[0] != form.needs:
            raise
        raise UsageProblem(
            f"{name} sheets are read by {form.needs}, which is not installed.",
            f"Install it beside Nightsheet (python -m pip install {form.needs}), or save the sheet as CSV.",
        ) from error
    return reader
