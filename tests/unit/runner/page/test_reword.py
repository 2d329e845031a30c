"""Other words for a re-roll: read as a run reads them before they are kept, priced, and in the next sheet."""

import csv
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.states import JobState
from tests.support.served_page import Served
from tests.support.tables import MODEL, planned

SERIES = "bytedance/seedream-4-5/sequential"
COUNT = "sequential_image_generation_options"
TEA = {"prompt": "Generate 3 images of tea", "seed": 7, COUNT: 3}


async def night(served: Served) -> None:
    """A single picture, a series, and a job that is queued."""
    await served.table.load(
        [
            planned("fox", 0, inputs={"prompt": "A fox"}, columns={"mood": "calm"}),
            planned("tea", 1, model=SERIES, pictures=3, inputs=TEA),
            planned("later", 2, inputs={"prompt": "A pier"}),
        ]
    )
    for key in ("fox", "tea"):
        await served.shoot(key)
    prices = {MODEL: Decimal("0.04"), SERIES: Decimal("0.03")}
    await served.table.store.batches.note_prices(served.table.batch.id, prices)


async def mark(served: Served, *keys: str) -> None:
    told = {"decisions": [{"key": key, "verdict": "reroll"} for key in keys]}
    assert (await served.act("decisions", told)).status_code == 200


async def sheet(served: Served) -> list[dict[str, str]]:
    """The rows that are written now."""
    told = (await served.act("reroll", {})).json()
    with Path(told["sheet"]).open(newline="", encoding="utf-8") as file:  # noqa: ASYNC230 - a small file
        return list(csv.DictReader(file))


def words(key: str, prompt: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "number": 1, "prompt": prompt, **more}


async def test_a_form_has_all_that_may_change(served: Served) -> None:
    """The words, the seed of a model that has one, the other inputs, and what a row costs."""
    await night(served)
    assert await served.json("/api/night/reword?key=fox&number=1") == {
        "key": "fox",
        "number": 1,
        "prompt": "A fox",
        "typed": None,
        "has_seed": False,
        "seed": None,
        "cells": [
            {"column": "size", "value": "", "choices": (await fields(served, "fox"))["size"]},
        ],
        "variants": 1,
        "images": 1,
        "low_usd": 0.04,
        "high_usd": 0.04,
    }
    told = await served.json("/api/night/reword?key=tea&number=1")
    assert (told["has_seed"], told["seed"]) == (True, "7")
    assert (told["images"], told["low_usd"], told["high_usd"]) == (3, 0.03, 0.09)
    assert {one["column"]: one["value"] for one in told["cells"]} == {"size": "", "count": "3"}


async def fields(served: Served, key: str) -> dict[str, list[str]]:
    told = await served.json(f"/api/night/reword?key={key}&number=1")
    return {one["column"]: one["choices"] for one in told["cells"]}


async def test_what_was_typed_is_in_the_next_sheet_alone(served: Served) -> None:
    """And no longer in the one after it: then the words are the same again."""
    await night(served)
    await mark(served, "fox", "tea")
    kept = (await served.act("reword", words("fox", "A hen", variants=2, cells={"size": "2K"}))).json()
    assert kept["typed"] == {"prompt": "A hen", "seed": "new", "variants": 2, "cells": {"size": "2K"}}
    assert (kept["low_usd"], kept["high_usd"], kept["advice"]) == (0.08, 0.08, [])
    told = await served.json("/api/night/rerolls")
    assert (told["jobs"], told["images"], told["low_usd"], told["high_usd"]) == (3, 5, 0.11, 0.17)
    assert told["plain"] == {"jobs": 1, "images": 3, "low_usd": 0.03, "high_usd": 0.09}
    assert [(one["key"], one["typed"] is None) for one in told["marked"]] == [("fox", False), ("tea", True)]
    (item,) = await served.json("/api/night/items?key=fox")
    assert item["words"]["1"]["prompt"] == "A hen"
    rows = await sheet(served)
    assert [(row["id"], row["prompt"], row["size"]) for row in rows] == [
        ("fox-r1", "A hen", "2K"),
        ("fox-r2", "A hen", "2K"),
        ("tea-r1", TEA["prompt"], ""),
    ]
    assert rows[0]["mood"] == "calm"
    assert await served.table.store.rerolls.words([(await served.table.job("fox")).id]) == {}
    served.table.clock.advance(1)
    await mark(served, "fox")
    assert [(row["id"], row["prompt"]) for row in await sheet(served)] == [("fox-r3", "A fox")]


@pytest.mark.parametrize(("seed", "written"), [("same", "7"), ("0012", "12")])
async def test_a_seed_is_the_same_or_a_number(served: Served, seed: str, written: str) -> None:
    """New by itself; a model that has none keeps quiet about it."""
    await night(served)
    await mark(served, "tea", "fox")
    await served.act("reword", words("tea", "Generate 3 images of tea", seed=seed))
    assert (await served.act("reword", words("fox", "A hen", seed=seed))).json()["typed"]["seed"] == "new"
    assert {row["id"]: row["seed"] for row in await sheet(served)} == {"fox-r1": "", "tea-r1": written}


async def test_pictures_of_one_series_with_other_words_are_rows_of_their_own(served: Served) -> None:
    """Those that say the same are one: a series is paid whole."""
    await night(served)
    job = await served.table.job("tea")
    attempt = served.table.attempts(job.id)[0]["id"]
    for number in (2, 3):
        image = served.picture_of(Path(job.images[0].path), f"{number}".encode())
        await served.table.store.ledger.record_image(job.id, attempt, replace(image, number=number))
    told = {"decisions": [{"key": "tea", "number": n, "verdict": "reroll"} for n in (1, 2, 3)]}
    await served.act("decisions", told)
    await served.act("reword", words("tea", "Generate 3 images of jam"))
    told = await served.json("/api/night/rerolls")
    assert (told["pictures"], told["jobs"], told["images"]) == (3, 2, 6)
    prompts = [row["prompt"] for row in await sheet(served)]
    assert prompts == ["Generate 3 images of jam", TEA["prompt"]]


async def test_advice_is_told(served: Served) -> None:
    """It hinders nothing."""
    await night(served)
    told = (await served.act("reword", words("tea", "Generate 3 images of tea", cells={"count": "2"}))).json()
    assert "2 are asked for" in told["advice"][0]
    assert (told["images"], told["high_usd"]) == (2, 0.06)


@pytest.mark.parametrize(
    ("told", "status", "why"),
    [
        (words("fox", "  "), 409, "A sheet cannot say this re-roll: prompt"),
        (words("fox", "A {mood} hen"), 409, "A sheet cannot say this re-roll: fox-r1, prompt."),
        (words("fox", "A hen", cells={"size": "9x9"}), 409, "size"),
        (words("fox", "A hen", cells={"id": "tea"}), 409, "has no 'id'"),
        (words("fox", "A hen", cells={"again": "x"}), 409, "has no 'again'"),
        (words("fox", "A hen", cells={"mood": "x"}), 409, "has no 'mood'"),
        (words("later", "A hen") | {"number": 0}, 409, "it is queued"),
        (words("nobody", "A hen"), 409, "no picture 1 of a job 'nobody'"),
        (words("fox", "A hen") | {"number": 2}, 409, "no picture 2"),
        (words("fox", "A hen", seed="old"), 400, "A seed is"),
        (words("fox", "A hen", seed=7), 400, "are texts"),
        (words("fox", "A hen", seed="9" * 20), 400, "A seed is"),
        (words("fox", "A hen", variants=9), 400, "Variants"),
        (words("fox", "A hen", variants=True), 400, "Variants"),
        (words("fox", "A hen", cells=[]), 400, "Cells"),
        (words("fox", "A hen", cells={"size": 1}), 400, "Cells"),
        (words("fox", "A hen", agreed=True), 400, "no 'agreed'"),
        ({"key": 1, "number": 1}, 400, "named by its key"),
        ({"key": "fox", "number": True}, 400, "named by its key"),
        ({"key": "fox", "number": -1}, 400, "named by its key"),
        ({"key": "nobody", "number": 0}, 409, "no job 'nobody'"),
    ],
)
async def test_other_wishes_keep_nothing(served: Served, told: dict[str, Any], status: int, why: str) -> None:
    """What a sheet cannot say, a model does not take, or nobody may type."""
    await night(served)
    before = served.table.everything()
    answered = await served.act("reword", told)
    assert (answered.status_code, why in answered.json()["error"]) == (status, True), answered.text
    assert served.table.everything() == before


@pytest.mark.parametrize(
    "query", ["key=fox", "key=fox&number=x", "key=later&number=0", "key=fox&number=2", ""]
)
async def test_what_cannot_be_changed_has_no_form(served: Served, query: str) -> None:
    """Nothing of this machine is said."""
    await night(served)
    answered = await served.client.get(f"/api/night/reword?{query}")
    assert answered.status_code in (400, 404)
    assert str(served.root.parent) not in answered.text


async def test_words_are_taken_away_and_typed_again(served: Served) -> None:
    """Also where a sheet has the picture already: what is told of that sheet stays."""
    await night(served)
    await mark(served, "fox")
    (first,) = await sheet(served)
    await served.act("reword", words("fox", "A hen"))
    assert (await served.json("/api/night/rerolls"))["pictures"] == 0  # it is marked no second time by that
    assert (await served.act("reword", {"key": "fox", "number": 1})).json() == {"typed": None, "advice": []}
    served.table.clock.advance(1)
    await mark(served, "fox")
    (second,) = await sheet(served)
    assert (first["id"], second["id"]) == ("fox-r1", "fox-r2")
    assert first["prompt"] == second["prompt"] == "A fox"
    await served.act("reword", words("tea", "Generate 3 images of jam"))
    await served.act("reword", {"key": "tea", "number": 1})
    assert await served.table.store.rerolls.words([(await served.table.job("tea")).id]) == {}


async def test_words_that_come_while_a_sheet_is_written_are_not_lost(served: Served) -> None:
    """Nothing is written then: the sheet would say what nobody wants any more."""
    from jobs.errors import UsageProblem
    from runner.deciding.rerolls import reroll_sheet, write_reroll_sheet

    await night(served)
    await mark(served, "fox")
    store, batch = served.table.store, served.table.batch
    old = await reroll_sheet(store, batch, served.root.parent)
    await served.act("reword", words("fox", "A hen"))
    with pytest.raises(UsageProblem, match="or other words for them"):
        await write_reroll_sheet(store, old)
    assert not list(served.root.parent.glob("*.csv"))
    assert [row["prompt"] for row in await sheet(served)] == ["A hen"]


async def test_nothing_is_queued_by_words(served: Served) -> None:
    """Nor agreed to, nor sent."""
    await night(served)
    await served.act("reword", words("fox", "A hen"))
    states = [job.state async for job in served.table.store.jobs.each(served.table.batch.id)]
    assert states == [JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.QUEUED]
