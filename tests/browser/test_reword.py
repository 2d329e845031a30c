"""Other words for a re-roll in a real browser: typed, held against the old ones, priced, and in the sheet."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from runner.page.access.session import Rights
from tests.browser.conftest import browsing
from tests.browser.test_accessible import violations
from tests.browser.test_deciding import until_decided
from tests.browser.test_page import cursor, until
from tests.support.served_page import served_page
from tests.support.tables import MODEL, planned

pytestmark = pytest.mark.timeout(300)

SERIES = "bytedance/seedream-4-5/sequential"
NASTY = '<img src=x onerror="alert(1)">'
COUNT = "sequential_image_generation_options"


def sheet() -> list[PlannedJob]:
    """One of a model without seeds, a series that has one, and one that is not made yet."""
    return [
        planned("fox", 0, inputs={"prompt": f"A red fox {NASTY} at dawn", "resolution": "2K"}),
        planned(
            "tea",
            1,
            model=SERIES,
            pictures=3,
            inputs={"prompt": "Generate 3 images of tea", "seed": 7, COUNT: 3},
        ),
        planned("later", 2, inputs={"prompt": "A pier"}),
    ]


async def priced(served: Any) -> None:
    """A sheet that was run, but for its last row."""
    await served.table.load(sheet())
    await served.shoot("fox")
    await served.shoot("tea")
    prices = {MODEL: Decimal("0.04"), SERIES: Decimal("0.03")}
    await served.table.store.batches.note_prices(served.table.batch.id, prices)


def written(path: Path) -> list[dict[str, str]]:
    """The rows of a sheet."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


async def test_other_words_come_into_the_sheet(tmp_path: Path) -> None:
    """By keyboard alone: E, type, Ctrl+Enter; the next one comes, and the sheet has what was typed."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await priced(served)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("e")
        panel = page.get_by_role("dialog", name="Re-roll with other words")
        await panel.wait_for()
        assert await page.evaluate("location.pathname") == "/b/night/reword/fox/1"
        assert "has no seed" in await panel.inner_text()
        words = f"A red vixen {NASTY} at dusk"
        await panel.get_by_label("Prompt").fill(words)
        await until(
            page,
            "[...document.querySelectorAll('.words del')].map((one) => one.textContent)",
            ["fox", "dawn"],
        )
        assert await page.evaluate("document.querySelector('.words ins').textContent") == "vixen"
        await panel.get_by_label("Rows").fill("2")
        await panel.get_by_text("2 jobs, at most 2 pictures, for $0.08.").wait_for()
        assert await violations(page) == []
        assert await page.locator("img[src=x]").count() == 0
        await page.keyboard.press("Control+Enter")
        await until_decided(served, {"fox:1": ("reroll", 0, "")})
        await until(page, "location.pathname", "/b/night/")
        assert await cursor(page) == "tile-1"
        await page.keyboard.press("Home")
        await page.locator("#inspector .words ins", has_text="vixen").wait_for()
        await page.keyboard.press("w")
        panel = page.get_by_role("dialog", name="Re-rolls")
        await panel.get_by_text("2 jobs, at most 2 pictures, for $0.08.").wait_for()
        assert "vixen" in await panel.locator("ins").first.inner_text()
        await panel.get_by_role("button", name="Write the sheet").click()
        await panel.get_by_text("Written: ").wait_for()
        rows = written(tmp_path / "night-rerolls-1.csv")
        assert [(row["id"], row["prompt"], row["size"]) for row in rows] == [
            ("fox-r1", words, "2K"),
            ("fox-r2", words, "2K"),
        ]


async def test_a_series_has_a_seed_and_other_inputs(tmp_path: Path) -> None:
    """Its price is that of all its pictures; it is changed from the list, and opened by its address."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await priced(served)
        page = await browser.entered(served, "/b/night/reword/tea/1")
        panel = page.get_by_role("dialog", name="Re-roll with other words")
        await panel.get_by_text("1 job, at most 3 pictures, for $0.03 to $0.09.").wait_for()
        await panel.get_by_role("combobox", name="Seed").select_option("number")
        await panel.get_by_label("Seed, as a number").fill("12")
        await panel.get_by_text("Other inputs").click()
        await panel.get_by_label("count").select_option("2")
        await panel.get_by_text("1 job, at most 2 pictures, for $0.03 to $0.06.").wait_for()
        assert await violations(page) == []
        await panel.get_by_role("button", name="Keep these words").click()
        await panel.get_by_text("3 images").first.wait_for()  # the prompt says another number: that is told
        await panel.get_by_role("status").get_by_text("2 are asked for").wait_for()
        await until_decided(served, {"tea:1": ("reroll", 0, "")})
        await page.keyboard.press("Escape")
        await page.keyboard.press("w")
        await page.get_by_role("button", name="Other words for tea:1").click()
        await panel.get_by_label("Prompt").fill("Generate 2 images of green tea")
        await panel.get_by_role("button", name="Keep these words").click()
        panel = page.get_by_role("dialog", name="Re-rolls")
        await panel.get_by_text("1 job, at most 2 pictures, for $0.03 to $0.06.").wait_for()
        await panel.get_by_role("button", name="Write the sheet").click()
        await panel.get_by_text("Written: ").wait_for()
        (row,) = written(tmp_path / "night-rerolls-1.csv")
        assert (row["prompt"], row["seed"], row["count"]) == ("Generate 2 images of green tea", "12", "2")


async def test_what_a_sheet_cannot_say_is_refused_at_once(tmp_path: Path) -> None:
    """With the reason, and what was typed still there; what is still to come has no other words."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await priced(served)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("e")
        panel = page.get_by_role("dialog", name="Re-roll with other words")
        await panel.get_by_label("Prompt").fill(" ")
        await panel.get_by_role("button", name="Keep these words").click()
        await page.locator("#panel-told", has_text="A sheet cannot say this re-roll: prompt").wait_for()
        assert await panel.get_by_label("Prompt").input_value() == " "
        browser.wrong = [one for one in browser.wrong if "409" not in one]
        await page.keyboard.press("Escape")
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("End")
        await page.keyboard.press("e")
        await page.locator("#told", has_text="later cannot be made once more: it is queued").wait_for()
        browser.wrong = [one for one in browser.wrong if "404" not in one]
        await until_decided(served, {})


async def test_the_same_words_again(tmp_path: Path) -> None:
    """What was typed is taken away; the picture stays marked."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await priced(served)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("Enter")
        await page.locator("#loupe[open] #stage img").wait_for()
        await page.keyboard.press("e")
        panel = page.get_by_role("dialog", name="Re-roll with other words")
        await panel.get_by_label("Prompt").fill("A hen")
        await page.keyboard.press("Control+Enter")
        await until_decided(served, {"fox:1": ("reroll", 0, "")})
        await until(page, "location.pathname", "/b/night/p/tea/1")  # one picture stays open, at the next one
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("e")
        await until(page, "document.getElementById('reword-prompt')?.value", "A hen")
        await panel.get_by_role("button", name="The same words again").click()
        await panel.get_by_text("fox: the same words again.").wait_for()
        assert await panel.get_by_label("Prompt").input_value() == f"A red fox {NASTY} at dawn"
        job = await served.table.job("fox")
        assert await served.table.store.rerolls.words([job.id]) == {}


async def test_who_may_only_look_changes_no_words(tmp_path: Path) -> None:
    """It is told; the address shows them, without a button."""
    async with served_page(tmp_path, rights=Rights.LOOK) as served, browsing(served) as browser:
        await priced(served)
        page = await browser.entered(served, "/b/night/reword/fox/1")
        await page.get_by_role("dialog", name="Re-roll with other words").wait_for()
        assert await page.get_by_role("button", name="Keep these words").count() == 0
        await page.keyboard.press("Escape")
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("e")
        await page.locator("#told", has_text="This page may only look").wait_for()
        found = await served.table.store.jobs.by_key(served.table.batch.id, "fox")
        assert found is not None
        assert found.state is JobState.SUCCEEDED
