"""The format of what has no name."""

from pathlib import Path

import pytest

from jobs.sheets.readers.sniff import sniff
from jobs.sheets.source import SheetSource


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"PK\x03\x04...", "xlsx"),
        (b"PAR1...", "parquet"),
        (b"id,prompt\na,b\n", "csv"),
        (b"prompt\n{a} pier\n", "csv"),
        ("id;prompt\n".encode("utf-16"), "csv"),
        (b'\n [{"prompt": "a"}]', "json"),
        (b'{\n "jobs": []\n}', "json"),
        (b'{"jobs": [{"prompt": "a"}]}', "json"),
        (b'\n{"prompt": "a"}\n{"prompt": "b"}\n', "jsonl"),
        (b'\xef\xbb\xbf{"prompt": "a"}\n', "jsonl"),
        (b'{"a": ' * 10_000, "json"),
        (b"{jobs: [{prompt: a}]}", "yaml"),
        (b"# a comment\n\nmodel: x\njobs:\n", "yaml"),
        (b"jobs:\n- prompt: a\n", "yaml"),
        (b"---\njobs: []\n", "yaml"),
        (b"# only a comment\n", "csv"),
        (b"", "csv"),
        (b"\xff\x00\xfe", "csv"),
    ],
)
def test_the_first_bytes_tell(tmp_path: Path, data: bytes, form: str) -> None:
    """CSV where it could be anything: its reader says what is wrong."""
    path = tmp_path / "sheet"
    path.write_bytes(data)
    assert sniff(SheetSource(path)) == form
