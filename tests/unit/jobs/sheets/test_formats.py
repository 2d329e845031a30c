"""Which file is read by what."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.sheets.csv_sheet import open_csv
from jobs.sheets.formats import SUFFIXES, reader_for
from jobs.sheets.jsonl_sheet import open_jsonl
from jobs.sheets.yaml_sheet import open_yaml


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("a.csv", open_csv),
        ("a.CSV", open_csv),
        ("a.yaml", open_yaml),
        ("a.yml", open_yaml),
        ("a.jsonl", open_jsonl),
    ],
)
def test_the_ending_chooses_the_reader(name: str, reader: object) -> None:
    """Capitals aside."""
    assert reader_for(Path(name)) is reader


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.bak", ".csv"])
def test_other_endings_have_no_reader(name: str) -> None:
    """Nothing is guessed from the content."""
    assert reader_for(Path(name)) is None


def test_every_ending_that_is_named_has_a_reader() -> None:
    """The table names only what is there."""
    assert all(reader_for(Path(f"a{suffix}")) is not None for suffix in SUFFIXES)


def test_a_csv_sheet_does_not_load_the_yaml_parser() -> None:
    """What is not needed is not imported."""
    code = (
        "import sys; from pathlib import Path; from jobs.sheets.formats import reader_for; "
        "reader_for(Path('a.csv')); sys.exit('yaml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
