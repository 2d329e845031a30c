"""A gallery in a real browser, from the disk: no server, no request to anybody, 100,000 pictures."""

import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs.datasets.pictures import ImageSource
from jobs.images.stored import Whereabouts
from jobs.store.sqlite.thumb_file import ThumbFile
from runner.gallery.order import GalleryOrder
from runner.gallery.writing import write_gallery
from tests.browser.conftest import Browsing, browsing_within
from tests.browser.test_page import NASTY, until
from tests.support.served_page import png
from tests.support.shot import shoot
from tests.support.tables import opened_table, planned

pytestmark = pytest.mark.timeout(300)
MANY = 100_000


async def made(folder: Path, name: str = "shared", *, zipped: bool = False) -> Path:
    """A gallery of forty pictures: the first with a nasty key and prompt, then the last two of three."""
    keys = [NASTY, *(f"p{number:02d}" for number in range(38))]
    root = folder / "outputs"
    async with opened_table(folder / "night.db") as table:
        await table.load([planned(key, n, prompt=f"a fox, {key}") for n, key in enumerate(keys)])
        for number, key in enumerate(keys):
            images = [png((200, 3 * number, 10 * one)) for one in range(3 if key == "p00" else 1)]
            await shoot(table.store, root, key, *images)
        (root / "night" / "p00" / "01.png").unlink()
        source = ImageSource(root, Whereabouts(root))
        order = GalleryOrder("The night", prompts=True, zipped=zipped)
        thumbs = ThumbFile.beside(folder / "night.db")
        jobs = table.store.jobs.each(table.batch.id)
        assert await write_gallery(jobs, source, thumbs, folder / name, order, lambda _: None) == 40
    return folder / name


@asynccontextmanager
async def opened(folder: Path, **options: Any) -> AsyncIterator[tuple[Browsing, Any]]:
    """The gallery in a browser that asks for nothing outside of its folder."""
    async with browsing_within(f"{folder.as_uri()}/", **options) as browser:
        page = await browser.page(f"{folder.as_uri()}/index.html")
        yield browser, page


async def test_it_opens_from_the_disk(tmp_path: Path) -> None:
    """Thumbnails, one picture alone, and all by keyboard."""
    async with opened(await made(tmp_path)) as (_, page):
        await page.locator(".cell img.there").first.wait_for()
        assert await page.title() == "The night"
        assert await page.locator("#count").inner_text() == "40 pictures"
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("End")
        await page.keyboard.press("Enter")
        await until(page, "document.querySelector('#stage img')?.naturalWidth", 600)
        assert (await page.locator("#caption-text").inner_text()).startswith(
            "p37 · 600\u00d7300 · 40 of 40 · a fox, p37"
        )
        await page.keyboard.press("Home")
        await until(page, "document.querySelector('#stage img').src.includes('/p/')", True)
        assert NASTY in await page.locator("#caption-text").inner_text()
        await page.keyboard.press("ArrowRight")
        assert "p00 2 ·" in await page.locator("#caption-text").inner_text()
        await page.keyboard.press("Escape")
        assert await page.locator(".cell[aria-selected=true] .marks").inner_text() == "1/2"
        await until(page, "document.getElementById('loupe').open", False)
        await until(page, "document.activeElement.id", "grid")


async def test_foreign_texts_are_texts(tmp_path: Path) -> None:
    """A key and a prompt become no element; the policy lets none in."""
    async with opened(await made(tmp_path)) as (browser, page):
        await page.locator(".cell .key", has_text=NASTY).wait_for()
        assert await page.locator("img[src=x]").count() == 0
        refused = (
            "(() => { try { document.body.innerHTML = '<b>x</b>' } catch (error) { return error.name } })()"
        )
        assert await page.evaluate(refused) == "TypeError"
        browser.wrong = [one for one in browser.wrong if "TrustedHTML" not in one]


async def test_it_is_searched(tmp_path: Path) -> None:
    """In keys and prompts; all words, any case."""
    async with opened(await made(tmp_path)) as (_, page):
        await page.locator(".cell").first.wait_for()
        await page.keyboard.press("/")
        await page.keyboard.type("FOX p0")
        await until(page, "document.getElementById('count').textContent", "11 pictures")
        await page.locator("#search").fill("p07")
        await until(page, "document.getElementById('count').textContent", "1 picture")
        await page.locator("#search").fill("hare")
        await page.get_by_text("Nothing is found.").wait_for()


async def test_a_contact_sheet(tmp_path: Path) -> None:
    """35 pictures a page of paper, each with its key; the page itself is not printed."""
    async with opened(await made(tmp_path)) as (_, page):
        await page.locator(".cell").first.wait_for()
        await page.evaluate("window.print = () => (document.title = 'printed')")
        await page.locator("#print").click()
        await until(page, "document.title", "printed")
        counts = "[...document.querySelectorAll('.sheet')].map((one) => one.children.length)"
        assert await page.evaluate(counts) == [35, 5]
        assert await page.evaluate(
            "[...document.querySelectorAll('.sheet img')].every((one) => one.naturalWidth)"
        )
        await page.emulate_media(media="print")
        assert not await page.locator("#work").is_visible()
        assert await page.locator(".sheet figcaption").nth(1).inner_text() == "p00 2"
        pdf = await page.pdf(format="A4")
        assert pdf.count(b"/Type /Page\n") == 2


async def test_without_scripts_there_are_links(tmp_path: Path) -> None:
    """To each picture, by its key."""
    async with opened(await made(tmp_path), java_script_enabled=False) as (_, page):
        assert await page.locator("#links a").count() == 40
        assert await page.locator("#links a").nth(0).inner_text() == f"{NASTY}, 1"
        await page.locator("#links a").nth(1).click()
        assert page.url.endswith("/p/p00-02.webp")


async def test_it_is_whole_in_another_folder(tmp_path: Path) -> None:
    """The archive, unpacked where nothing else is."""
    with zipfile.ZipFile(await made(tmp_path, "shared.zip", zipped=True)) as archive:
        archive.extractall(tmp_path / "elsewhere" / "a folder")
    async with opened(tmp_path / "elsewhere" / "a folder" / "shared") as (_, page):
        await page.locator(".cell img.there").first.wait_for()
        assert await page.locator("#count").inner_text() == "40 pictures"


async def test_a_hundred_thousand(tmp_path: Path) -> None:
    """The first screen and the last; no more cells than fit."""
    folder = await made(tmp_path)
    image = [[1, "p00-02", "p/p00-02.webp", 600, 300]]
    entries = ",\n".join(json.dumps([f"row-{n:06d}", "a fox in fresh snow", image]) for n in range(MANY))
    (folder / "data.js").write_text(f'globalThis.GALLERY = {{"title": "Many", "jobs": [\n{entries}\n]}};\n')
    async with opened(folder) as (_, page):
        await page.locator(".cell img.there").first.wait_for()
        assert await page.locator("#count").inner_text() == "100,000 pictures"
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("End")
        await page.locator(".cell .key", has_text="row-099999").wait_for()
        assert await page.locator(".cell").count() < 200
        await page.locator("#search").fill("row-0500")
        await until(page, "document.getElementById('count').textContent", "100 pictures")
        paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        print(f"first paint of {MANY} after {paint:.0f} ms")  # noqa: T201 - shown by -s
