"""Sheets of every kind through the real command: loaded, run, edited and run again."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.support.command import QUICK, desk
from tests.support.s3 import files_with, s3_server

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_batches"


@pytest.mark.timeout(300)  # many commands, each with pictures of full size
async def test_the_page_s_runs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/sheets.md, command by command, on the embedded stand-in, beside an S3 server on loopback."""
    page = (ROOT / "docs" / "sheets.md").read_text()
    runs = re.findall(r"^nightsheet ((?:run|export) .*)$", page, re.MULTILINE)
    assert runs
    shutil.copytree(SAMPLES, tmp_path / "sample_batches")
    with s3_server(monkeypatch) as s3:
        async with desk(tmp_path) as here:
            for line in runs:
                ended = await here.call(*shlex.split(line))
                assert ended.code == 0, ended.err
            assert not here.service.calls
        assert len(s3.keys()) == 4
    assert files_with(tmp_path, "X-Amz-Signature") == []
    assert len(list((tmp_path / "outputs-emulator" / "folder").glob("*/*.jpg"))) == 4
    assert len(list((tmp_path / "outputs-emulator" / "bestiary").glob("*/*.jpg"))) == 4


SETS = [
    ("categories.tsv", "Three herons on a breakwater, the second one asleep"),
    ("colours.csv", "A stack of 4 books, blue on top."),
    ("objects.jsonl", "a photo of a white boat"),
    ("textures.txt", "the smooth lake and the rough rock"),
    ("styles.csv", "gouache on rough paper, flat light"),
]
"""Prompt sets in the shapes of public ones, each with its last prompt."""


@pytest.mark.parametrize(("name", "last"), SETS)
async def test_a_prompt_set_runs_with_one_option(tmp_path: Path, name: str, last: str) -> None:
    """The model; all else is as it was written."""
    sheet = str(SAMPLES / "sets" / name)
    async with desk(tmp_path) as here:
        ended = await here.call("run", sheet, "--model", "bytedance/seedream-4-5/text-to-image", *QUICK)
        assert ended.code == 0, ended.err
        records = here.manifest(Path(name).stem)
    assert records[-1]["inputs"]["prompt"] == last
    assert all(len(record["images"]) == 1 for record in records)


async def test_the_same_rows_in_another_file_are_paid_once(tmp_path: Path) -> None:
    """Through standard input, in one format after the other: nothing is new."""
    async with desk(tmp_path) as here:
        for name in ("lines.jsonl", "list.json", "semicolons.csv", "workbook.xlsx", "table.parquet"):
            ended = await here.call("run", "-", "--batch", "b", *QUICK, piped=SAMPLES / "formats" / name)
            assert ended.code == 0, ended.err
        assert len(here.service.ledger) == 2
        assert [record["key"] for record in here.manifest("b")] == ["quay", "ferry"]
        other = await here.call("run", str(SAMPLES / "formats" / "list.json"), "--batch", "b", *QUICK)
        assert other.code == 2
        assert "was loaded from standard input" in other.err


async def test_a_matrix_that_grows_is_paid_for_what_is_new(tmp_path: Path) -> None:
    """And another worksheet under the same name is not taken for an edit."""
    sheet = tmp_path / "m.yaml"
    text = (SAMPLES / "families" / "matrix.yaml").read_text()
    sheet.write_text(text)
    async with desk(tmp_path) as here:
        assert (await here.call("run", "m.yaml", *QUICK)).code == 0
        sheet.write_text(
            text.replace("[fox, heron]", "[badger, fox, heron]").replace(
                "size: 2K", "size: 2K\n    repeat: 2"
            )
        )
        assert (await here.call("run", "m.yaml", *QUICK)).code == 0
        assert len(here.service.ledger) == 12
        assert len({record["key"] for record in here.manifest("bestiary")}) == 12
        shutil.copy(SAMPLES / "formats" / "workbook.xlsx", tmp_path / "w.xlsx")
        assert (await here.call("run", "w.xlsx", *QUICK)).code == 0
        refused = await here.call("run", "w.xlsx", "--worksheet", "Tuesday", *QUICK)
        assert refused.code == 2
        assert "#Tuesday" in refused.err
        assert (await here.call("run", "w.xlsx", "--worksheet", "Monday", *QUICK)).code == 0
        assert len(here.service.ledger) == 14
