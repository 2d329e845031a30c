"""Rehearsals with the stand-in: the single faults of docs/rehearsals.md, and a kill in the middle."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.faults import Kind
from tests.support.command import QUICK, desk, until, wait

pytestmark = pytest.mark.process

DOCS = Path(__file__).parents[2] / "docs" / "rehearsals.md"
ROWS = 60
KILLS = 3
GATE = 4
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
    begun = ("run", "sheet.csv", "--emulator", "--speed", "50", "--concurrency", "24", *QUICK)
    async with desk(tmp_path) as here:
        here.sheet(ROWS)
        on_their_way = 0
        for _kill in range(KILLS):
            process = here.start(*begun)
            before = _halves(tmp_path)
            await until(lambda before=before: _halves(tmp_path) - before != set(), process)  # type: ignore[misc]
            process.kill()
            await wait(process)
            on_their_way += len(_select(tmp_path, "SELECT id FROM job WHERE state = 'fetching'"))
        assert on_their_way, "no kill met a picture on its way"
        ended = await here.call(*begun)
        left = _select(tmp_path, "SELECT state, count(*) FROM job GROUP BY state ORDER BY state")
        counts = dict(left)
        doubts = counts.get("unconfirmed", 0)
        assert counts == {"succeeded": ROWS - doubts} | ({"unconfirmed": doubts} if doubts else {})
        assert doubts <= KILLS * GATE
        assert ended.code == (1 if doubts else 0), ended.err
        sent = _select(tmp_path, "SELECT max(n) FROM (SELECT count(*) AS n FROM attempt GROUP BY job_id)")
        assert sent == [(1,)]


def _halves(folder: Path) -> set[Path]:
    return set((folder / "outputs-emulator").rglob("*.part"))


def _select(folder: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "nightsheet-emulator.db")) as connection:
        return connection.execute(statement).fetchall()


def test_every_kind_is_named() -> None:
    text = DOCS.read_text()
    missing = [str(kind) for kind in Kind if f"`{kind}`" not in text]
    assert missing == ["no_output"], "the one that is like no_pictures to a user"
