"""How soon the page is there, and how often it asks. `benchmarks/page.py` has the figures to reach."""

from collections import Counter
from pathlib import Path

import pytest

from tests.browser.test_page import night, until

pytestmark = pytest.mark.timeout(300)
"""A browser on a busy machine takes its time to begin."""


async def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    """On opening. A group of values that is open tells so a moment later, when it was asked for long ago."""
    async with night(tmp_path) as (served, browser):
        asked = Counter[str]()
        browser.context.on("request", lambda request: asked.update([request.url]))
        page = await browser.entered(served)
        await until(page, "document.querySelectorAll('#facets details[open] > div:not(:empty)').length", 3)
        await until(page, "document.activeElement.id", "grid")
        await page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done)))")
        assert {address: many for address, many in asked.items() if many > 1} == {}
