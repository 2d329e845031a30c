"""The tiles of a batch, read back by the page's own rule: columns behind each other, little endian."""

import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jobs.review.search import SearchField, parse_search
from jobs.states import JobState, Move
from jobs.store.page.facets import MOST_VALUES
from jobs.store.page.tiles import MOST_DETAILS
from jobs.tiles import FacetValue, TileList, TileOrder
from tests.support.tables import MODEL, ORIGIN, SHEET, Table, opened_table, picture, planned

S = JobState
STATES = list(JobState)


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    """Three rows: two pictures, a failure, a row that waits."""
    async with opened_table(tmp_path / "night.db") as table:
        sheet = [
            planned("a", 0, prompt="A red fox", columns={"product": "Fox", 'it"s': "x"}, warnings=("odd",)),
            planned("b", 1, prompt="a tram, 50% off_road", columns={"product": "tram"}),
            planned("c", 2, prompt="Größe eines Öltanks", columns={}),
        ]
        await table.load(sheet)
        await shoot(table, "a", picture(1), picture(2, width=1000, height=1000))
        await table.bring("b", S.FAILED)
        yield table


async def shoot(table: Table, key: str, *pictures: Any) -> int:
    """Let a job have pictures and succeed."""
    job_id = await table.bring(key, S.FETCHING)
    job = await table.store.jobs.open_job(job_id)
    assert job is not None
    for one in pictures:
        await table.store.ledger.record_image(job_id, job.attempt_id, one)
    return await table.move(key, Move.FETCHED)


def unpacked(tiles: TileList) -> list[tuple[int, int, int, str, bool]]:
    """Tile, job, ratio, state, warned: as `tiles.js` reads them."""
    n, data = tiles.count, tiles.data
    assert len(data) == 12 * n
    places = (("i", 0), ("I", 4 * n), ("H", 8 * n), ("B", 10 * n), ("B", 11 * n))
    columns = [struct.unpack_from(f"<{n}{code}", data, first) for code, first in places]
    rows = list(zip(*columns, strict=True))
    assert all(decision == 0 for *_, decision in rows)
    return [
        (tile, job, ratio, STATES[bits & 15].value, bool(bits & 16)) for tile, job, ratio, bits, _ in rows
    ]


async def found(table: Table, text: str, **more: Any) -> list[str]:
    """The keys of the tiles that a search finds."""
    search = parse_search(text, ("product", 'it"s'))
    assert isinstance(search, tuple), search
    tiles = unpacked(await table.store.tiles.listed(table.batch.id, search, **more))
    keys = {job.id: job.key for job in [await table.job(key) for key in "abc"]}
    return [keys[job] for _, job, *_ in tiles]


async def test_a_job_without_a_picture_is_a_tile(table: Table) -> None:
    """A sheet of N jobs has N tiles at least, in its order."""
    jobs = {key: (await table.job(key)).id for key in "abc"}
    assert unpacked(await table.store.tiles.listed(table.batch.id)) == [
        (1, jobs["a"], 2000, "succeeded", False),
        (2, jobs["a"], 1000, "succeeded", False),
        (-jobs["b"], jobs["b"], 0, "failed", False),
        (-jobs["c"], jobs["c"], 0, "queued", False),
    ]


async def test_the_first_tiles_are_those_of_the_whole_list(table: Table) -> None:
    """They are asked for first."""
    whole = unpacked(await table.store.tiles.listed(table.batch.id))
    assert unpacked(await table.store.tiles.listed(table.batch.id, limit=2)) == whole[:2]
    assert unpacked(await table.store.tiles.listed(table.batch.id, limit=0)) == []


async def test_every_state_has_its_number(tmp_path: Path) -> None:
    """The page knows them by their place among all eight."""
    async with opened_table(tmp_path / "night.db", *(state.value for state in S)) as table:
        for state in S:
            await table.bring(state.value, state)
        tiles = unpacked(await table.store.tiles.listed(table.batch.id))
    assert [state for *_, state, _ in tiles] == [state.value for state in S]


async def test_a_picture_that_is_far_too_wide_has_the_widest_ratio(table: Table) -> None:
    """Two bytes hold no more."""
    await shoot(table, "c", picture(3, width=100_000, height=1))
    assert unpacked(await table.store.tiles.listed(table.batch.id))[-1][2] == 0xFFFF


async def test_rows_that_left_the_sheet_are_no_tiles(table: Table) -> None:
    """As in the manifest; and neither are those of another batch."""
    await table.load([planned("c", 0, prompt="Größe eines Öltanks")])
    (tile,) = unpacked(await table.store.tiles.listed(table.batch.id))
    assert tile[1] == (await table.job("c")).id
    other, _ = await table.store.batches.load(name="other", sheet=SHEET, origin=ORIGIN, planned=[])
    assert (await table.store.tiles.listed(other.id)).count == 0


async def test_the_newest_come_first_where_that_is_wanted(table: Table) -> None:
    """What has not ended comes last."""
    table.clock.advance(60)
    await shoot(table, "c", picture(9))
    assert await found(table, "", order=TileOrder.NEWEST) == ["c", "a", "a", "b"]
    table.clock.advance(60)
    await table.load([planned(key, n, prompt=key) for n, key in enumerate("abc")])
    newest = unpacked(await table.store.tiles.listed(table.batch.id, order=TileOrder.NEWEST))
    assert [state for *_, state, _ in newest] == ["queued"] * 3


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("fox", "aa"),
        ("FOX red", "aa"),
        ("fox tram", ""),
        ("-fox", "bc"),
        ("50%", "b"),
        ("5%f", ""),
        ("off_road", "b"),
        ("offxroad", ""),
        ("\\", ""),
        ("größe", "c"),
        ("öltanks", "c"),
        ("state:failed", "b"),
        ("state:failed state:queued", "bc"),
        ("-state:failed", "aac"),
        ("-kind:bad_picture", "aac"),
        ("kind:bad_picture", "b"),
        ("model:4-5", "aabc"),
        ("model:4-0", ""),
        ("size:2048x1024", "a"),
        ("-size:2048x1024", "abc"),
        ("row:3-", "bc"),
        ("row:2", "aa"),
        ("row:-2", "aa"),
        ("product:fox", "aa"),
        ("-product:fox", "bc"),
        ("product:fo", ""),
        ("product:f%", ""),
        ('"it""s":x', ""),
        ("warned:no", "aabc"),
        ("warned:yes", ""),
    ],
)
async def test_a_search_finds(table: Table, text: str, keys: str) -> None:
    """Words anywhere, values of fields, and what they do not say."""
    assert "".join(await found(table, text)) == keys


async def test_a_warned_job_is_found(table: Table) -> None:
    """And its tile says it."""
    await table.store.ledger.warn((await table.job("a")).id, "It does not decode.")
    assert await found(table, "warned:yes") == ["a", "a"]
    assert [warned for *_, warned in unpacked(await table.store.tiles.listed(table.batch.id))][:2] == [
        True,
        True,
    ]


async def test_details_have_the_ids_of_the_pictures(table: Table) -> None:
    """A tile is known by its picture's id; another batch's job is nobody's here."""
    job = await table.job("a")
    (details,) = await table.store.tiles.details(table.batch.id, [job.id, 999])
    assert details.job == job
    assert [(one.id, one.image.number) for one in details.images] == [(1, 1), (2, 2)]
    other, _ = await table.store.batches.load(
        name="other", sheet=SHEET, origin=ORIGIN, planned=[planned("z", fingerprint="z")]
    )
    assert await table.store.tiles.details(other.id, [job.id]) == []


async def test_details_are_given_of_a_screen_at_most(tmp_path: Path) -> None:
    """Whoever asks for a million gets as many as fit."""
    async with opened_table(tmp_path / "night.db", *(f"k{n}" for n in range(MOST_DETAILS + 1))) as table:
        assert len(await table.store.tiles.details(table.batch.id, range(1, 1000))) == MOST_DETAILS


async def test_a_linked_job_shows_the_pictures_of_the_other(tmp_path: Path) -> None:
    """Each row has its own tile, with the same picture."""
    async with opened_table(tmp_path / "night.db") as table:
        await table.load([planned("a", 0, fingerprint="fox"), planned("b", 1, fingerprint="fox")])
        first, second = [(await table.job(key)).id for key in "ab"]
        await table.store.links.link([(second, first)])
        await shoot(table, "a", picture(1))
        await table.store.links.settle(table.batch.id)
        tiles = unpacked(await table.store.tiles.listed(table.batch.id))
        assert [(tile, job) for tile, job, *_ in tiles] == [(1, first), (1, second)]
        details = await table.store.tiles.details(table.batch.id, [second])
        assert [image.id for one in details for image in one.images] == [1]


async def test_a_picture_is_found_by_id_and_content(table: Table) -> None:
    """An address of yesterday does not show another picture today."""
    assert await table.store.tiles.image(1, picture(1).sha256) == (table.batch.id, picture(1))
    assert await table.store.tiles.image(1, picture(2).sha256) is None
    assert await table.store.tiles.image(99, picture(1).sha256) is None


async def test_batches_are_listed_the_last_run_first(table: Table) -> None:
    """With what a person knows them by."""
    table.clock.advance(60)
    await table.store.batches.load(name="other", sheet=SHEET, origin=ORIGIN, planned=[])
    assert [one.name for one in await table.store.tiles.batches()] == ["other", "night"]
    table.clock.advance(60)
    await table.store.batches.begin_run(table.batch.id, pid=1, host="here")
    (first, _) = await table.store.tiles.batches()
    assert (first.name, first.sheet, first.last_run_at) == ("night", str(SHEET), table.clock.at)


async def test_values_have_counts(table: Table) -> None:
    """The most frequent first; of a field the search's own values do not count."""
    facets, batch = table.store.facets, table.batch.id
    failed = parse_search("state:failed", ())
    assert isinstance(failed, tuple)
    states = [FacetValue("succeeded", 2), FacetValue("failed", 1), FacetValue("queued", 1)]
    assert await facets.values(batch, (), SearchField.STATE) == states
    assert await facets.values(batch, failed, SearchField.STATE) == states
    assert await facets.values(batch, failed, SearchField.MODEL) == [FacetValue(MODEL, 1)]
    assert await facets.values(batch, (), SearchField.KIND) == [FacetValue("bad_picture", 1)]
    sizes = [FacetValue("1000x1000", 1), FacetValue("2048x1024", 1)]
    assert await facets.values(batch, (), SearchField.SIZE) == sizes
    assert await facets.values(batch, (), SearchField.WARNED) == []
    products = [FacetValue("Fox", 2), FacetValue("tram", 1)]
    assert await facets.values(batch, (), SearchField.COLUMN, "product") == products
    assert await facets.values(batch, (), SearchField.COLUMN, 'it"s') == [FacetValue("x", 2)]


async def test_own_columns_are_those_of_the_newest_load(tmp_path: Path) -> None:
    """They are kept in mind, and looked up again once the sheet was loaded again."""
    async with opened_table(tmp_path / "night.db") as table:
        own = table.store.facets.own
        await table.load([planned("a", 0, columns={"product": "fox"}), planned("b", 1)])
        assert [await own(table.batch.id) for _ in range(2)] == [("product",)] * 2
        await table.load(
            [planned("a", 0, columns={"place": "den"}), planned("b", 1, columns={"product": "owl"})]
        )
        assert await own(table.batch.id) == ("place", "product")
        await table.load([planned("b", 0, columns={"product": "owl"})])
        assert await own(table.batch.id) == ("product",)


async def test_what_a_facet_says_is_what_its_search_finds(table: Table) -> None:
    """For each value of each field."""
    for field in (SearchField.STATE, SearchField.KIND, SearchField.MODEL, SearchField.SIZE):
        for one in await table.store.facets.values(table.batch.id, (), field):
            assert len(await found(table, f"{field}:{one.value}")) == one.tiles


async def test_many_values_are_cut_and_that_shows(tmp_path: Path) -> None:
    """One more than are shown says that there are more."""
    async with opened_table(tmp_path / "night.db") as table:
        await table.load([planned(f"k{n}", n, columns={"n": str(n)}) for n in range(MOST_VALUES + 9)])
        values = await table.store.facets.values(table.batch.id, (), SearchField.COLUMN, "n")
    assert len(values) == MOST_VALUES + 1


async def test_words_and_rows_have_no_values(table: Table) -> None:
    """Nobody asks for them: the page has no such group."""
    with pytest.raises(ValueError, match="no values"):
        await table.store.facets.values(table.batch.id, (), SearchField.ROW)
