"""Every state of the page has words, which say what to do: the table of states, one test each."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.exit_codes import ExitCode
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import RunView
from runner.page.access.session import Rights
from runner.page.panels.words import REMEDIES
from tests.browser.conftest import Browsing, browsing
from tests.browser.test_accessible import violations
from tests.browser.test_page import night, until
from tests.support.served_page import Served, served_page
from tests.support.tables import MODEL

pytestmark = pytest.mark.timeout(300)


def forgive(browser: Browsing, *words: str) -> None:
    """What a browser itself writes into its console where a server refuses, or is gone."""
    browser.wrong = [one for one in browser.wrong if not any(word in one for word in words)]


async def test_a_database_without_a_batch(tmp_path: Path) -> None:
    """It says what makes one; a batch that is not there has an address, and is said not to be there."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        with closing(sqlite3.connect(served.table.path)) as other, other:
            other.execute("DELETE FROM batch")
        page = await browser.page(served.page.link())
        await page.get_by_text("This database has no batch yet. Type: nightsheet run SHEET").wait_for()
        await page.goto(f"{served.page.origin}/b/night/")
        await page.get_by_role("alert").get_by_text("There is no batch 'night' in this database.").wait_for()
        assert await violations(page) == []
        forgive(browser, "404")


async def test_a_batch_without_a_picture_yet(tmp_path: Path) -> None:
    """It is said, with the line that goes on; a price that nobody knows is not a price of nothing."""
    async with served_page(tmp_path, "a", "b") as served, browsing(served) as browser:
        page = await browser.entered(served)
        await page.get_by_text("No picture has come yet.").wait_for()
        await page.locator("#facts", has_text="the price of what is queued is not known").wait_for()
        await page.get_by_text("nightsheet resume night").wait_for()
        assert await page.locator("#live").inner_text() == "○ nobody is at work"
        await served.table.store.batches.note_prices(served.table.batch.id, {MODEL: Decimal("0.04")})
        await page.locator("#facts", has_text="$0.08 with what is queued").wait_for()
        await served.shoot("a")
        await until(page, "document.getElementById('next').textContent.includes('No picture')", False)


async def test_a_page_that_loads(tmp_path: Path) -> None:
    """While the list is on its way it says so."""
    async with night(tmp_path) as (served, browser):
        came = anyio.Event()

        async def late(route: Any) -> None:
            await came.wait()
            await route.continue_()

        await browser.context.route("**/api/night/tiles*", late)
        page = await browser.page(served.page.link("/b/night/"))
        await page.get_by_text("Loading…").wait_for()
        assert await violations(page) == []
        came.set()
        await page.get_by_text("30 tiles").wait_for()


async def test_a_run_that_works_and_one_that_has_ended(tmp_path: Path) -> None:
    """Its code, and what that means; one that was killed left none."""
    async with night(tmp_path) as (served, browser):
        store, batch = served.table.store, served.table.batch
        run = await store.batches.begin_run(batch.id, pid=1, host="here")
        served.run = RunView("night", 1, "here", served.table.clock.now())
        page = await browser.entered(served)
        await page.get_by_text("● live").wait_for()
        served.run = None
        await store.batches.pause(batch.id, PauseReason.OUTAGE, "so that the page looks again")
        await page.get_by_text("it was killed, or its machine").wait_for()
        await store.batches.resume(batch.id)
        await store.batches.end_run(run, ExitCode.INCOMPLETE)
        await page.get_by_text("some jobs did not succeed (exit code 1)").wait_for()


async def test_every_pause_says_what_to_do(tmp_path: Path) -> None:
    """Those that stand for money or a guard have a line, and no button."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        for reason in PauseReason:
            await served.table.store.batches.resume(served.table.batch.id)
            await served.table.store.batches.pause(served.table.batch.id, reason, f"Why {reason}.")
            why = page.locator("#next .why")
            await why.get_by_text(f"Why {reason}. {REMEDIES[reason]}").wait_for()
            assert await page.locator("#live").inner_text() == f"‖ paused ({reason})"
            has_button = reason in {
                PauseReason.PERSON,
                PauseReason.TOKEN,
                PauseReason.OUTAGE,
                PauseReason.DISK,
            }
            await until(page, "document.getElementById('pause').hidden", not has_button)
            await page.locator("#next", has_text="nightsheet resume night").wait_for()
        assert await violations(page) == []


async def test_a_server_that_is_gone(tmp_path: Path) -> None:
    """What to type; what is on screen stays."""
    async with anyio.create_task_group() as tasks:
        left, gone = anyio.Event(), anyio.Event()

        async def serve(task_status: anyio.abc.TaskStatus[Served]) -> None:
            async with served_page(tmp_path, "a") as served:
                task_status.started(served)
                await left.wait()
            gone.set()

        served: Served = await tasks.start(serve)
        async with browsing(served) as browser:
            page = await browser.entered(served)
            await until(page, "document.getElementById('facets').childElementCount > 0", True)
            left.set()
            await gone.wait()
            alert = page.get_by_role("alert")
            await alert.get_by_text("The page has lost its server. Type nightsheet view again").wait_for()
            assert await page.locator(".cell").count() == 1
            assert await violations(page) == []
            forgive(browser, "ERR_")


async def test_a_newer_nightsheet_at_the_database(tmp_path: Path) -> None:
    """This one's page may not know its tables any more."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await page.locator(".cell img.there").first.wait_for()
        with closing(sqlite3.connect(served.table.path)) as other, other:
            other.execute("CREATE TABLE more (id integer)")
            other.execute("UPDATE alembic_version SET version_num = '9999'")
        await (
            page.get_by_role("alert").get_by_text("A newer Nightsheet has changed this database.").wait_for()
        )


async def test_a_page_that_only_looks_says_so_at_once(tmp_path: Path) -> None:
    """Before anybody has pressed a key in vain."""
    async with served_page(tmp_path, "a", rights=Rights.LOOK) as served, browsing(served) as browser:
        page = await browser.entered(served)
        await page.get_by_text("only looking").wait_for()
        assert await violations(page) == []
    async with served_page(tmp_path, "a", port=0) as served, browsing(served) as browser:
        page = await browser.entered(served)
        await until(page, "document.getElementById('rights').hidden", True)


async def test_a_picture_whose_file_is_gone_changed_or_elsewhere(tmp_path: Path) -> None:
    """Each in its cell, in one picture alone, and in the details."""
    async with served_page(tmp_path, "a", "b", "c", "d") as served, browsing(served) as browser:
        for key in ("a", "b", "c"):
            await served.shoot(key)
        await anyio.Path(served.root / "night/a/01.png").unlink()
        await anyio.Path(served.root / "night/b/01.png").write_bytes(b"short")
        with closing(sqlite3.connect(served.table.path)) as other, other:
            other.execute("UPDATE artifact SET path = ? WHERE path LIKE '%/c/%'", (str(tmp_path / "x.png"),))
        page = await browser.entered(served)
        for key, words in (
            ("a", "The file is gone."),
            ("b", "The file was changed."),
            ("c", "The file is not below the output folder."),
        ):
            await page.get_by_role("option", name=key, exact=False).get_by_text(f"⚠ {words}").wait_for()
        await page.locator("#inspector", has_text="⚠ The file is not there as it was recorded.").wait_for()
        await page.keyboard.press("Enter")
        await page.get_by_text("The file of this picture is gone, was changed, or").wait_for()
        assert await violations(page) == []


async def test_a_folder_that_is_deleted_beside_the_page(tmp_path: Path) -> None:
    """The table does not change, and thumbnails are kept: the tiles say it all the same, until it is back."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.querySelectorAll('.cell img.there').length", 2)
        folder, away = served.root / "night", tmp_path / "away"
        folder.rename(away)
        for key in ("p00", "p01"):
            cell = page.get_by_role("option", name=key, exact=False)
            await cell.get_by_text("⚠ The file is gone.").wait_for()
        away.rename(folder)
        await until(page, "document.querySelectorAll('.cell img.there').length", 2)


async def test_a_picture_of_which_no_thumbnail_can_be_made(tmp_path: Path) -> None:
    """It has the size that it should have, and does not decode."""
    async with served_page(tmp_path, "a", "b") as served, browsing(served) as browser:
        await served.shoot("a", b"<html><script>alert(1)</script></html>" * 9)
        page = await browser.entered(served)
        await page.get_by_text("⚠ No thumbnail can be made of it.").wait_for()
        await page.keyboard.press("Enter")
        await page.get_by_text("⚠ This picture cannot be shown.").wait_for()
        forgive(browser, "404")


async def test_a_search_that_finds_nothing(tmp_path: Path) -> None:
    """And the way out."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("/")
        await page.keyboard.type("zebra")
        await page.get_by_text("Nothing is found. Esc takes the search away.").wait_for()
        assert await page.locator("#count").inner_text() == "0 tiles"
        assert await violations(page) == []


async def test_all_is_decided(tmp_path: Path) -> None:
    """How many each, and what comes next, as lines to type."""
    async with served_page(tmp_path, "a", "b", "c") as served, browsing(served) as browser:
        for key in ("a", "b", "c"):
            await served.shoot(key)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        for key in ("p", "x", "r"):
            await page.keyboard.press(key)
        tally = page.locator("#tally")
        await tally.get_by_text("All decided. Next:").wait_for()
        assert "✓ 1" in await tally.inner_text()
        lines = await page.evaluate(
            "[...document.querySelectorAll('#tally code')].map((one) => one.textContent)"
        )
        assert lines == [
            "nightsheet reroll night",
            "nightsheet gallery night --output gallery --only accepted",
            "nightsheet export night --format imagefolder --output chosen --only accepted",
        ]
        assert await violations(page) == []


async def test_what_comes_next_is_a_line_for_this_database(tmp_path: Path) -> None:
    """Also where the lines come later than the list: nobody is shown one without its options."""
    async with served_page(tmp_path, "a") as served, browsing(served) as browser:

        async def of_another(route: Any) -> None:
            answered = await route.fetch()
            told = await answered.json()
            lines = {verb: f"{line} --db other.db" for verb, line in told["lines"].items()}
            await route.fulfill(json=told | {"lines": lines})

        await browser.context.route("**/api/night/status", of_another)
        await served.shoot("a")
        await served.enter()
        await served.act("decisions", {"decisions": [{"key": "a", "verdict": "accepted"}]})
        page = await browser.entered(served)
        await page.locator("#tally").get_by_text("nightsheet gallery night --db other.db --output").wait_for()


async def test_a_failure_beside_the_page_is_no_failure_of_it(tmp_path: Path) -> None:
    """A database that cannot be written keeps a verdict in the browser, and the page says so."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.locator(".cell img.there").first.wait_for()

        async def full(route: Any) -> None:
            await route.fulfill(status=503, json={"error": "The database cannot be written just now."})

        await browser.context.route("**/api/night/decisions", full)
        await page.keyboard.press("p")
        words = "1 decision not saved: trying again. The database cannot be written just now."
        await page.get_by_role("status").get_by_text(words).wait_for()
        assert await violations(page) == []
        await browser.context.unroute("**/api/night/decisions")
        await until(page, "document.getElementById('unsaved').hidden", True)
        assert (await served.table.job("p00")).state is JobState.SUCCEEDED
        forgive(browser, "503")
