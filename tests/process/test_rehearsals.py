"""Rehearsals with the stand-in: the single faults of docs/rehearsals.md, and a kill in the middle."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.faults.faults import FaultKind
from tests.support.command import QUICK, desk, until, wait

pytestmark = pytest.mark.process

DOCS = Path(__file__).parents[2] / "docs" / "rehearsals.md"
SILENT = """
[[faults]]
endpoint = "media"
kind = "stall"
times = "for ever"
"""
SHEET = """id,model,prompt
a,bytedance/seedream-4-5/text-to-image,A lighthouse
b,bytedance/seedream-4-5/text-to-image,A harbour
c,bytedance/seedream-4-5/text-to-image,A paper fox
d,bytedance/seedream-4-5/text-to-image,A tram
"""


async def test_single_faults(tmp_path: Path) -> None:
    (toml,) = re.findall(r"^```toml\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "faults.toml").write_text(toml)
    (tmp_path / "boats.csv").write_text(SHEET)
    async with desk(tmp_path) as here:
        ended = await here.call(
            *("run", "boats.csv", "--emulator", "--faults", "faults.toml", "--speed", "200"),
            *("--submit-gate", "1", "--concurrency", "1", "--poll-min", "0.02"),
        )
        assert ended.code == 1, ended.err
        listed = await here.call("jobs", "--emulator")
    lines = {line.split()[0]: line for line in listed.out.splitlines()[1:]}
    assert "succeeded" in lines["a"]
    assert "unconfirmed" in lines["b"]
    assert "bad_picture" in lines["c"]
    assert "moderated" in lines["d"]


async def test_a_rehearsal_that_is_killed_goes_on(tmp_path: Path) -> None:
    """With pictures on their way. The stand-in dies with its run, and is started again on another port."""
    begun = ("run", "boats.csv", "--emulator", "--speed", "200", *QUICK)
    (tmp_path / "boats.csv").write_text(SHEET)
    (tmp_path / "silent.toml").write_text(SILENT)
    async with desk(tmp_path) as here:
        process = here.start(*begun, "--faults", "silent.toml")
        await until(lambda: _states(tmp_path) == {"fetching": 4}, process)
        process.kill()
        await wait(process)
        assert _states(tmp_path) == {"fetching": 4}
        ended = await here.call(*begun)
    assert ended.code == 0, ended.err
    assert _states(tmp_path) == {"succeeded": 4}
    assert _select(tmp_path, "SELECT count(*) FROM attempt") == [(4,)]


def _states(folder: Path) -> dict[str, int]:
    """How many jobs stand where; nothing before there is a table."""
    if not (folder / "nightsheet-emulator.db").exists():
        return {}
    try:
        return dict(_select(folder, "SELECT state, count(*) FROM job GROUP BY state"))
    except sqlite3.OperationalError:
        return {}


def _select(folder: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "nightsheet-emulator.db")) as connection:
        return connection.execute(statement).fetchall()


def test_every_kind_is_named() -> None:
    text = DOCS.read_text()
    missing = [str(kind) for kind in FaultKind if f"`{kind}`" not in text]
    assert missing == []
