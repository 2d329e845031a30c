"""kill -9 of the real command, again and again: no row is submitted twice, none is lost.

100 kills in CI; more with `--kills N`, before a release 1,000.
"""

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import QUICK, Desk, desk, until, wait

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

GATE = 4
ROWS_A_KILL = 12
KILLS_A_NIGHT = 25


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A night holds so many kills; the nights run beside each other."""
    if "night" in metafunc.fixturenames:
        kills = metafunc.config.getoption("--kills")
        metafunc.parametrize("night", range(-(-kills // KILLS_A_NIGHT)))


async def test_twelve_kills_in_three_hundred_rows(tmp_path: Path) -> None:
    """In the middle of the submits."""
    await _a_night_of_kills(tmp_path, rows=300, kills=12, seed=20261121, moments=(_submits,))


async def test_kills_at_any_moment(tmp_path: Path, night: int, pytestconfig: pytest.Config) -> None:
    """At the start, during recovery, in the middle of submits, while pictures come home."""
    kills = min(KILLS_A_NIGHT, pytestconfig.getoption("--kills") - night * KILLS_A_NIGHT)
    moments = (_start, _submits, _pictures)
    await _a_night_of_kills(tmp_path, rows=ROWS_A_KILL * kills, kills=kills, seed=night, moments=moments)


Moment = Callable[[Desk, random.Random], Callable[[], bool]]
"""Given a night and its dice: when to kill the run that is about to begin."""


def _start(here: Desk, _rng: random.Random) -> Callable[[], bool]:
    """As soon as it holds the database: it loads, or recovers."""
    lock = here.folder / "nightsheet.db.lock"
    before = lock.read_bytes() if lock.exists() else b""
    return lambda: lock.exists() and lock.read_bytes() != before


def _submits(here: Desk, rng: random.Random) -> Callable[[], bool]:
    """After some more submits."""
    enough = len(here.service.ledger) + rng.randint(1, 2 * ROWS_A_KILL)
    return lambda: len(here.service.ledger) >= enough


def _pictures(here: Desk, rng: random.Random) -> Callable[[], bool]:
    """After the pictures of some more jobs have begun to come."""
    enough = _folders(here) + rng.randint(1, ROWS_A_KILL)
    return lambda: _folders(here) >= enough


def _folders(here: Desk) -> int:
    """How many jobs have a folder: asked for again and again, so only the one above them is looked at."""
    batch = here.folder / "outputs" / "sheet"
    return sum(entry.is_dir() for entry in os.scandir(batch)) if batch.is_dir() else 0


async def _a_night_of_kills(
    folder: Path, *, rows: int, kills: int, seed: int, moments: tuple[Moment, ...]
) -> None:
    rng = random.Random(seed)
    # A guard counts what all these runs have left in doubt, and a person would look at it before the twelfth.
    (folder / "nightsheet.toml").write_text("guard_unconfirmed = 0\n")
    async with desk(folder, speed=400.0, picture_scale=1 / 32) as here:
        sheet = here.sheet(rows)
        doubts = 0
        for kill in range(kills):
            process = here.start("run", sheet, *QUICK)
            now = rng.choice(moments)(here, rng)
            await until(lambda now=now: now() or _is_done(here, rows), process)  # type: ignore[misc]
            process.kill()
            await wait(process)
            found = _unconfirmed_and_interrupted(folder)
            assert found - doubts <= GATE, f"kill {kill} of seed {seed} left {found - doubts} rows in doubt"
            assert set(here.submits().values()) <= {1}, f"a row was submitted twice: kill {kill}, seed {seed}"
            assert _ids_lost(here, folder) <= found
            doubts = found
        ended = await here.call("run", sheet, *QUICK)
        status = await here.status()
        unconfirmed = status["unconfirmed"]
        assert ended.code == (1 if unconfirmed else 0), ended.err
        assert unconfirmed <= kills * GATE
        assert status["counts"]["succeeded"] == rows - unconfirmed
        assert set(here.submits().values()) == {1}, "a row was submitted twice"
        assert _ids_lost(here, folder) <= unconfirmed
        assert len(here.manifest()) == rows
        here.assert_pictures_whole()


def _is_done(here: Desk, rows: int) -> bool:
    return len(here.service.ledger) >= rows


def _rows(folder: Path, statement: str) -> list[tuple[str]]:
    """What the database holds, whole; nothing where it has no table yet."""
    if not (folder / "nightsheet.db").exists():
        return []
    connection = sqlite3.connect(folder / "nightsheet.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'job'").fetchall():
            return []
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def _unconfirmed_and_interrupted(folder: Path) -> int:
    return len(_rows(folder, "SELECT key FROM job WHERE state IN ('unconfirmed', 'submitting')"))


def _ids_lost(here: Desk, folder: Path) -> int:
    held = {request_id for (request_id,) in _rows(folder, "SELECT request_id FROM attempt")}
    return sum(submit.request_id not in held for submit in here.service.ledger)
