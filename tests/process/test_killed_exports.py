"""Exports that are killed on their way: the same command once more works, and leaves nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.served_page import png
from tests.support.shot import shoot
from tests.support.tables import opened_table

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals"),
]

ROOT = Path(__file__).parents[2]
KILLED = """
import os, runpy, signal, sys
event, many, *sys.argv[1:] = sys.argv[1:]
left = int(many)
def heard(name, told):
    global left
    if name == event and (name != "open" or str(told[0]).endswith(".png")):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(heard)
runpy.run_path("{entry}", run_name="__main__")
"""
"""Ends itself at the N-th picture that it opens, or at the N-th rename."""
NOT_OURS = {
    ".out.part": "mine",
    ".out.00000000.part": "nobody's lock lies beside it",
    ".out.11111111.lock": "no lock: it has words in it",
    ".out.11111111.part": "mine as well",
    ".out.later.lock": "",
}


def run(folder: Path, *arguments: str, killed: tuple[str, int] | None = None) -> int:
    """Run the command in a folder, or have it killed."""
    entry = str(ROOT / "nightsheet.py")
    line = [sys.executable, entry, *arguments]
    if killed is not None:
        code = KILLED.replace("{entry}", entry)
        line = [sys.executable, "-c", code, killed[0], str(killed[1]), *arguments]
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHEET_")},
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(folder.parent / "state"),
        "HOME": str(folder.parent),
    }
    return subprocess.run(
        line, cwd=folder, env=env, timeout=120, check=False, capture_output=True, text=True
    ).returncode


def everything(folder: Path) -> set[str]:
    """All files and folders, but those of the database."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return {name for name in found if not name.startswith("nightsheet.db")}


PARQUET = ("export", "--format", "parquet", "--output", "out")
EXPORTS = [
    pytest.param(PARQUET, "os.rename", id="parquet"),
    pytest.param((*PARQUET, "--pictures", "copy"), "open", id="parquet-bytes"),
    pytest.param(("export", "--format", "imagefolder", "--output", "out"), "os.rename", id="imagefolder"),
    pytest.param(("export", "--format", "webdataset", "--output", "out"), "open", id="webdataset"),
    pytest.param(("gallery", "--output", "out"), "open", id="gallery"),
    pytest.param(("gallery", "--zip", "--output", "out"), "open", id="zip"),
    pytest.param(("gallery", "--zip", "--output", "out"), "os.rename", id="zip-renamed"),
    pytest.param(("export", "--format", "jsonl", "--output", "out"), "os.rename", id="jsonl"),
    pytest.param(("export", "--output", "out.jsonl", "--metadata", "xmp"), "os.rename", id="xmp"),
]


@pytest.mark.parametrize(("line", "event"), EXPORTS)
async def test_the_same_command_clears_what_a_killed_one_left(
    tmp_path: Path, line: tuple[str, ...], event: str
) -> None:
    """What is not ours stays, however it is called."""
    if "parquet" in line:
        pytest.importorskip("pyarrow")
    folder = tmp_path / "here"
    folder.mkdir()
    async with opened_table(folder / "nightsheet.db", "a", "b", "c") as table:
        for number, key in enumerate("abc"):
            await shoot(table.store, folder / "outputs", key, png((60 * number, 0, 0)))
    for name, text in NOT_OURS.items():
        (folder / name).write_text(text)
    before = everything(folder)
    assert run(folder, *line, killed=(event, 2 if event == "open" else 1)) == -9
    left = {name for name in everything(folder) - before if name.endswith((".part", ".lock"))}
    assert len(left) >= 2, "a part, and the lock beside it"
    assert run(folder, *line) == 0
    new = everything(folder) - before
    assert "out" in {name.partition("/")[0].partition(".")[0] for name in new}
    assert not [name for name in new if name.endswith((".part", ".lock", ".old"))]
    assert {name: (folder / name).read_text() for name in NOT_OURS} == NOT_OURS
