"""Decisions about images: about the one that was looked at, kept whatever becomes of its job."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.review.decisions import (
    Decided,
    DecisionSource,
    DecisionView,
    DecisionWish,
    Said,
    Undecided,
    Verdict,
    decision_on,
)
from jobs.review.rerolls import MadeReroll
from jobs.review.search import SearchField, parse_search
from jobs.states import JobState, Move
from jobs.tiles import FacetValue, TileName
from tests.support.tables import ORIGIN, SHEET, Table, opened_table, picture, planned

ACCEPTED, REJECTED, REROLL = Verdict.ACCEPTED, Verdict.REJECTED, Verdict.REROLL


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    """Two images of `a`, one of `b`, and a job without."""
    async with opened_table(tmp_path / "night.db", "a", "b", "c") as table:
        await shoot(table, "a", picture(1), picture(2))
        await shoot(table, "b", replace(picture(3), number=1))
        yield table


async def shoot(table: Table, key: str, *pictures: Any) -> None:
    """Let a job have these images, and succeed."""
    job_id = await table.bring(key, JobState.FETCHING)
    job = await table.store.jobs.open_job(job_id)
    assert job is not None
    for one in pictures:
        await table.store.ledger.record_image(job_id, job.attempt_id, one)
    await table.move(key, Move.FETCHED)


async def decide(table: Table, key: str, number: int | None = None, **said: Any) -> Decided:
    """Say something of an image."""
    sha256 = said.pop("sha256", None)
    wish = DecisionWish(key, Said(**said), number, sha256)  # type: ignore[typeddict-item]
    return await table.store.decisions.decide(table.batch.id, [wish], DecisionSource.PAGE)


async def decided(table: Table) -> dict[str, list[tuple[int, Verdict | None, int, str]]]:
    """What is decided, by key."""
    found = await table.store.decisions.of_batch(table.batch.id)
    return {
        key: [(one.number, one.verdict, one.stars, one.note) for one in every] for key, every in found.items()
    }


async def found(table: Table, text: str) -> list[str]:
    """The tiles that a search finds, as KEY:N."""
    search = parse_search(text, ())
    assert isinstance(search, tuple)
    names = await table.store.tiles.names(table.batch.id, search)
    tiles = await table.store.tiles.listed(table.batch.id, search)
    assert tiles.count == len(names)
    return [f"{name.key}:{name.number}" for name in names]


async def test_what_is_said_of_an_image_is_kept(table: Table) -> None:
    """Verdict, stars and note each for itself: what is not said stays."""
    await decide(table, "a", 1, verdict=ACCEPTED)
    table.clock.advance(60)
    await decide(table, "a", 1, stars=4)
    await decide(table, "a", 1, note="the best")
    await decide(table, "c", verdict=REROLL)
    assert await decided(table) == {"a": [(1, ACCEPTED, 4, "the best")], "c": [(0, REROLL, 0, "")]}
    (decision,) = (await table.job("a")).decisions
    sha256 = picture(1).sha256
    assert decision == DecisionView(1, sha256, ACCEPTED, 4, "the best", table.clock.at, DecisionSource.PAGE)


async def test_what_says_nothing_any_more_is_gone(table: Table) -> None:
    """Undo is to decide again."""
    first = await decide(table, "a", 1, verdict=REJECTED, stars=1)
    second = await decide(table, "a", 1, verdict=None, stars=0)
    assert await decided(table) == {}
    assert [first.images[0].before, second.images[0].after] == [None, None]
    assert first.images[0].after == second.images[0].before
    assert (await decide(table, "a", 1, verdict=None)).images[0].is_change is False
    assert first.images[0].is_change


async def test_a_job_without_a_number_is_all_that_it_has(table: Table) -> None:
    """Of a series each image; of a job without one the job."""
    done = await decide(table, "a", verdict=ACCEPTED)
    assert [(one.key, one.number) for one in done.images] == [("a", 1), ("a", 2)]
    await decide(table, "c", stars=2)
    assert await decided(table) == {
        "a": [(1, ACCEPTED, 0, ""), (2, ACCEPTED, 0, "")],
        "c": [(0, None, 2, "")],
    }


async def test_the_last_word_of_several_wins(table: Table) -> None:
    """In one transaction, too: each sees what the one before it said."""
    wishes = [
        DecisionWish("a", {"verdict": ACCEPTED}, 1),
        DecisionWish("a", {"stars": 3}, 1),
        DecisionWish("a", {"verdict": None}, 1),
        DecisionWish("b", {"verdict": ACCEPTED}, 1),
        DecisionWish("b", {"verdict": None}, 1),
    ]
    done = await table.store.decisions.decide(table.batch.id, wishes, DecisionSource.FILE)
    assert await decided(table) == {"a": [(1, None, 3, "")]}
    assert done.images[1].before == done.images[0].after


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (DecisionWish("z", {"stars": 1}), Undecided.NO_JOB),
        (DecisionWish("a", {"stars": 1}, 3), Undecided.NO_IMAGE),
        (DecisionWish("a", {"stars": 1}, 0), Undecided.NO_IMAGE),
        (DecisionWish("c", {"stars": 1}, 1), Undecided.NO_IMAGE),
        (DecisionWish("a", {"stars": 1}, 1, picture(2).sha256), Undecided.OTHER_IMAGE),
        (DecisionWish("c", {"stars": 1}, 0, picture(2).sha256), Undecided.OTHER_IMAGE),
    ],
)
async def test_what_nobody_looked_at_is_not_decided(table: Table, wish: DecisionWish, why: Undecided) -> None:
    """A key of nobody, a number of nothing, an image that came since; the others are decided."""
    also = DecisionWish("b", {"stars": 1}, 1, picture(3).sha256)
    done = await table.store.decisions.decide(table.batch.id, [wish, also], DecisionSource.PAGE)
    assert done.refused == ((wish, why),)
    assert await decided(table) == {"b": [(1, None, 1, "")]}


async def test_a_decision_holds_for_its_image_alone(table: Table) -> None:
    """Fetched again and another one: it is about an older image, and a new one begins with nothing."""
    await decide(table, "a", 1, verdict=ACCEPTED, stars=5, note="this one")
    attempt = table.attempts((await table.job("a")).id)[0]["id"]
    await table.store.ledger.record_image((await table.job("a")).id, attempt, replace(picture(9), number=1))
    job = await table.job("a")
    assert len(job.decisions) == 1
    assert decision_on(job.decisions, 1, picture(9).sha256) is None
    assert await found(table, "verdict:older") == ["a:1"]
    assert await found(table, "verdict:accepted") == []
    assert await found(table, "stars:5") == []
    assert tile_bytes(await table.store.tiles.listed(table.batch.id))[0] == 1 << 2
    await decide(table, "a", 1, stars=2)
    assert await decided(table) == {"a": [(1, None, 2, "")]}
    assert await found(table, "verdict:older") == []
    await table.store.ledger.record_image(job.id, attempt, picture(1))
    assert await found(table, "verdict:older") == ["a:1"]


async def test_the_same_image_fetched_again_keeps_its_decision(table: Table) -> None:
    """It is the same by its hash, whatever its path."""
    await decide(table, "a", 1, verdict=ACCEPTED)
    attempt = table.attempts((await table.job("a")).id)[0]["id"]
    again = replace(picture(1), path="/elsewhere/1.png")
    await table.store.ledger.record_image((await table.job("a")).id, attempt, again)
    assert await found(table, "verdict:accepted") == ["a:1"]


async def test_decisions_outlive_the_sheet(table: Table) -> None:
    """A row that is edited and edited back, that left the sheet and returns under another key."""
    await decide(table, "a", 1, verdict=ACCEPTED)
    rows = [planned("a", 0, prompt="another"), planned("b", 1), planned("c", 2)]
    await table.load(rows)
    assert await decided(table) == {}
    await table.load([planned("a", 0), planned("b", 1), planned("c", 2)])
    assert await decided(table) == {"a": [(1, ACCEPTED, 0, "")]}
    await table.load([planned("x", 0, fingerprint=planned("a").fingerprint)])
    assert await decided(table) == {"x": [(1, ACCEPTED, 0, "")]}


async def test_a_row_that_takes_a_paid_job_has_that_ones_decisions(table: Table) -> None:
    """What was said of the row before it had an image is about nothing any more."""
    fingerprint = planned("a").fingerprint
    await decide(table, "a", 1, verdict=ACCEPTED)
    await table.load([planned("b", 0), planned("c", 1)])
    await table.load([planned("b", 0), planned("c", 1), planned("n", 2, prompt="new")])
    await decide(table, "n", verdict=REROLL)
    await table.load([planned("b", 0), planned("c", 1), planned("n", 2, fingerprint=fingerprint)])
    assert (await decided(table))["n"] == [(1, ACCEPTED, 0, "")]


async def test_two_batches_do_not_share_a_decision(table: Table) -> None:
    """The same key, the same number, another job."""
    other, _ = await table.store.batches.load(
        name="other", sheet=SHEET, origin=ORIGIN, planned=[planned("a", prompt="o")]
    )
    await decide(table, "a", 1, stars=1)
    assert await table.store.decisions.of_batch(other.id) == {}


async def test_a_linked_job_has_decisions_of_its_own(tmp_path: Path) -> None:
    """It shows the same image in another row: there it may be wrong."""
    async with opened_table(tmp_path / "night.db") as table:
        await table.load([planned("a", 0, fingerprint="fox"), planned("b", 1, fingerprint="fox")])
        first, second = [(await table.job(key)).id for key in "ab"]
        await table.store.links.link([(second, first)])
        await shoot(table, "a", picture(1))
        await table.store.links.settle(table.batch.id)
        await decide(table, "b", 1, verdict=REJECTED, sha256=picture(1).sha256)
        assert await decided(table) == {"b": [(1, REJECTED, 0, "")]}
        assert await found(table, "verdict:rejected") == ["b:1"]


@pytest.mark.parametrize(
    ("text", "tiles"),
    [
        ("verdict:accepted", ["a:1"]),
        ("verdict:reroll", ["c:0"]),
        ("verdict:none", ["a:2", "b:1"]),
        ("-verdict:none", ["a:1", "c:0"]),
        ("verdict:accepted verdict:reroll", ["a:1", "c:0"]),
        ("-verdict:accepted", ["a:2", "b:1", "c:0"]),
        ("stars:>3", ["a:1"]),
        ("stars:3", ["a:2"]),
        ("stars:<4", ["a:2", "b:1", "c:0"]),
        ("stars:0", ["b:1", "c:0"]),
        ("-stars:0", ["a:1", "a:2"]),
        ("verdict:older", []),
        ("-verdict:older", ["a:1", "a:2", "b:1", "c:0"]),
    ],
)
async def test_a_search_by_decision_finds(table: Table, text: str, tiles: list[str]) -> None:
    """Each image by its own, jobs without one too."""
    await decide(table, "a", 1, verdict=ACCEPTED, stars=5)
    await decide(table, "a", 2, stars=3)
    await decide(table, "c", 0, verdict=REROLL)
    assert await found(table, text) == tiles


async def test_decisions_are_in_the_list_and_have_counts(table: Table) -> None:
    """A byte a tile, as the page reads it; values to filter by, the undecided among them."""
    await decide(table, "a", 1, verdict=ACCEPTED, stars=5)
    await decide(table, "a", 2, verdict=REJECTED, note="no")
    await decide(table, "c", 0, verdict=REROLL)
    assert tile_bytes(await table.store.tiles.listed(table.batch.id)) == [1 + (5 << 4), 2 + 8, 0, 3]
    values = await table.store.facets.values(table.batch.id, (), SearchField.VERDICT)
    assert values == [FacetValue(one, 1) for one in ("accepted", "none", "rejected", "reroll")]
    stars = await table.store.facets.values(table.batch.id, (), SearchField.STARS)
    assert stars == [FacetValue("0", 3), FacetValue("5", 1)]


def tile_bytes(tiles: Any) -> list[int]:
    """The last column of a list of tiles."""
    return list(tiles.data[11 * tiles.count :])


async def test_tiles_have_names_that_last(table: Table) -> None:
    """Key, number, hash."""
    assert await table.store.tiles.names(table.batch.id) == [
        TileName("a", 1, picture(1).sha256),
        TileName("a", 2, picture(2).sha256),
        TileName("b", 1, picture(3).sha256),
        TileName("c", 0, None),
    ]


async def test_what_is_marked_is_written_into_one_sheet(table: Table) -> None:
    """Until it is marked anew; of two who write at once the second writes nothing."""
    rerolls, batch = table.store.rerolls, table.batch.id
    await decide(table, "a", 2, verdict=REROLL)
    await decide(table, "b", 1, verdict=ACCEPTED)
    await decide(table, "c", verdict=REROLL)
    marked = await rerolls.marked(batch)
    assert [(one.key, one.number, one.is_open) for one in marked] == [("a", 2, True), ("c", 0, True)]
    made = [MadeReroll(one, (f"{one.key}-r1",), "new", 1) for one in marked]
    table.clock.advance(1)
    assert await rerolls.make("/x/one.csv", made)
    assert not await rerolls.make("/x/two.csv", made)
    assert await rerolls.known_keys(batch) == {"a-r1", "c-r1"}
    assert await rerolls.family("one", "a-r1") == [("night", "a")]
    assert await rerolls.family("one", "a-r2") == []
    assert await rerolls.family("night", "c") == [("one", "c-r1")]
    marked = await rerolls.marked(batch)
    assert [(one.sheet, one.is_open) for one in marked] == [("/x/one.csv", False)] * 2
    table.clock.advance(1)
    await decide(table, "c", verdict=REROLL)
    assert [one.is_open for one in await rerolls.marked(batch)] == [False, True]
    assert await rerolls.make(
        "/x/two.csv", [MadeReroll((await rerolls.marked(batch))[1], ("c-r2",), "new", 1)]
    )


async def test_what_was_marked_of_an_older_picture_is_not_marked(table: Table) -> None:
    """Nobody has looked at the one that is there now."""
    await decide(table, "a", 1, verdict=REROLL)
    job = await table.job("a")
    attempt = table.attempts(job.id)[0]["id"]
    await table.store.ledger.record_image(job.id, attempt, replace(picture(9), number=1))
    assert await table.store.rerolls.marked(table.batch.id) == []
