"""By keyboard alone: every part of every panel is reached and shows it, Esc leaves, and nothing is a trap."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.pauses import PauseReason
from jobs.states import JobState
from tests.browser.conftest import browsing
from tests.browser.test_accessible import violations
from tests.browser.test_deciding import until_decided
from tests.browser.test_page import night, until
from tests.support.served_page import Served, png, served_page
from tests.support.tables import planned

pytestmark = pytest.mark.timeout(300)

DIALOGS = {
    "d": "Unconfirmed",
    "f": "Failed",
    "w": "Re-rolls",
    "m": "Money",
    "e": "Re-roll with other words",
    "?": "Keys",
    "c": "Compare",
    "Enter": "One picture",
}
NAMED = "(one) => [one.localName, one.id, one.getAttribute('aria-label') ?? one.textContent].join(' ')"
FOCUSABLE = f"""
    [...(document.querySelector('dialog[open]') ?? document)
        .querySelectorAll('button, a[href], input, select, textarea, summary, [tabindex="0"]')]
        .filter((one) => one.checkVisibility({{visibilityProperty: true}}) && !one.disabled)
        .map({NAMED})
"""
HERE = f"({NAMED})(document.activeElement)"
SHOWN = """
    (() => {
        const here = document.activeElement;
        const cell = here.id === 'grid' ? here.querySelector('[aria-selected=true]') : null;
        const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(cell ?? here);
        const ring = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 3;
        const box = here.getBoundingClientRect();
        const seen = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
        return (ring || (cell && boxShadow.includes('3px'))) && seen ? '' : here.outerHTML.slice(0, 200);
    })()
"""
SMALL_TARGETS = """
    (least) => [...(document.querySelector('dialog[open]') ?? document)
        .querySelectorAll('button, input, select, textarea, summary')]
        .filter((one) => one.checkVisibility({visibilityProperty: true}) && one.type !== 'checkbox')
        .map((one) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
        .filter(([, box]) => box.height < least || box.width < 24)
        .map(([html, box]) => `${html} ${Math.round(box.width)}x${Math.round(box.height)}`)
"""
SIDEWAYS = """
    [document.documentElement, ...document.querySelectorAll('dialog[open]')]
        .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.id || one.localName)
"""


async def busy(served: Served) -> None:
    """A night with something in every panel: pictures, a failure, a doubt, a re-roll, and a pause."""
    inputs = {"prompt": "a fox in a long coat, by the window of a house by the sea"}
    jobs = [planned(key, n, inputs=inputs, columns={"product": "fox"}) for n, key in enumerate("abcdef")]
    await served.table.load(jobs)
    await served.shoot("a")
    await served.shoot("b", png((10, 90, 40)))
    await served.table.bring("c", JobState.FAILED)
    await served.table.bring("d", JobState.UNCONFIRMED)
    await served.table.store.batches.pause(served.table.batch.id, PauseReason.PERSON, "Enough.")


async def walked(page: Any) -> None:
    """The Tab key goes to each part, and each shows that it has the focus."""
    every = await page.evaluate(FOCUSABLE)
    assert every
    parts = set(every)
    reached, dark = set(), []
    with anyio.fail_after(90):
        for _ in range(len(every) + 3):  # beyond the last one lies the browser itself
            await page.keyboard.press("Tab")
            reached.add(await page.evaluate(HERE))
            if await page.evaluate("document.activeElement !== document.body"):
                dark.append(await page.evaluate(SHOWN))
    assert parts - reached == set()
    assert [one for one in dark if one] == []


async def marked(page: Any) -> None:
    """The picture under the cursor is to be made again."""
    await page.keyboard.press("r")
    await page.keyboard.press("ArrowLeft")


@pytest.mark.parametrize("size", [(1200, 800), (320, 640)], ids=["desk", "320"])
async def test_every_dialog_is_walked_and_left(tmp_path: Path, size: tuple[int, int]) -> None:
    """All of it is reached, in sight and large enough; Esc gives the focus back to where it was."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await busy(served)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await marked(page)
        await until_decided(served, {"a:1": ("reroll", 0, "")})
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        for key, name in DIALOGS.items():
            await page.keyboard.press(key)
            dialog = page.get_by_role("dialog", name=name, exact=True)
            await dialog.wait_for()
            await walked(page)
            assert await page.evaluate(SMALL_TARGETS, 24 if size[0] > 700 else 44) == [], name
            assert await page.evaluate(SIDEWAYS) == [], name
            assert await violations(page) == [], name
            await page.keyboard.press("Escape")
            await dialog.wait_for(state="hidden")
            await until(page, "document.activeElement.id", "grid")


async def test_the_page_itself_is_walked(tmp_path: Path) -> None:
    """Head, search, filters, grid, details and their note; the last is followed by the first."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await busy(served)
        page = await browser.entered(served)
        await page.locator("#facets details[open] .value").first.wait_for()
        await until(page, "document.activeElement.id", "grid")
        await walked(page)
        assert await page.evaluate(SMALL_TARGETS, 24) == []


async def test_the_focus_goes_back_to_the_button_that_opened(tmp_path: Path) -> None:
    """To a button in the head, not to the grid: who tabs goes on from there."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        for button, key, name in (("help-button", "Enter", "Keys"), ("inspector-button", "m", "Money")):
            await page.locator(f"#{button}").focus()
            await page.keyboard.press(key)
            dialog = page.get_by_role("dialog", name=name)
            await dialog.wait_for()
            await page.keyboard.press("Escape")
            await dialog.wait_for(state="hidden")
            await until(page, "document.activeElement.id", button)


async def test_the_page_may_change_under_the_focus(tmp_path: Path) -> None:
    """A verdict by a button, and all that a run does meanwhile: who tabs stays where they are."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await busy(served)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.locator("#inspector button", has_text="accepted").focus()
        await page.keyboard.press("Enter")
        await until_decided(served, {"a:1": ("accepted", 0, "")})
        text = "document.activeElement.textContent"
        await until(page, text, "✓ accepted")
        for place, key in (("#inspector button", "e"), ("#facts .chip", "f")):
            if place != "#inspector button":
                await page.locator(place).first.focus()
            before = await page.evaluate(text)
            count = await page.locator("#facts").inner_text()
            await served.shoot(key, png((key == "e", 9, 9)))
            await until(page, f"document.getElementById('facts').innerText === {count!r}", False)
            await until(page, text, before)


async def test_what_letters_do_has_a_button(tmp_path: Path) -> None:
    """Where letters are switched off, and on a phone: the list of keys is one of buttons."""
    async with served_page(tmp_path) as served, browsing(served, has_touch=True) as browser:
        await busy(served)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.set_viewport_size({"width": 390, "height": 844})
        for what, name in (("failed", "Failed"), ("money", "Money"), ("compare", "Compare")):
            await page.locator("#help-button").tap()
            keys = page.get_by_role("dialog", name="Keys")
            await keys.get_by_role("button", name=what, exact=True).tap()
            await page.get_by_role("dialog", name=name).wait_for()
            await page.keyboard.press("Escape")
            await page.get_by_role("dialog", name=name).wait_for(state="hidden")


async def test_a_panel_that_is_read_again_keeps_the_focus_inside(tmp_path: Path) -> None:
    """What was clicked is gone; it is said what came of it, and Tab goes on in the panel."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await busy(served)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("d")
        await page.get_by_role("button", name="Let it go").focus()
        await page.keyboard.press("Enter")
        await until(page, "document.querySelector('#panel > .spoken').textContent", "Let it go: sure?")
        await page.keyboard.press("Enter")
        await page.get_by_role("status").get_by_text("d let go.").wait_for()
        await until(page, "document.activeElement.id", "panel-title")
        await walked(page)


async def test_own_pixels_are_walked_by_letters(tmp_path: Path) -> None:
    """H J K L go about in the picture; the arrows still go to the next one."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await served.table.load([planned(key, n) for n, key in enumerate(("a", "b"))])
        for number, key in enumerate(("a", "b")):
            await served.shoot(key, png((number, 1, 1), (4000, 3000)))
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("Enter")
        await page.locator("#stage img").wait_for()
        await page.keyboard.press("z")
        await until(page, "document.querySelector('#stage img').naturalWidth", 4000)
        was = await page.evaluate("document.getElementById('stage').scrollLeft")
        await page.keyboard.press("l")
        await until(page, f"document.getElementById('stage').scrollLeft > {was}", True)
        await page.keyboard.press("ArrowRight")
        await page.locator("#caption-text", has_text="b ·").wait_for()


@pytest.mark.parametrize("dress", [{"forced_colors": "active"}, {"reduced_motion": "reduce"}], ids=str)
async def test_other_dresses(tmp_path: Path, dress: dict[str, Any]) -> None:
    """With forced colours the cursor is an outline; where motion is unwanted nothing moves."""
    async with served_page(tmp_path) as served, browsing(served, **dress) as browser:
        await busy(served)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        if "forced_colors" in dress:
            style = "getComputedStyle(document.querySelector('.cell[aria-selected=true]'))"
            assert await page.evaluate(f"[{style}.outlineStyle, {style}.outlineWidth]") == ["solid", "3px"]
        else:
            moving = """
                [...document.querySelectorAll('*')].map((one) => getComputedStyle(one)).filter(
                    (one) => parseFloat(one.transitionDuration) || one.animationName !== 'none').length
            """
            assert await page.evaluate(moving) == 0
        await walked(page)
