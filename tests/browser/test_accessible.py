"""For everybody: axe-core finds nothing in any dress of the page, and nothing is lost in a small window.

axe-core is read out of a package and given to the browser by its driver: the page's own policy stays on.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.pauses import PauseReason
from tests.browser.conftest import browsing
from tests.browser.test_page import night, until
from tests.support.served_page import served_page

pytestmark = pytest.mark.timeout(300)

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALL = (320, 640)
"""Pixels: a window of 1280 at 400 %, which WCAG 2.2 asks for (1.4.10)."""


@cache
def axe() -> str:
    """axe-core, as one script."""
    pytest.importorskip("axe_playwright_python")
    return (files("axe_playwright_python") / "axe.min.js").read_text()


async def violations(page: Any) -> list[str]:
    """What axe-core finds, as sentences: the rule, and what broke it."""
    await page.evaluate(f"() => {{ {axe()} }}")
    told = await page.evaluate(
        "async (tags) => JSON.stringify((await axe.run(document, {runOnly: tags})).violations)", RULES
    )
    return [
        f"{found['id']}: {found['help']} - {node['html'][:200]}: {node['failureSummary']}"
        for found in json.loads(told)
        for node in found["nodes"]
    ]


async def settled(page: Any) -> None:
    """Wait until what is on screen is there, and has its full colours."""
    await page.locator(".cell img.there").first.wait_for()
    await until(page, "document.querySelectorAll('.cell .waiting, .cell img:not(.there)').length", 0)
    await until(page, "document.getAnimations().length", 0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1200, 800), (390, 844), SMALL], ids=["desk", "phone", "320"])
async def test_axe_finds_nothing(tmp_path: Path, scheme: str, size: tuple[int, int]) -> None:
    """In the grid with its search's problem, in each dialog, and with one picture large."""
    async with night(tmp_path, color_scheme=scheme) as (served, browser):
        await served.table.store.batches.pause(served.table.batch.id, PauseReason.PERSON, "Enough.")
        page = await browser.entered(served)
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await settled(page)
        assert await violations(page) == []
        await page.keyboard.press("/")
        await page.keyboard.type("stat:failed")
        await page.get_by_text("Did you mean state?").wait_for()
        await page.locator("#facets summary", has_text="product").click()
        await page.locator(".value", has_text="fox").wait_for()
        assert await violations(page) == []
        await page.locator("#search").fill("")
        await until(page, "document.getElementById('count').textContent", "30 tiles")
        await page.locator("#grid").focus()
        await settled(page)
        await page.keyboard.press("?")
        await page.get_by_role("dialog", name="Keys").wait_for()
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        await until(page, "document.querySelector('dialog[open]') === null", True)
        await page.keyboard.press("Enter")
        await page.locator("#loupe[open] #stage img").wait_for()
        assert await violations(page) == []


async def test_axe_finds_what_is_wrong(tmp_path: Path) -> None:
    """A search that cannot find anything finds nothing, too."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await page.evaluate("document.getElementById('search').labels[0].remove()")
        await page.evaluate("document.getElementById('search').placeholder = ''")
        await page.evaluate("document.getElementById('count').style.color = '#888'")
        found = await violations(page)
        assert {one.split(":")[0] for one in found} >= {"label", "color-contrast"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_list_of_batches_is_for_everybody(tmp_path: Path, scheme: str) -> None:
    """Where there are some, and where there is none."""
    async with served_page(tmp_path) as served, browsing(served, color_scheme=scheme) as browser:
        page = await browser.page(served.page.link())
        await page.get_by_role("link", name="night", exact=True).wait_for()
        assert await violations(page) == []


@pytest.mark.parametrize("size", [SMALL, (600, 400)], ids=["400 %", "200 %"])
async def test_nothing_is_lost_in_a_small_window(tmp_path: Path, size: tuple[int, int]) -> None:
    """No sideways scroll, in no state; every button is inside the window, and large enough for a thumb."""
    sideways = "document.documentElement.scrollWidth - innerWidth"
    outside = """
        [...document.querySelectorAll('button, input, select, a')]
            .filter((one) => one.checkVisibility({visibilityProperty: true}))
            .filter((one) => !one.closest('#grid, .command'))
            .map((one) => [one.outerHTML.slice(0, 100), one.getBoundingClientRect()])
            .filter(([, box]) => box.left < 0 || box.right > innerWidth + 0.5 || box.height < 24)
            .map(([html, box]) => `${html} ${JSON.stringify(box)}`)
    """
    async with night(tmp_path) as (served, browser):
        await served.table.store.batches.pause(served.table.batch.id, PauseReason.PERSON, "Enough.")
        page = await browser.entered(served)
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await settled(page)
        assert await page.evaluate(sideways) <= 0
        assert await page.evaluate(outside) == []
        await page.locator("#filters-button").click()
        await page.locator("#facets summary", has_text="product").wait_for()
        assert await page.evaluate(sideways) <= 0
        await page.locator("#filters-button").click()
        await page.locator("#inspector-button").click()
        await page.locator("#inspector h2").wait_for()
        assert await page.evaluate(sideways) <= 0
        await page.locator("#grid").focus()
        await page.keyboard.press("?")
        await page.get_by_role("dialog", name="Keys").wait_for()
        assert await page.evaluate(sideways) <= 0
        await page.keyboard.press("Escape")
        await until(page, "document.querySelector('dialog[open]') === null", True)
        await page.keyboard.press("Enter")
        await page.locator("#loupe[open] #stage img").wait_for()
        assert await page.evaluate(outside) == []


async def test_the_grid_is_left_by_the_tab_key(tmp_path: Path) -> None:
    """All by keyboard, and no trap: forward from the search to the grid and on, with the focus shown."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await settled(page)
        await page.locator("#search").focus()
        seen = []
        with anyio.fail_after(60):
            while "inspector" not in seen:
                await page.keyboard.press("Tab")
                where = "document.activeElement.closest('#inspector, [id]')?.id"
                seen.append(await page.evaluate(where))
        assert "grid" in seen
