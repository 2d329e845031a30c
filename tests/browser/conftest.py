"""A real Chromium, and a page in it that keeps the rules: no error in its console, no request to others."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.served_page import Served

CHROMIUM = os.environ.get("NIGHTSHEET_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WAIT_MS = 60_000


@pytest.fixture(autouse=True)
def chromium() -> None:
    """Skip where there is no browser, or nothing that drives one."""
    pytest.importorskip("playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}: install one, or name it in NIGHTSHEET_CHROMIUM")


@dataclass
class Browsing:
    """A browser with one context, and what its pages did that they should not."""

    context: Any
    wrong: list[str] = field(default_factory=list)

    async def page(self, url: str) -> Any:
        """A new tab, at an address."""
        page = await self.context.new_page()
        page.on("console", lambda message: self._said(message))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.wrong.append(f"dialog: {dialog.message}"))
        await page.goto(url)
        return page

    async def entered(self, served: Served, path: str = "/b/night/") -> Any:
        """A tab that came by a new link, once its first tiles are there."""
        page = await self.page(served.page.link(path))
        await page.locator(".cell").first.wait_for()
        return page

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")


@asynccontextmanager
async def browsing(served: Served, **options: Any) -> AsyncIterator[Browsing]:
    """A Chromium whose pages ask nobody but the page's own server."""
    async with browsing_within(f"{served.page.origin}/", **options) as browser:
        yield browser


@asynccontextmanager
async def browsing_within(place: str, **options: Any) -> AsyncIterator[Browsing]:
    """A Chromium whose pages ask for nothing but what is below an address."""
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        context = await browser.new_context(viewport={"width": 1200, "height": 800}, **options)
        context.set_default_timeout(WAIT_MS)
        found = Browsing(context)

        def asked(request: Any) -> None:
            if not request.url.startswith(place):
                found.wrong.append(f"asked {request.url}")

        context.on("request", asked)
        yield found
        await browser.close()
    assert found.wrong == []
