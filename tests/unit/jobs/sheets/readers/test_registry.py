"""Which file is read by what."""

import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import UsageProblem
from jobs.sheets.readers.csv_sheet import open_csv
from jobs.sheets.readers.registry import FORMATS, SUFFIXES, format_of, reader_of


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "csv"),
        ("a.CSV", "csv"),
        ("a.tsv", "tsv"),
        ("a.xlsx", "xlsx"),
        ("a.yaml", "yaml"),
        ("a.yml", "yaml"),
        ("a.json", "json"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.parquet", "parquet"),
    ],
)
def test_the_ending_tells_the_format(name: str, form: str) -> None:
    """Capitals aside."""
    assert format_of(Path(name)) == form


@pytest.mark.parametrize("name", ["a.xls", "a", "a.csv.bak", ".csv"])
def test_other_endings_tell_none(name: str) -> None:
    """Nothing is guessed from the content of a file that has a name."""
    assert format_of(Path(name)) is None


def test_every_format_has_a_reader_and_an_ending_of_its_own() -> None:
    """The table names only what is there."""
    assert reader_of("csv") is open_csv
    assert all(callable(reader_of(name)) for name in FORMATS)
    assert len(set(SUFFIXES)) == len(SUFFIXES)


def test_a_package_that_is_missing_is_told_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with a traceback; only for the package that may be missing."""
    real = builtins.__import__

    def without(missing: str) -> Any:
        def imported(name: str, *rest: Any) -> Any:
            if name.partition(".")[0] == missing:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return real(name, *rest)

        return imported

    for name in [name for name in sys.modules if name == "jobs.sheets.readers.parquet_sheet"]:
        monkeypatch.delitem(sys.modules, name)
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without("pyarrow"))
        with pytest.raises(UsageProblem, match="pyarrow, which is not installed") as caught:
            reader_of("parquet")
    assert "pip install pyarrow" in caught.value.hint
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without("math"))
        with pytest.raises(ModuleNotFoundError):
            reader_of("parquet")


@pytest.mark.parametrize("package", ["yaml", "openpyxl", "pyarrow"])
def test_a_csv_sheet_does_not_load_the_other_parsers(package: str) -> None:
    """What is not needed is not imported."""
    code = (
        "import sys; from jobs.sheets import open_sheet; from jobs.sheets.readers.registry import reader_of; "
        f"reader_of('csv'); sys.exit({package!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
