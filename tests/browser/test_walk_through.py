"""A night of the sample sheet, from its first picture to a sheet of re-rolls that runs: by keyboard alone.

`NIGHTSHEET_SCREENSHOTS=docs/walk-through python -m pytest tests/browser/test_walk_through.py` renews the
pictures of docs/walk-through.md.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from tests.browser.conftest import browsing_within
from tests.browser.test_page import cursor, until

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).parents[2]
SCREENSHOTS = os.environ.get("NIGHTSHEET_SCREENSHOTS")
ENV = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def command(*arguments: str) -> list[str]:
    """The command line of this tree, in a rehearsal."""
    return [sys.executable, "-m", "runner.cli", *arguments, "--emulator"]


async def typed(folder: Path, *arguments: str) -> str:
    """What a command says that ends well."""
    ended = await to_thread.run_sync(
        lambda: subprocess.run(
            command(*arguments), cwd=folder, env=ENV, capture_output=True, text=True, check=False
        )
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@contextmanager
def viewed(folder: Path) -> Iterator[str]:
    """`nightsheet view`, and the link that it prints."""
    view = subprocess.Popen(
        command("view", "first-night", "--no-browser"),
        cwd=folder,
        env=ENV,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert view.stdout is not None
    try:
        said = ""
        while (link := re.search(r"http://\S+", said)) is None:
            line = view.stdout.readline()
            assert line, said
            said += line
        yield link[0]
    finally:
        view.terminate()
        view.stdout.close()
        view.wait(30)


async def shot(page: Any, name: str) -> None:
    """Keep a picture of the page, where somebody asked for it."""
    if SCREENSHOTS:
        folder = ROOT / SCREENSHOTS
        folder.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=folder / f"{name}.jpg", type="jpeg", quality=82)


async def pictures_there(page: Any, selector: str) -> None:
    """Wait until what is on screen is drawn."""
    await until(page, f"[...document.querySelectorAll('{selector}')].every((one) => one.complete)", True)


async def test_from_the_first_picture_to_a_re_roll(tmp_path: Path) -> None:
    """Each picture once, by its key; what is to be made again has its price, and is paid once."""
    shutil.copy(ROOT / "sample_batches" / "first-night.csv", tmp_path)
    await typed(tmp_path, "run", "first-night.csv", "--yes", "--quiet")
    with viewed(tmp_path) as link:
        async with browsing_within(link.partition("/b/")[0] + "/") as browser:
            page = await browser.page(link)
            await until(page, "document.activeElement.id", "grid")
            await until(page, "document.querySelectorAll('.cell img:not(.there)').length", 0)
            press = page.keyboard.press
            await press("p")  # the lighthouse is accepted, and the cursor goes on
            await until(
                page, "document.getElementById('grid').getAttribute('aria-activedescendant')", "tile-1"
            )
            await press("5")
            await press("x")
            await press("r")  # the paper fox is to be made again
            await until(page, "document.querySelectorAll('.cell img:not(.there)').length", 0)
            await shot(page, "grid")
            await press("Enter")
            await page.locator("#loupe[open] #stage img").wait_for()
            await pictures_there(page, "#loupe img")
            await shot(page, "one-picture")
            for key in ("p", "p", "x", "p"):  # the four seasons
                await press(key)
            await press("Escape")
            await until(page, "document.querySelector('dialog[open]') === null", True)
            assert await cursor(page) == "tile-7"
            await press("c")
            await page.locator("#compare[open] img").first.wait_for()
            await pictures_there(page, "#compare img")
            await shot(page, "compare")
            await press("2")
            await page.get_by_text("tea-ritual accepted, 2 rejected.").first.wait_for(state="attached")
            await press("Escape")
            await until(page, "document.querySelector('dialog[open]') === null", True)
            await until(page, "document.getElementById('unsaved').hidden", True)
            await press("w")
            panel = page.get_by_role("dialog", name="Re-rolls")
            await panel.get_by_text("1 job, at most 1 picture, for $0.04.").wait_for()
            await panel.get_by_label("Rows of each").fill("2")
            await panel.get_by_text("2 jobs, at most 2 pictures, for $0.08.").wait_for()
            await shot(page, "re-rolls")
            await panel.get_by_role("button", name="Write the sheet").click()
            await panel.get_by_text("nightsheet run ").wait_for()
    sheet = await anyio.Path(tmp_path / "first-night-rerolls-1.csv").read_text()
    assert "paper-fox-r2" in sheet
    assert "nothing is marked for a re-roll" in await typed(tmp_path, "reroll", "first-night")
    for new in ("2 new pictures", "0 new pictures"):
        assert new in await typed(tmp_path, "run", "first-night-rerolls-1.csv", "--yes")
    assert '"review":{"verdict":"accepted"' in await typed(tmp_path, "export", "first-night")
