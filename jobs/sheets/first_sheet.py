"""A first sheet to fill in: the columns of some models, and two example rows for each."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jobs.catalog.spec import ModelSpec
from jobs.errors import CannotWrite, UsageProblem

PLACEHOLDER = "https://images.example.com/my-picture.jpg"
"""The image of the example rows of a model that needs one: a name that is reserved for examples."""

_COLUMNS = ("prompt", "size", "count", "images", "seed", "optimize")
"""The words of the vocabulary, in the order that a sheet is read in."""
_SERIES = 2
_SUBJECTS = (
    ("lighthouse", "a lighthouse on a cliff at blue hour"),
    ("paper-fox", "a fox folded from orange paper, studio light"),
)

Row = dict[str, Any]


def example_rows(models: Sequence[ModelSpec]) -> tuple[list[str], list[Row]]:
    """The columns that the models have, and the rows; a row lacks what its model does not take."""
    words = {word for spec in models for word in spec.vocabulary}
    columns = ["id", "model", *(word for word in _COLUMNS if word in words)]
    return columns, [row for number, spec in enumerate(models, 1) for row in _rows(spec, number, len(models))]


def write_first_sheet(path: Path, models: Sequence[ModelSpec]) -> int:
    """Write the sheet in the format of its ending; returns how many rows it has. Blocks.

    Raises:
        UsageProblem: the file is there already, or no sheet is written with this ending.
        CannotWrite: it cannot be written.
    """
    write = _FORMATS.get(path.suffix.lower())
    if write is None:
        raise UsageProblem(
            f"{path} does not end as a sheet does. Nothing was written.",
            hint=f"Choose a name that ends with {', '.join(_FORMATS)}; a model is named with --model.",
        )
    columns, rows = example_rows(models)
    data = write(columns, rows)
    try:
        with path.open("xb") as file:
            try:
                file.write(data)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError:
        raise UsageProblem(
            f"{path} exists already, and is left as it is.",
            hint="Choose another name: `nightsheet init FILE`",
        ) from None
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}.") from error
    return len(rows)


def _rows(spec: ModelSpec, number: int, models: int) -> list[Row]:
    """Two jobs of a model; what is left out takes the model's default."""
    takes = spec.vocabulary
    rows = []
    for key, subject in _SUBJECTS:
        row: Row = {"id": key if models == 1 else f"{key}-{number}", "model": spec.model_id}
        row["prompt"] = (
            f"Generate {_SERIES} images of {subject}" if "count" in takes else subject.capitalize()
        )
        row["size"] = str(spec.fields[takes["size"]].default).split(" ")[0].replace(":", "x")
        if "count" in takes:
            row["count"] = _SERIES
        if "images" in takes:
            row["images"] = PLACEHOLDER
        rows.append(row)
    return rows


def _separated(delimiter: str) -> Callable[[Sequence[str], Sequence[Row]], bytes]:
    def write(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode("utf-8-sig")  # the mark by which Excel recognises UTF-8

    return write


def _xlsx(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(columns))
    for row in rows:
        sheet.append([row.get(column) for column in columns])
    sheet.freeze_panes = "A2"
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _yaml(_columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    import yaml

    return yaml.safe_dump({"jobs": list(rows)}, sort_keys=False, allow_unicode=True, encoding="utf-8")


def _jsonl(_columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


_FORMATS: dict[str, Callable[[Sequence[str], Sequence[Row]], bytes]] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".xlsx": _xlsx,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".jsonl": _jsonl,
}
