"""The page in a real browser: by the link, by keyboard, live, and with texts that would like to be more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.pauses import PauseReason
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from tests.browser.conftest import WAIT_MS, Browsing, browsing
from tests.support.served_page import Served, served_page
from tests.support.tables import planned

pytestmark = pytest.mark.timeout(300)
"""A browser on a busy machine takes its time to begin."""

NASTY = '<img src=x onerror="alert(1)">'
KEYS = [f"p{number:02d}" for number in range(30)]


def sheet(*keys: str) -> list[PlannedJob]:
    """Rows with these keys, the first of them nasty."""
    prompts = [NASTY, *(f"a fox, {key}" for key in keys[1:])]
    columns = {"product": "fox", NASTY: NASTY}
    return [
        planned(key, n, prompt=prompt, columns=columns, inputs={"prompt": prompt})
        for n, (key, prompt) in enumerate(zip(keys, prompts, strict=True))
    ]


@asynccontextmanager
async def night(folder: Path, **options: Any) -> AsyncIterator[tuple[Served, Browsing]]:
    """A page over thirty jobs: two with a picture, one that failed, one in doubt; and a browser."""
    async with served_page(folder) as served, browsing(served, **options) as browser:
        await served.table.load(sheet(*KEYS))
        await served.shoot("p00")
        await served.shoot("p01")
        await served.table.bring("p02", JobState.FAILED)
        await served.table.bring("p03", JobState.UNCONFIRMED)
        yield served, browser


async def until(page: Any, told: str, wanted: Any) -> None:
    """Wait until a script comes to this. The page's policy lets Playwright's own waiting not in."""
    with anyio.fail_after(WAIT_MS / 1000):
        while (found := await page.evaluate(told)) != wanted:
            await anyio.sleep(0.05)
            print(told, found)  # noqa: T201 - shown where it never comes


async def cursor(page: Any) -> Any:
    """The place of the tile under the cursor."""
    return await page.evaluate("document.getElementById('grid').getAttribute('aria-activedescendant')")


async def test_a_link_lets_in_once(tmp_path: Path) -> None:
    """Its secret leaves the address; whoever has it afterwards is told what to do."""
    async with night(tmp_path) as (served, browser):
        link = served.page.link("/b/night/")
        page = await browser.page(link)
        await page.locator(".cell img.there").first.wait_for()
        assert await page.evaluate("location.hash") == ""
        assert await page.evaluate("document.cookie") == ""
        other = await browser.context.browser.new_context()
        late = await other.new_page()
        await late.goto(link)
        await late.get_by_role("alert").wait_for()
        assert await late.locator(".cell").count() == 0
        assert await late.evaluate("location.hash") == ""


async def test_every_key_of_the_grid(tmp_path: Path) -> None:
    """By keyboard alone, from the first tile to the last."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        press = page.keyboard.press
        await until(page, "document.activeElement.id", "grid")
        widths = "['grid', 'tile-0'].map((id) => document.getElementById(id).clientWidth)"
        whole, one = await page.evaluate(widths)
        columns = whole // one
        for key, place in [
            ("ArrowRight", 1),
            ("l", 2),
            ("h", 1),
            ("ArrowLeft", 0),
            ("ArrowDown", columns),
            ("j", 2 * columns),
            ("k", columns),
            ("ArrowUp", 0),
            ("End", 29),
            ("Home", 0),
        ]:
            await press(key)
            assert await cursor(page) == f"tile-{place}", key
        await press("PageDown")
        assert await cursor(page) != "tile-0"
        await press("PageUp")
        assert await cursor(page) == "tile-0"
        before = await page.evaluate("document.querySelector('.cell').clientWidth")
        await press("+")
        assert await page.evaluate("document.querySelector('.cell').clientWidth") > before
        await press("-")
        await press("i")
        assert not await page.locator("#inspector").is_visible()
        await press("i")
        assert await page.locator("#inspector").is_visible()
        await press("?")
        await page.get_by_role("dialog", name="Keys").wait_for()
        await press("ArrowRight")
        await press("Escape")
        assert await cursor(page) == "tile-0"


@pytest.mark.parametrize(("key", "state"), [("f", "failed"), ("d", "unconfirmed")])
async def test_what_wants_a_decision_is_one_key_away(tmp_path: Path, key: str, state: str) -> None:
    """From there it is a search, with its address; Esc takes it away, and so does going back."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press(key)
        await page.get_by_role("button", name="Show them in the grid").click()
        await until(page, "document.getElementById('count').textContent", "1 tile")
        assert await page.evaluate("location.search") == f"?q=state%3A{state}"
        await page.locator(".cell .state", has_text=state).wait_for()
        assert "nightsheet" in await page.locator("#inspector code").inner_text()
        await page.keyboard.press("Escape")
        await until(page, "document.getElementById('count').textContent", "30 tiles")
        await page.go_back()
        await until(page, "document.getElementById('count').textContent", "1 tile")


async def test_one_picture_by_keyboard_and_by_its_address(tmp_path: Path) -> None:
    """To the next, to its own pixels, and back; the address opens the same one."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.locator(".cell img.there").first.wait_for()
        await page.keyboard.press("Enter")
        await page.locator("#loupe[open] #stage img").wait_for()
        assert (await page.evaluate("location.pathname")) == "/b/night/p/p00/1"
        assert NASTY in await page.locator("#caption-text").inner_text()
        await page.keyboard.press("ArrowRight")
        await until(page, "location.pathname", "/b/night/p/p01/1")
        await page.keyboard.press("z")
        await until(page, "document.querySelector('#stage img').naturalWidth", 600)
        assert await page.evaluate("document.querySelector('#stage img').src.includes('/p/')")
        await page.keyboard.press("ArrowRight")
        await page.get_by_text("There is no picture of it.").wait_for()
        await page.keyboard.press("h")
        await page.reload()
        await page.locator("#loupe[open] #stage img").wait_for()
        await page.keyboard.press("Escape")
        await until(page, "document.getElementById('loupe').open", False)
        assert (await page.evaluate("location.pathname")) == "/b/night/"


async def test_a_search_is_typed_clicked_and_kept(tmp_path: Path) -> None:
    """Half of one is no error; a reload and a value to click on say the same."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("/")
        await page.keyboard.type("stat:failed")
        await page.get_by_text("Did you mean state?").wait_for()
        await page.locator("#search").fill("p01")
        await until(page, "document.getElementById('count').textContent", "1 tile")
        await page.reload()
        await until(page, "document.getElementById('count').textContent", "1 tile")
        await page.locator("#search").fill("")
        await until(page, "document.getElementById('count').textContent", "30 tiles")
        await page.locator("#facets summary", has_text="product").click()
        await page.locator(".value", has_text="fox").click()
        await until(page, "new URLSearchParams(location.search).get('q')", "product:fox")
        await until(page, "document.querySelectorAll('.value[aria-pressed=true]').length", 1)


async def test_foreign_texts_are_texts(tmp_path: Path) -> None:
    """In a prompt, a column's name and value, a key's details: none becomes an element, no dialog opens."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await page.locator("#inspector .prompt", has_text=NASTY).wait_for()
        await page.locator("#inspector dt", has_text=NASTY).wait_for()
        await page.locator("#facets summary", has_text=NASTY).click()
        await page.locator(".value", has_text=NASTY).wait_for()
        assert await page.locator("img[src=x]").count() == 0
        refused = (
            "(() => { try { document.body.innerHTML = '<b>x</b>' } catch (error) { return error.name } })()"
        )
        assert await page.evaluate(refused) == "TypeError"
        browser.wrong = [one for one in browser.wrong if "TrustedHTML" not in one]


async def test_the_list_stands_still_while_a_night_goes_on(tmp_path: Path) -> None:
    """A tile's own job changes in its place; what is new is counted, and comes when it is called."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("End")
        last = page.locator(".cell[aria-selected=true]")
        await last.locator(".state", has_text="queued").wait_for()
        await served.shoot("p29")
        await last.locator("img.there").wait_for()
        assert await cursor(page) == "tile-29"
        await until(page, "document.getElementById('new').textContent", "1 new: G")
        await served.table.load(sheet(*KEYS, "q0", "q1"))
        await until(page, "document.getElementById('new').textContent", "3 new: G")
        assert await page.locator("#count").inner_text() == "30 tiles"
        await page.keyboard.press("g")
        await until(page, "document.getElementById('count').textContent", "32 tiles")
        await served.table.store.batches.pause(served.table.batch.id, PauseReason.PERSON, "Enough.")
        await page.get_by_text("Enough.").wait_for()


async def test_eight_tabs_are_open_at_once(tmp_path: Path) -> None:
    """A browser has six connections to a server for all of them; one stream serves all."""
    async with night(tmp_path) as (served, browser):
        first = await browser.entered(served)
        tabs = [first, *[await browser.page(f"{served.page.origin}/b/night/") for _ in range(7)]]
        for tab in tabs:
            await tab.bring_to_front()
            await tab.locator(".cell img.there").first.wait_for()
        await first.close()
        await served.table.bring("p10", JobState.FAILED)
        for tab in tabs[1:]:
            await tab.bring_to_front()
            await tab.locator(".chip", has_text="failed 2").wait_for()


async def test_a_lost_database_is_told(tmp_path: Path) -> None:
    """With what to do; what is on screen stays."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.getElementById('facets').childElementCount > 0", True)
        await until(page, "document.querySelectorAll('.cell img:not(.there)').length", 0)
        await page.locator(".cell img.there").first.wait_for()  # else the page still asks for them
        path, moved = served.table.path, served.table.path.with_name("moved.db")
        path.rename(moved)
        await page.get_by_text("The database was deleted or replaced.").wait_for()
        assert await page.locator(".cell").count() > 0
        moved.rename(path)


async def test_a_phone_has_no_sideways_scroll_and_opens_by_touch(tmp_path: Path) -> None:
    """Three columns, filters from below, a tap for one picture."""
    phone = {"has_touch": True, "is_mobile": True}
    async with night(tmp_path, **phone) as (served, browser):
        page = await browser.entered(served)
        await page.set_viewport_size({"width": 360, "height": 780})
        await until(page, "document.documentElement.scrollWidth", 360)
        await page.locator("#filters-button").tap()
        assert await page.locator("#filters").is_visible()
        await page.locator("#filters-button").tap()
        await page.locator("#tile-1").tap()
        await page.locator("#loupe[open] #stage img").wait_for()
        await page.locator("#following").tap()
        await until(page, "location.pathname", "/b/night/p/p02/0")


async def test_a_long_list_has_few_cells(tmp_path: Path) -> None:
    """Its end is one key away."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await served.table.load([planned(f"k{n}", n) for n in range(5000)])
        page = await browser.entered(served)
        await until(page, "document.getElementById('count').textContent", "5,000 tiles")
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("End")
        await page.locator(".key", has_text="k4999").wait_for()
        assert await page.locator(".cell").count() < 120


async def test_everything_has_a_name(tmp_path: Path) -> None:
    """Buttons, fields and tiles, for who does not see them; in light as in dark."""
    kinds = "button, input, select, a, [role=option], [role=img]"
    nameless = f"""
        [...document.querySelectorAll('{kinds}')]
            .filter((one) => one.checkVisibility())
            .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
            .map((one) => one.outerHTML)
    """
    async with night(tmp_path, color_scheme="light") as (served, browser):
        page = await browser.entered(served)
        await page.locator(".cell img.there").first.wait_for()
        assert await page.evaluate(nameless) == []
        await page.get_by_role("option", name="p01, succeeded: a fox, p01").wait_for()
        await (
            page.get_by_role("option", name="p03")
            .and_(page.get_by_role("option", name="unconfirmed"))
            .wait_for()
        )


async def test_who_types_at_once_is_not_interrupted(tmp_path: Path) -> None:
    """The page takes the focus when all of it is there, unless somebody has it already."""
    held = anyio.Event()

    async def late(route: Any) -> None:
        await held.wait()
        await route.continue_()

    async with night(tmp_path) as (served, browser):
        await browser.context.route("**/facets*", late)
        page = await browser.entered(served)
        await page.keyboard.press("/")
        await until(page, "document.activeElement.id", "search")
        await page.keyboard.type("state:")
        held.set()
        await until(
            page, "document.querySelectorAll('#facets details[open] > div:not(:empty)').length", 3
        )  # the last step
        await page.keyboard.type("succeeded")
        assert await page.locator("#search").input_value() == "state:succeeded"
