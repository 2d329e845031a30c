"""Doubts, failures and money in a real browser: by key, by address, and what their buttons do."""

from pathlib import Path

import pytest

from jobs.attempts import RawAnswer
from jobs.failures import FailureKind
from jobs.outcomes import LeftUnconfirmed
from jobs.pauses import PauseReason
from jobs.states import JobState, Move
from runner.page.access.session import Rights
from tests.browser.conftest import browsing
from tests.browser.test_accessible import violations
from tests.browser.test_deciding import until_decided
from tests.browser.test_page import NASTY, night, until
from tests.support.served_page import Served, served_page
from tests.support.tables import MODEL, failure, planned

pytestmark = pytest.mark.timeout(300)


async def state_of(served: Served, key: str) -> JobState | None:
    """Where a job stands."""
    found = await served.table.store.jobs.by_key(served.table.batch.id, key)
    return None if found is None else found.state


async def test_a_doubt_is_let_go_at_the_second_click(tmp_path: Path) -> None:
    """What can pay is a line to type. The panel has an address, and Esc closes it."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("d")
        panel = page.get_by_role("dialog", name="Unconfirmed")
        await panel.get_by_text("nightsheet review night --attach p03=REQUEST_ID").wait_for()
        await panel.get_by_text("nightsheet review night --resubmit p03").wait_for()
        assert await page.evaluate("location.pathname") == "/b/night/doubts"
        await panel.get_by_role("button", name="Let it go").click()
        assert await state_of(served, "p03") is JobState.UNCONFIRMED
        await panel.get_by_role("button", name="Let it go: sure?").click()
        await panel.get_by_text("p03 let go.").wait_for()
        assert await state_of(served, "p03") is JobState.FAILED
        await page.keyboard.press("Escape")
        await until(page, "location.pathname", "/b/night/")
        await until(page, "document.activeElement.id", "grid")
        await page.goto(f"{served.page.origin}/b/night/failures")
        await page.get_by_role("dialog", name="Failed").get_by_text("discarded: 1 job").wait_for()


async def test_an_id_is_attached_by_a_line_to_type(tmp_path: Path) -> None:
    """Each id that is known has its line; one that a person has found makes one, unless it is no id."""
    async with night(tmp_path) as (served, browser):
        job_id = await served.table.move("p04", Move.CLAIM)
        answer = RawAnswer(502, {}, f'{NASTY} {{"id": "req-x"}}')
        why, at = failure(FailureKind.UNCONFIRMED), served.table.clock.now()
        assert await served.table.store.jobs.apply(LeftUnconfirmed(job_id, why, at, "req-x", answer))
        page = await browser.entered(served, "/b/night/doubts")
        entry = page.get_by_role("region", name="p04")
        await entry.get_by_text("nightsheet review night --attach p04=req-x").wait_for()
        await entry.get_by_text("What was answered (HTTP 502)").click()
        await entry.get_by_text(answer.body).wait_for()
        field = entry.get_by_label("Id of p04 at the API")
        await field.fill("found-7")
        await entry.get_by_text("nightsheet review night --attach p04=found-7").wait_for()
        await field.fill("x; rm -rf ~")
        await entry.get_by_text("This is no id.").wait_for()
        assert "rm -rf" not in await entry.locator("code").all_inner_texts()
        await browser.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await entry.get_by_role("button", name="Copy").first.click()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied == "nightsheet review night --attach p04=req-x"
        assert await violations(page) == []


async def test_the_money_is_told_by_model(tmp_path: Path) -> None:
    """A table that can be read with a keyboard in a small window."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served, "/b/night/account")
        table = page.get_by_role("region", name="By model")
        await table.get_by_role("rowheader", name=MODEL).wait_for()
        cells = await table.get_by_role("cell").all_inner_texts()
        assert cells == ["4", "2", "not known", "$0.12", "$0.00", "$0.12"]
        await page.set_viewport_size({"width": 320, "height": 640})
        assert await page.evaluate("document.documentElement.scrollWidth") == 320
        assert await violations(page) == []


async def test_what_is_free_is_fetched_again(tmp_path: Path) -> None:
    """The others have their price, and their line."""
    async with night(tmp_path) as (served, browser):
        await served.table.bring("p04", JobState.FETCHING)
        await served.table.move("p04", Move.FETCH_FAILED)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("f")
        panel = page.get_by_role("dialog", name="Failed")
        await panel.get_by_text("fetched again: free").first.wait_for()
        await panel.get_by_role("button", name="again, free").first.click()
        await panel.get_by_text("fetched again by the next run, free.").wait_for()
        assert await state_of(served, "p04") is JobState.RUNNING


async def test_a_failure_gets_other_words(tmp_path: Path) -> None:
    """From its message straight to its prompt: it is marked, and comes into the sheet of re-rolls."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        jobs = [planned(key, n, inputs={"prompt": "a fox"}) for n, key in enumerate(("p01", "p02"))]
        await served.table.load(jobs)
        await served.table.bring("p02", JobState.FAILED)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("f")
        await page.get_by_role("button", name="Other words for p02").click()
        form = page.get_by_role("dialog", name="Re-roll with other words")
        await form.get_by_label("Prompt").fill("a gentle fox")
        await form.get_by_role("button", name="Keep these words").click()
        await until_decided(served, {"p02:0": ("reroll", 0, "")})
        await page.keyboard.press("w")
        panel = page.get_by_role("dialog", name="Re-rolls")
        await panel.get_by_text("1 job, at most 1 picture").wait_for()
        assert "gentle" in await panel.locator("ins").inner_text()
        await page.keyboard.press("Escape")
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.keyboard.press("f")
        await page.get_by_role("dialog", name="Failed").wait_for()
        box = await page.locator("#panel").bounding_box()
        assert (box["width"], box["height"]) == (390, 844)


async def test_limits_are_lowered_and_never_raised(tmp_path: Path) -> None:
    """What is refused says why; what waits is cancelled at the second click."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("m")
        panel = page.get_by_role("dialog", name="Money")
        await panel.get_by_label("Budget, USD").fill("5")
        await panel.get_by_role("button", name="Lower").click()
        await panel.get_by_text("Lowered.").wait_for()
        await panel.get_by_label("Budget, USD").fill("6")
        await panel.get_by_role("button", name="Lower").click()
        await panel.get_by_text("budget: not lower than what holds.").wait_for()
        assert (await served.table.store.batches.get(served.table.batch.id)).budget == 5
        browser.wrong = [one for one in browser.wrong if "409" not in one]  # a refusal is told there, too
        await panel.get_by_role("button", name="Cancel all that is not done").click()
        assert await state_of(served, "p29") is JobState.QUEUED
        await panel.get_by_role("button", name="Cancel all that is not done: sure?").click()
        await panel.get_by_text("26 jobs not sent, cancelled.").wait_for()
        assert await state_of(served, "p29") is JobState.CANCELLED


async def test_a_person_pauses_and_goes_on(tmp_path: Path) -> None:
    """By one button. A pause for money has none: it is ended by a line to type."""
    async with night(tmp_path) as (served, browser):
        page = await browser.entered(served)
        await page.get_by_role("button", name="Pause", exact=True).click()
        await page.get_by_text("Paused on the page.").wait_for()
        await page.get_by_role("button", name="Go on").click()
        await page.get_by_role("button", name="Pause", exact=True).wait_for()
        batch = served.table.batch.id
        assert (await served.table.store.batches.get(batch)).paused is None
        await served.table.store.batches.pause(batch, PauseReason.BUDGET, "No money is left.")
        await page.get_by_text("No money is left.").wait_for()
        assert not await page.locator("#pause").is_visible()
        assert "--budget" in await page.locator("#next").inner_text()


async def test_who_may_only_look_has_no_buttons(tmp_path: Path) -> None:
    """And is told the lines all the same."""
    async with (
        served_page(tmp_path, "a", "b", rights=Rights.LOOK) as served,
        browsing(served) as browser,
    ):
        await served.table.bring("a", JobState.UNCONFIRMED)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        assert not await page.locator("#pause").is_visible()
        await page.keyboard.press("d")
        await page.get_by_text("nightsheet review night --discard a").wait_for()
        assert await page.get_by_role("button", name="Let it go").count() == 0
        await page.keyboard.press("Escape")
        await until(page, "document.getElementById('panel').open", False)
        await page.keyboard.press("m")
        await page.get_by_role("dialog", name="Money").get_by_text("Budget", exact=True).wait_for()
        assert await page.get_by_role("button", name="Lower").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_panels_are_for_everybody(tmp_path: Path, scheme: str) -> None:
    """axe finds nothing, on a phone either."""
    async with night(tmp_path, color_scheme=scheme) as (served, browser):
        page = await browser.entered(served)
        await page.set_viewport_size({"width": 390, "height": 844})
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("r")
        await until(page, "document.getElementById('unsaved').hidden", True)
        await until(page, "document.querySelectorAll('.cell')[0].textContent.includes('↻')", True)
        await page.keyboard.press("Home")
        panels = {
            "d": "Unconfirmed",
            "e": "Re-roll with other words",
            "f": "Failed",
            "m": "Money",
            "w": "Re-rolls",
        }
        for key, name in panels.items():
            await page.keyboard.press(key)
            await page.get_by_role("dialog", name=name).wait_for()
            assert await violations(page) == []
            await page.keyboard.press("Escape")
            await until(page, "document.getElementById('panel').open", False)
