"""Records by the page: what a manifest tells of a job is what its view tells, whatever became of it."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, update

from jobs.images.stored import Whereabouts
from jobs.manifests.columns import column_names_of
from jobs.manifests.csv import CsvTable
from jobs.manifests.jsonl import JsonLines
from jobs.manifests.record import record, stored_record
from jobs.outcomes import Fetched, RemoteDone
from jobs.review.decisions import DecisionSource, DecisionWish, Verdict
from jobs.states import JobState, Move
from jobs.store.schema import JOB
from tests.support.tables import Table, opened_table, picture, planned, rows

FOLDER = Path("/outputs/night")


async def assert_pasted_as_encoded(table: Table, *, everything: bool) -> None:
    """What the formats make of a page is, byte for byte, what they make of its records."""
    nowhere = Whereabouts(Path("/outputs"))
    names = await column_names_of(table.store, table.batch.id, everything=everything)
    for writer in (JsonLines(names), CsvTable(names)):
        async for page in table.store.records.pages(table.batch.id, everything=everything):
            records = [stored_record("night", *one, FOLDER, nowhere.of) for one in page]
            assert writer.page("night", page, FOLDER, nowhere.of) == b"".join(map(writer.line, records))


async def told(table: Table, *, everything: bool = False) -> tuple[list[str], list[str]]:
    """The lines of a manifest: by views, and by the page."""
    nowhere = Whereabouts(Path("/outputs"))
    views = [
        json.dumps(record(job, FOLDER, nowhere.of))
        async for job in table.store.jobs.each(table.batch.id, everything=everything)
    ]
    stored = [
        json.dumps(stored_record("night", *one, FOLDER, nowhere.of))
        async for page in table.store.records.pages(table.batch.id, everything=everything)
        for one in page
    ]
    return views, stored


async def test_each_end_of_a_job_is_told_alike(tmp_path: Path) -> None:
    """Each state, with images, costs, failures, warnings, own columns, a twin and an old revision."""
    keys = [state.value for state in JobState]
    async with opened_table(tmp_path / "night.db", *keys, "priced", "shares", "edited") as table:
        for state in JobState:
            await table.bring(state.value, state)
        job_id = await table.bring("priced", JobState.RUNNING)
        table.clock.at += timedelta(seconds=1, microseconds=7)
        job = await table.store.jobs.advance(RemoteDone(job_id, ("https://p/1.png",), Decimal("0.04")))
        assert job is not None
        await table.store.ledger.record_image(job_id, job.attempt_id, picture())
        fetched = Fetched(job_id, ("One is missing.",), table.clock.at)
        await table.store.jobs.succeed(
            fetched, job.attempt_id, picture(2, path="/outputs/night/b/.x/../1.png")
        )
        own = {"note": "\u00dc \u2028 \x7f \ud800", "again": "x"}
        sheet = [
            *rows(*keys, "priced"),
            planned("shares", 9, columns=own),
            planned("edited", 10, prompt="new"),
        ]
        await table.move("edited", Move.CLAIM, Move.ACCEPTED)
        await table.load(sheet)
        shares = (await table.job("shares")).id
        await table.store.links.link([(shares, job_id)])
        wish = DecisionWish("priced", {"verdict": Verdict.ACCEPTED, "stars": 4}, number=2)
        assert (
            len((await table.store.decisions.decide(table.batch.id, [wish], DecisionSource.CLI)).images) == 1
        )
        views, stored = await told(table)
        assert stored == views
        assert len(views) == 11
        assert sum('"review": {"verdict": "accepted", "stars": 4, "note": ""}' in one for one in stored) == 1
        await table.store.links.settle(table.batch.id)
        for everything in (False, True):
            views, stored = await told(table, everything=everything)
            assert stored == views
            assert len(views) == 11 + everything
            await assert_pasted_as_encoded(table, everything=everything)


async def test_a_line_is_pasted_as_it_would_be_encoded(tmp_path: Path) -> None:
    """Texts of every kind, in whatever bytes a table may keep them; times with and without a fraction."""
    odd = ['"', "\\", "\\u00fc", "/", "\x01\t\n", "\x7f\x9f", "\u2028", "\u00fc\U0001f600", "plain"]
    sheet = [
        planned(f"k{number}{text}", number, prompt=text, columns={f"c{text}": text, "n": str(number)})
        for number, text in enumerate(odd)
    ]
    async with opened_table(tmp_path / "night.db", "first") as table:
        await table.load([planned("first"), *sheet])
        await table.bring("first", JobState.SUCCEEDED)
        table.clock.at += timedelta(microseconds=70)
        await table.bring(f"k8{odd[8]}", JobState.SUCCEEDED)
        spelled = (
            ("k0", '{"prompt": "\\u00fc", "size":"2048x2048"}'),
            ("k1", '{"prompt":"a\\/b\\u00fc"}'),
        )

        def spell(connection: Connection) -> None:
            for key, inputs in spelled:
                connection.execute(update(JOB).where(JOB.c.key.startswith(key)).values(inputs=inputs))

        await table.store.database.write(spell)
        await assert_pasted_as_encoded(table, everything=False)


async def test_a_page_follows_a_page(tmp_path: Path) -> None:
    """No job is left out at the end of a page, and none comes twice."""
    keys = [f"k{number}" for number in range(1001)]
    async with opened_table(tmp_path / "night.db", *keys) as table:
        pages = [page async for page in table.store.records.pages(table.batch.id)]
        assert [len(page) for page in pages] == [500, 500, 1]
        assert [job.key for page in pages for job, *_ in page] == keys
