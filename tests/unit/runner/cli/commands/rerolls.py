"""A night whose pictures are marked to be made again, and what the sheet of that says."""

import csv
import json
import random
from pathlib import Path
from typing import Any

from jobs.failures import FailureKind
from jobs.sheets import PlannedJob, open_sheet, plan
from jobs.sheets.images.way import Way
from jobs.sheets.source import SheetSource
from jobs.store.store import Store
from tests.unit.runner.cli.world import (
    API,
    SERIES,
    TEXT,
    World,
    accepted,
    done,
    fetch_failed,
    fetched,
    unanswered,
)

SHEET = """id,model,prompt,count,again,mood,product,size
series,SERIES,Generate 2 images of a fox,2,,,fox,2560x1440
text,TEXT,"A ""red"" fox,
in {braces} | and = so",,x,=calm,,
failed,TEXT,A tram,,,,,
doubt,TEXT,A boat,,,,,
queued,TEXT,A pier,,,,,
"""


def marked_night(world: World) -> World:
    """A series of two pictures, one of a model without seeds, a failure, a doubt, and a queued job."""
    sheet = world.folder / "night.csv"
    sheet.write_text(SHEET.replace("SERIES", SERIES).replace("TEXT", TEXT))
    load(world, sheet)
    for key in ("series", "text"):
        world.move(key, accepted(f"r-{key}"), done())
        world.picture(key)
        apply(world, key, fetched())
    world.move("failed", accepted("r-failed"), done(), fetch_failed(FailureKind.EXPIRED))
    world.move("doubt", unanswered())
    world.price("0.04")
    return world


def load(world: World, sheet: Path) -> None:
    """As a run does it, pictures of this computer inside the request."""
    source = SheetSource(sheet, way=Way.INSIDE)
    found = list(plan(open_sheet(source), random.Random(1)))
    assert all(isinstance(one, PlannedJob) for one in found), found

    async def inside(store: Store) -> None:
        await store.batches.load(name="night", sheet=str(sheet), origin=API, planned=found)

    world.store(inside)


def apply(world: World, key: str, move: Any) -> None:
    async def inside(store: Store) -> None:
        batch = await store.batches.named(None)
        found = await store.jobs.by_key(batch.id, key)
        assert found is not None
        assert await store.jobs.apply(move(found.id))

    world.store(inside)


def mark(world: World, *keys: str) -> None:
    assert world.run("decide", "night", *(word for key in keys for word in ("--reroll", key))).code == 0


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def planned(path: Path) -> list[PlannedJob]:
    return [item for item in plan(open_sheet(path), random.Random(1)) if isinstance(item, PlannedJob)]


def apart(world: World) -> None:
    """What was written was written a second ago: in these tests time stands still."""

    async def inside(store: Store) -> None:
        def earlier(connection: Any) -> None:
            connection.exec_driver_sql("UPDATE reroll SET made_at = '2000-01-01T00:00:00.000000+00:00'")

        await store.database.write(earlier)

    world.store(inside)


def made(world: World) -> Path:
    """The next sheet, which is written."""
    told = json.loads(world.run("reroll", "night", "--json").out)
    return world.folder / str(told["sheet"])
