"""The sheet of re-rolls, from a decision to its pictures: paid once, wherever and however often it is run."""

import csv
import json
from pathlib import Path

import anyio
import pytest

from tests.support.command import QUICK, desk

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


async def test_a_reroll_is_paid_once_wherever_it_is_run(tmp_path: Path) -> None:
    """In its own batch, twice; in another database; the same words as the first one, and new ones."""
    async with desk(tmp_path) as here:
        assert (await here.call("run", here.sheet(4), *QUICK)).code == 0
        first = len(here.service.ledger)
        decided = await here.call("decide", "sheet", "--reroll", "row-0", "--reroll", "row-1")
        assert decided.code == 0, decided.err
        told = json.loads((await here.call("reroll", "sheet", "--json")).out)
        assert (told["sheet"], told["batch"], told["jobs"]) == ("sheet-rerolls-1.csv", "sheet-rerolls-1", 2)
        assert told["command"] == "nightsheet run sheet-rerolls-1.csv"
        assert len(here.service.ledger) == first, "writing the sheet pays nothing"
        rows = list(csv.DictReader((tmp_path / told["sheet"]).read_text().splitlines()))
        assert [(row["id"], row["again"], row["reroll_of"]) for row in rows] == [
            ("row-0-r1", "sheet-rerolls-1", "row-0"),
            ("row-1-r1", "sheet-rerolls-1", "row-1"),
        ]
        ran = await here.call("run", told["sheet"], *QUICK)
        assert ran.code == 0, ran.err
        assert len(here.service.ledger) == first + 2
        assert here.assert_pictures_whole("sheet-rerolls-1") >= 2

        for again in (("run", told["sheet"], *QUICK), ("run", told["sheet"], "--db", "other.db", *QUICK)):
            await here.call(*again)
            assert len(here.service.ledger) == first + 2, again

        nothing = json.loads((await here.call("reroll", "sheet", "--json")).out)
        assert (nothing["sheet"], nothing["jobs"]) == (None, 0)
        assert nothing["made_before"] == [str(tmp_path / "sheet-rerolls-1.csv")]
        await here.call("decide", "sheet", "--reroll", "row-0")
        more = json.loads((await here.call("reroll", "sheet", "--json")).out)
        assert (more["sheet"], more["jobs"]) == ("sheet-rerolls-2.csv", 1)
        assert (await here.call("run", more["sheet"], *QUICK)).code == 0
        assert len(here.service.ledger) == first + 3


async def test_variants_of_the_same_words_are_each_paid_once(tmp_path: Path) -> None:
    """The same words and seed three times; run again, or in another database, not once more."""
    async with desk(tmp_path) as here:
        assert (await here.call("run", here.sheet(2), *QUICK)).code == 0
        first = len(here.service.ledger)
        assert (await here.call("decide", "sheet", "--reroll", "row-0")).code == 0
        three = ("--variants", "3", "--seed", "same")
        told = json.loads((await here.call("reroll", "sheet", *three, "--json")).out)
        assert told["jobs"] == 3
        for again in ((), (), ("--db", "other.db"), ("--db", "third.db", "--batch", "renamed")):
            await here.call("run", told["sheet"], *QUICK, *again)
            assert len(here.service.ledger) == first + 3, again


async def test_a_reroll_that_is_run_twice_at_once_is_paid_once(tmp_path: Path) -> None:
    """One of the two has the database; the other one is refused, or comes after it."""
    async with desk(tmp_path) as here:
        assert (await here.call("run", here.sheet(2), *QUICK)).code == 0
        first = len(here.service.ledger)
        assert (await here.call("decide", "sheet", "--reroll", "row-0", "--reroll", "row-1")).code == 0
        told = json.loads((await here.call("reroll", "sheet", "--json")).out)
        both: list[int] = []

        async def run() -> None:
            both.append((await here.call("run", told["sheet"], *QUICK)).code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            tasks.start_soon(run)
        assert 0 in both
        assert len(here.service.ledger) == first + 2
