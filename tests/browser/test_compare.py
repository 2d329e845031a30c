"""Two to four pictures side by side: chosen, zoomed together, and one of them wins."""

import re
from pathlib import Path
from typing import Any

import pytest

from jobs.review.decisions import DecisionSource, DecisionWish, Verdict
from jobs.review.rerolls import MadeReroll
from jobs.views import BatchView
from tests.browser.conftest import browsing
from tests.browser.test_accessible import violations
from tests.browser.test_page import night, until
from tests.support.served_page import Served, png, served_page
from tests.support.tables import ORIGIN, planned

pytestmark = pytest.mark.timeout(300)

KEYS = "[...document.querySelectorAll('#compare figcaption .key')].map((one) => one.textContent)"
FOCUSABLE = """
    [...document.querySelectorAll('#compare :is(button, a, select, input)')]
        .filter((one) => one.checkVisibility() && !one.disabled)
        .map((one) => one.outerHTML)
"""
SPOKEN = "document.querySelector('#compare > .spoken').textContent"
TRANSFORMS = "new Set([...document.querySelectorAll('#compare img')].map((one) => one.style.transform)).size"


async def shot(served: Served, *keys: str) -> None:
    """Let these jobs have pictures, each of its own colour."""
    for number, key in enumerate(keys):
        await served.shoot(key, png((40 * number, 60, 40)))


async def verdicts(served: Served) -> dict[str, Any]:
    """What is decided, by key."""
    found = await served.table.store.decisions.of_batch(served.table.batch.id)
    return {key: every[0].verdict for key, every in found.items()}


async def decided(served: Served, page: Any, wanted: dict[str, Any]) -> None:
    """Wait until this is kept."""
    while await verdicts(served) != wanted:
        await page.wait_for_timeout(50)


async def shot_in(served: Served, batch: BatchView, key: str) -> None:
    """Let a job of another batch have a picture."""
    served.table.batch, before = batch, served.table.batch
    await shot(served, key)
    served.table.batch = before


async def loaded(served: Served, folder: Path, key: str) -> BatchView:
    """A batch with the re-roll of a job: it is marked, written and loaded."""
    store, night = served.table.store, served.table.batch
    wish = DecisionWish(key, {"verdict": Verdict.REROLL})
    await store.decisions.decide(night.id, [wish], DecisionSource.CLI)
    (marked,) = await store.rerolls.marked(night.id)
    sheet = folder / "night-rerolls-1.csv"
    new = f"{key}-r1"
    await store.rerolls.make(str(sheet), [MadeReroll(marked, (new,), "new", 1)])
    again = [planned(new, columns={"reroll_of": key, "again": sheet.stem})]
    batch, _ = await store.batches.load(name=sheet.stem, sheet=sheet, origin=ORIGIN, planned=again)
    return batch


async def rerolled(served: Served, folder: Path, key: str) -> BatchView:
    """The same, with its picture."""
    batch = await loaded(served, folder, key)
    await shot_in(served, batch, f"{key}-r1")
    return batch


async def test_the_marked_are_compared_and_one_wins(tmp_path: Path) -> None:
    """It is accepted, the others are rejected; all of it is undone like any verdict."""
    async with served_page(tmp_path, "a", "b", "c", "d") as served, browsing(served) as browser:
        await shot(served, "a", "b", "c")
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        for key in ("s", "ArrowRight", "ArrowRight", "s", "c"):
            await page.keyboard.press(key)
        await page.get_by_role("dialog", name="Compare").wait_for()
        assert await page.evaluate(KEYS) == ["a", "c"]
        assert await page.evaluate("location.pathname") == "/b/night/compare"
        await page.reload()  # the address has both, whatever is marked
        await until(page, KEYS, ["a", "c"])
        await page.keyboard.press("2")
        await decided(served, page, {"c": "accepted", "a": "rejected"})
        await until(page, KEYS, ["a · rejected", "c · accepted"])
        await page.keyboard.press("Escape")
        await until(page, "document.activeElement.id", "grid")
        assert await page.evaluate("location.pathname") == "/b/night/"
        await page.keyboard.press("Control+z")  # one key took both, and one takes both back
        await decided(served, page, {})


async def test_without_marks_the_next_one_stands_beside_it(tmp_path: Path) -> None:
    """The arrows change the right one; a job without a picture is passed over, and the ends are ends."""
    async with served_page(tmp_path, "a", "b", "c", "d") as served, browsing(served) as browser:
        await shot(served, "a", "c", "d")
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("c")
        await until(page, KEYS, ["a", "c"])
        await page.keyboard.press("ArrowRight")
        await until(page, KEYS, ["a", "d"])
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowLeft")
        await until(page, KEYS, ["a", "c"])
        await page.keyboard.press("3")
        assert await verdicts(served) == {}
        assert await violations(page) == []
        await page.keyboard.press("c")
        await until(page, "document.getElementById('compare').open", False)


async def test_all_are_zoomed_and_moved_together(tmp_path: Path) -> None:
    """Own pixels come once somebody looks closer; nothing is moved out of sight."""
    async with served_page(tmp_path, "a", "b") as served, browsing(served) as browser:
        await shot(served, "a", "b")
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("c")
        await until(page, KEYS, ["a", "b"])
        for key in ("+", "+", "+", "+", "h", "j"):
            await page.keyboard.press(key)
        assert await page.evaluate(TRANSFORMS) == 1
        first = "document.querySelector('#compare img').style.transform"
        assert "scale(2.4" in await page.evaluate(first)
        assert "translate(10%, -10%)" in await page.evaluate(first)
        await until(
            page,
            "[...document.querySelectorAll('#compare img')].every((one) => one.src.includes('/p/'))",
            True,
        )
        box = await page.locator("#compare .frame").first.bounding_box()
        await page.mouse.move(box["x"] + 100, box["y"] + 100)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 160, box["y"] + 130)
        await page.mouse.up()
        assert "translate(10%, -10%)" not in await page.evaluate(first)
        for _ in range(12):
            await page.keyboard.press("-")
        assert await page.evaluate(first) == "translate(0%, 0%) scale(1)"


async def test_one_picture_alone_is_compared_with_nothing(tmp_path: Path) -> None:
    """It is told how to choose."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("End")
        await page.keyboard.press("c")
        await page.locator("#told", has_text="mark two to four with S").wait_for()
        assert not await page.evaluate("document.getElementById('compare').open")


async def test_an_empty_list_is_compared_with_nothing(tmp_path: Path) -> None:
    """Nothing is asked of the server for it: the console stays clean."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        page = await browser.page(served.page.link("/b/night/"))
        await page.get_by_text("This batch has no jobs.").wait_for()
        for key in ("e", "r", "Enter", "c"):
            await page.keyboard.press(key)
        await page.locator("#told", has_text="nothing to compare").wait_for()
        assert await page.locator("#trouble").is_hidden()


async def test_a_re_roll_stands_beside_its_original(tmp_path: Path) -> None:
    """From either of them, in whatever batches they are; the better one wins, in the table of each."""
    async with served_page(tmp_path, "a", "b") as served, browsing(served) as browser:
        await shot(served, "a", "b")
        night = served.table.batch
        new = await loaded(served, tmp_path, "a")
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("c")
        await until(page, KEYS, ["a · reroll", "b"])  # it is not made yet: the next one
        await page.keyboard.press("Escape")
        await shot_in(served, new, "a-r1")
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("c")
        await until(page, KEYS, ["a · reroll", "a-r1 in night-rerolls-1"])
        assert await violations(page) == []
        await page.keyboard.press("ArrowRight")  # what is in no list has no next one
        assert await page.evaluate(KEYS) == ["a · reroll", "a-r1 in night-rerolls-1"]
        page = await browser.entered(served, f"/b/{new.name}/")
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("c")
        await until(page, KEYS, ["a-r1", "a in night · reroll"])
        await page.reload()
        await until(page, KEYS, ["a-r1", "a in night · reroll"])
        await page.keyboard.press("1")
        await until(page, KEYS, ["a-r1 · accepted", "a in night · rejected"])
        await decided(served, page, {"a": "rejected"})
        served.table.batch = new
        await decided(served, page, {"a-r1": "accepted"})
        await until(page, SPOKEN, "a-r1 accepted, 1 rejected. Ctrl+Z takes it back.")
        await page.keyboard.press("Control+z")
        await until(page, KEYS, ["a-r1", "a in night · reroll"])
        await until(page, SPOKEN, "2 pictures: taken back.")
        await decided(served, page, {})
        served.table.batch = night
        await decided(served, page, {"a": "reroll"})
        await page.keyboard.press("Control+Shift+z")
        await decided(served, page, {"a": "rejected"})
        await page.keyboard.press("Escape")
        await page.keyboard.press("Control+z")  # from the grid as well, where the other one is not seen
        await decided(served, page, {"a": "reroll"})
        served.table.batch = new
        await decided(served, page, {})


async def test_a_verdict_elsewhere_outlives_the_server(tmp_path: Path) -> None:
    """It is kept in the browser, told as not saved, and sent by whichever page comes next."""
    async with served_page(tmp_path, "a") as served, browsing(served) as browser:
        await shot(served, "a")
        new = await rerolled(served, tmp_path, "a")
        page = await browser.entered(served, f"/b/{new.name}/")
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("c")
        await until(page, KEYS, ["a-r1", "a in night · reroll"])
        away = re.compile("/api/night/decisions")
        await page.route(away, lambda route: route.fulfill(status=503, json={"error": "Busy."}))
        await page.keyboard.press("1")
        await page.locator("#unsaved", has_text="1 decision not saved").wait_for()
        browser.wrong.clear()  # the browser writes of each 503
        await page.unroute(away)
        page = await browser.entered(served, f"/b/{new.name}/")
        await decided(served, page, {"a": "rejected"})


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_comparing_is_for_everybody(tmp_path: Path, scheme: str) -> None:
    """axe finds nothing, on a phone either; the Tab key reaches each part of it, Esc leaves it."""
    async with (
        served_page(tmp_path, "a", "b") as served,
        browsing(served, color_scheme=scheme) as browser,
    ):
        await shot(served, "a", "b")
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        for size in ((1200, 800), (390, 844)):
            await page.set_viewport_size({"width": size[0], "height": size[1]})
            await page.keyboard.press("c")
            dialog = page.get_by_role("dialog", name="Compare")
            await dialog.wait_for()
            await until(page, KEYS, ["a", "b"])
            assert await violations(page) == []
            there = await page.evaluate(FOCUSABLE)
            assert there
            reached = set()
            for _ in range(len(there) + 2):  # beyond the last one lies the browser itself
                await page.keyboard.press("Tab")
                reached.add(await page.evaluate("document.activeElement.outerHTML"))
            assert set(there) <= reached
            await page.keyboard.press("Escape")
            await until(page, "document.activeElement.id", "grid")
