"""Keys that come faster than the details of their pictures: each is about the one it was pressed on."""

import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.states import JobState
from tests.browser.test_deciding import deciding, until_decided
from tests.browser.test_page import KEYS, cursor, sheet, until
from tests.browser.test_states import forgive

pytestmark = pytest.mark.timeout(300)
ITEMS = re.compile(r".*/items\?.*")


@pytest.fixture
def keys() -> list[str]:
    """More jobs than a screen and what is kept beside it."""
    return [f"r{number:03d}" for number in range(400)]


async def far_down(page: Any) -> None:
    """Put the cursor where no details are yet."""
    await page.keyboard.press("End")
    await page.keyboard.press("Home")
    await until(page, "document.activeElement.id", "grid")


async def test_a_key_is_about_the_picture_that_it_was_pressed_on(tmp_path: Path, keys: list[str]) -> None:
    """Also where its details come late, and somebody has gone elsewhere since."""
    async with deciding(tmp_path, "grid") as (served, browser, page):
        await served.table.load(sheet(*KEYS, *keys))
        await page.reload()
        await page.locator(".cell img.there").first.wait_for()
        await until(page, "document.getElementById('count').textContent", "430 tiles")
        go_on = anyio.Event()

        async def late(route: Any) -> None:
            await go_on.wait()
            await route.continue_()

        await browser.context.route(ITEMS, late)
        await page.keyboard.press("End")
        last = await cursor(page)
        for _ in range(3):
            await page.keyboard.press("ArrowLeft")
        for key in "pxp":
            await page.keyboard.press(key)
        assert await cursor(page) == last, "the cursor does not wait"
        await page.keyboard.press("Home")
        await page.keyboard.press("Control+z")  # of the last of them, which is not there yet
        go_on.set()
        await until_decided(served, {"r396:0": ("accepted", 0, ""), "r397:0": ("rejected", 0, "")})
        await page.keyboard.press("Control+Shift+z")
        await until_decided(
            served,
            {"r396:0": ("accepted", 0, ""), "r397:0": ("rejected", 0, ""), "r398:0": ("accepted", 0, "")},
        )


async def test_a_key_waits_while_details_cannot_be_had(tmp_path: Path, keys: list[str]) -> None:
    """It says so, is tried again, and the keys behind it are about their own pictures."""
    async with deciding(tmp_path, "grid") as (served, browser, page):
        await served.table.load(sheet(*KEYS, *keys))
        await page.reload()
        await page.locator(".cell img.there").first.wait_for()
        await until(page, "document.getElementById('count').textContent", "430 tiles")
        refusing = True

        async def refuse(route: Any) -> None:
            if refusing:
                await route.fulfill(status=503, json={"error": "Busy."})
            else:
                await route.continue_()

        await browser.context.route(ITEMS, refuse)
        await page.keyboard.press("End")
        await page.keyboard.press("ArrowLeft")
        for key in "px":
            await page.keyboard.press(key)
        await until(page, "document.getElementById('unsaved').textContent.includes('2 decisions')", True)
        refusing = False
        await until_decided(served, {"r398:0": ("accepted", 0, ""), "r399:0": ("rejected", 0, "")})
        await until(page, "document.getElementById('unsaved').hidden", True)
        forgive(browser, "503")


async def test_what_was_decided_off_screen_is_seen_again(tmp_path: Path, keys: list[str]) -> None:
    """The table has been read since, and the details from before are kept no longer; undo goes back to it."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        await served.table.load(sheet(*KEYS, *keys))
        await page.reload()
        await page.locator(".cell img.there").first.wait_for()
        await until(page, "document.getElementById('count').textContent", "430 tiles")
        await page.keyboard.press("p")
        await until_decided(served, {"p00:1": ("accepted", 0, "")})
        await page.keyboard.press("End")
        await until(page, "document.getElementById('tile-0')", None)
        async with page.expect_response(re.compile(r".*/tiles.*")):
            await served.table.bring("p05", JobState.FAILED)
        await until(page, "document.getElementById('tally').textContent.includes('✓ 1')", True)
        await page.keyboard.press("Home")
        await until(page, "document.querySelector('#tile-0 .verdict')?.textContent.trim() ?? ''", "✓")
        await page.keyboard.press("x")
        await until_decided(served, {"p00:1": ("rejected", 0, "")})
        await page.keyboard.press("Control+z")
        await until_decided(served, {"p00:1": ("accepted", 0, "")})


async def test_a_browser_that_takes_no_more_addresses_takes_keys(tmp_path: Path) -> None:
    """Some allow so many changes in some seconds: the address comes later, and no key is lost."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        await page.evaluate(
            """() => {
                window.own = history.replaceState;
                history.replaceState = () => { throw new DOMException('too many', 'SecurityError'); };
            }"""
        )
        for key in "pxp":
            await page.keyboard.press(key)
        await until_decided(
            served,
            {"p00:1": ("accepted", 0, ""), "p01:1": ("rejected", 0, ""), "p02:0": ("accepted", 0, "")},
        )
        before = await page.evaluate("location.search")
        await page.evaluate("() => { history.replaceState = window.own; }")
        await until(page, f"location.search !== {json.dumps(before)}", True)
