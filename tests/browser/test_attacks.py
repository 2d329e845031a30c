"""Other sites in the same browser, and texts that would like to be more: real attacks in a real Chromium."""

from pathlib import Path

import anyio
import pytest

from jobs.states import JobState, Move
from tests.browser.conftest import CHROMIUM, FLAGS, browsing
from tests.browser.test_deciding import foreign_site, until_decided
from tests.browser.test_page import night, sheet, until
from tests.support.served_page import Served, png, served_page
from tests.support.tables import planned

pytestmark = pytest.mark.timeout(300)

EVIL = "evil.example"
HOSTILE = [
    "a/b",
    "a%2Fb",
    "..",
    "q?x=1#y",
    "<b>\"'&amp;",
    "name.exe\u202egnp.jpg",
    "-rf",
    "$(reboot)",
    "é\u0301 日本",
]
SHOWN = """async (page) => {
    const posted = { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } };
    const loads = (name, set) => new Promise((done) => {
        const made = document.createElement(name);
        made.onload = () => done("loaded");
        made.onerror = () => done("refused");
        set(made);
        document.body.append(made);
    });
    const asked = (path, more) => fetch(page + path, { credentials: "include", ...more })
        .then((answer) => answer.text().then((text) => answer.type + text.length), () => "refused");
    const socket = new Promise((done) => {
        const made = new WebSocket(page.replace("http", "ws") + "/api/events");
        made.onopen = () => done("open");
        made.onerror = () => done("refused");
    });
    const stream = new Promise((done) => {
        const made = new EventSource(page + "/api/events", { withCredentials: true });
        made.onopen = () => done("open");
        made.onerror = () => (made.close(), done("refused"));
    });
    const opened = window.open(page + "/b/night/");
    await new Promise((done) => setTimeout(done, 1500));
    let seen;
    try {
        seen = opened.document.body.textContent;
    } catch (error) {
        seen = error.name;
    }
    return {
        picture: await loads("img", (made) => (made.src = page + "/s/any/icon.svg")),
        script: await loads("script", (made) => (made.src = page + "/api/night/status")),
        read: await asked("/api/night/tiles"),
        json: await asked("/api/night/decisions", posted),
        enter: await asked("/enter", posted),
        socket: await socket,
        stream: await stream,
        opened: opened === null || opened.closed ? "closed" : seen,
    };
}"""


async def test_another_site_reads_nothing(tmp_path: Path) -> None:
    """Neither another port nor another name: by picture, script, request, socket, stream, window."""
    async with night(tmp_path) as (served, browser), foreign_site() as site:
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        for place in (site, site.replace("127.0.0.1", "localhost")):
            other = await browser.context.new_page()
            await other.goto(place)
            said = await other.evaluate(SHOWN, served.page.origin)
            assert said.pop("opened") in ("closed", "SecurityError")
            assert {*said.values()} == {"refused"}, said
            await other.close()
        await until_decided(served, {})
        browser.wrong.clear()  # a browser tells of each refusal, and the window that was opened had no link


async def test_the_page_is_in_no_frame(tmp_path: Path) -> None:
    """What is clicked on there would be clicked on here."""
    async with night(tmp_path) as (served, browser), foreign_site() as site:
        await browser.entered(served)
        other = await browser.context.new_page()
        await other.goto(site)
        frame = "(page) => document.body.append(Object.assign(document.createElement('iframe'), {src: page}))"
        await other.evaluate(frame, f"{served.page.origin}/b/night/")
        await other.wait_for_timeout(1000)
        inside = [one for one in other.frames if one != other.main_frame]
        assert [await one.locator("#grid").count() for one in inside] == [0]
        browser.wrong.clear()


async def test_a_name_that_leads_here_is_not_the_page_s(tmp_path: Path) -> None:
    """DNS that was bound anew: the browser takes it for one site with the attacker's own page."""
    from playwright.async_api import async_playwright

    async with served_page(tmp_path, "a") as served, async_playwright() as driver:
        rules = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, rules])
        page = await browser.new_page()
        for path in ("/", "/b/night/", "/s/any/page.js", "/api/night/status"):
            answered = await page.goto(f"http://{EVIL}:{served.page.port}{path}")
            assert answered is not None
            assert answered.status == 421
            assert await page.locator("script").count() == 0
        link = served.page.link().partition("#")[2]
        entering = """async (link) => (await fetch("/enter", {
            method: "POST", body: JSON.stringify({ link }), headers: { "Content-Type": "application/json" },
        })).status"""
        assert await page.evaluate(entering, link) == 421
        assert (await served.enter(f"#{link}")).status_code == 200  # it was not used up either
        await browser.close()


async def test_hostile_names_are_names(tmp_path: Path) -> None:
    """Of jobs and files: each opens by its own address, and a line to type quotes it."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await served.table.load([planned(key, n) for n, key in enumerate(HOSTILE)])
        for number, key in enumerate(HOSTILE[3:]):
            await shoot(served, key, number)
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        for place, key in enumerate(HOSTILE):
            await page.keyboard.press("Home")
            for _ in range(place):
                await page.keyboard.press("ArrowRight")
            await page.locator("#inspector h2").get_by_text(key, exact=True).wait_for()
            await page.keyboard.press("Enter")
            await page.locator("#loupe[open]").wait_for()
            if key != "..":  # no address has it: the cursor alone stays
                await page.reload()
            await page.locator("#caption-text", has_text=f"{key} · ").wait_for()
            await page.keyboard.press("Escape")
            await until(page, "document.getElementById('loupe').open", False)
        assert await page.locator("b").count() == 0
        for broken in (
            "/b/%zz/",
            "/b/night/p/%E0%A4%A/1",
            "/b/night/reword/%zz/1",
            "/b/night/?at=NaN&sort=%zz",
        ):
            await page.goto(served.page.origin + broken)
            await page.locator("#trouble:not([hidden]), .cell").first.wait_for()
        browser.wrong = [one for one in browser.wrong if "404" not in one and "400" not in one]


async def shoot(served: Served, key: str, number: int) -> None:
    """A picture under a safe name, whatever the key is."""
    path = served.root / f"{number}.png"
    await anyio.Path(path).write_bytes(png())
    job_id = await served.table.bring(key, JobState.FETCHING)
    job = await served.table.store.jobs.open_job(job_id)
    assert job is not None
    await served.table.store.ledger.record_image(job_id, job.attempt_id, served.picture_of(path, png()))
    await served.table.move(key, Move.FETCHED)


async def test_what_another_program_left_at_this_address_is_none_of_ours(tmp_path: Path) -> None:
    """A port is given to one after the other; what a browser keeps stays."""
    async with served_page(tmp_path) as served, browsing(served) as browser:
        await served.table.load(sheet("p00", "p01"))
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        left = ["{", "7", "null", '{"decisions": 1}', '{"action": "x", "decisions": [{"key": "p00"}]}']
        for number, text in enumerate(left):
            name = f"nightsheet-unsaved/night/{number}"
            await page.evaluate("([name, text]) => localStorage.setItem(name, text)", [name, text])
        await page.reload()
        await page.locator(".cell").first.wait_for()
        await until(page, "Object.keys(localStorage).filter((one) => one.includes('unsaved')).length", 0)
        await until_decided(served, {})
