"""kill -9 of the real command, again and again: no row is submitted twice, none is lost."""

import random
import sqlite3
from pathlib import Path

import pytest

from tests.support.command import QUICK, Desk, desk, until, wait

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]

GATE = 4


async def test_twelve_kills_in_three_hundred_rows(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seed = 20261121
    rng = random.Random(seed)
    async with desk(tmp_path, speed=400.0, picture_scale=1 / 32) as here:
        sheet = here.sheet(300)
        doubts = 0
        for kill in range(12):
            await _kill_somewhere(here, sheet, rng)
            found = _unconfirmed_and_interrupted(tmp_path)
            assert found - doubts <= GATE, f"kill {kill} of seed {seed} left {found - doubts} rows in doubt"
            doubts = found
        ended = await here.call("run", sheet, *QUICK)
        status = await here.status()
        unconfirmed = status["unconfirmed"]
        assert ended.code == (1 if unconfirmed else 0), ended.err
        assert unconfirmed <= 12 * GATE
        assert status["counts"]["succeeded"] == 300 - unconfirmed
        assert set(here.submits().values()) == {1}, "a row was submitted twice"
        assert _ids_lost(here, tmp_path) <= unconfirmed
        assert len(here.manifest()) == 300
        here.assert_pictures_whole()


async def _kill_somewhere(here: Desk, sheet: str, rng: random.Random) -> None:
    before = len(here.service.ledger)
    more = rng.randint(1, 25)
    process = here.start("run", sheet, *QUICK)
    await until(lambda: len(here.service.ledger) >= before + more, process)
    process.kill()
    await wait(process)


def _rows(folder: Path, statement: str) -> list[tuple[str]]:
    connection = sqlite3.connect(folder / "nightsheet.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def _unconfirmed_and_interrupted(folder: Path) -> int:
    return len(_rows(folder, "SELECT key FROM job WHERE state IN ('unconfirmed', 'submitting')"))


def _ids_lost(here: Desk, folder: Path) -> int:
    held = {request_id for (request_id,) in _rows(folder, "SELECT request_id FROM attempt")}
    return sum(submit.request_id not in held for submit in here.service.ledger)
