"""Deciding by keys in a real browser: in the grid, in one picture, in a filter; shown at once, and saved."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.review.decisions import DecisionSource, DecisionWish
from runner.page.access.session import Rights
from tests.browser.conftest import WAIT_MS, Browsing, browsing
from tests.browser.test_page import KEYS, cursor, night, sheet, until
from tests.support.served_page import Served, png, served_page

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).parents[2]
CODE = "import sys; from runner.cli.app import main; sys.argv = ['nightsheet', *sys.argv[1:]]; main()"


async def decided(served: Served) -> dict[str, tuple[str | None, int, str]]:
    """What the table has, by key and number."""
    found = await served.table.store.decisions.of_batch(served.table.batch.id)
    return {
        f"{key}:{one.number}": (None if one.verdict is None else one.verdict.value, one.stars, one.note)
        for key, every in found.items()
        for one in every
    }


async def until_decided(served: Served, wanted: Mapping[str, tuple[str | None, int, str]]) -> None:
    """Wait until the table has just that."""
    with anyio.fail_after(WAIT_MS / 1000):
        while (found := await decided(served)) != wanted:
            await anyio.sleep(0.05)
            print(found)  # noqa: T201 - shown where it never comes


@asynccontextmanager
async def deciding(folder: Path, where: str, **options: Any) -> AsyncIterator[tuple[Served, Browsing, Any]]:
    """A night with the cursor on its first tile, in the grid, in one picture, or in what a search finds."""
    async with night(folder, **options) as (served, browser):
        path = "/b/night/?q=row%3A1-" if where == "filter" else "/b/night/"
        page = await browser.entered(served, path)
        await until(page, "document.activeElement.id", "grid")
        await page.locator(".cell img.there").first.wait_for()
        if where == "loupe":
            await page.keyboard.press("Enter")
            await page.locator("#loupe[open] #stage img").wait_for()
        yield served, browser, page


@pytest.mark.parametrize("where", ["grid", "loupe", "filter"])
async def test_every_key_that_decides(tmp_path: Path, where: str) -> None:
    """A verdict goes on to the next, a star does not; each can be taken back and done again."""
    async with deciding(tmp_path, where) as (served, _, page):
        press = page.keyboard.press
        wanted: dict[str, tuple[str | None, int, str]] = {}
        steps = [
            ("p", "p00:1", ("accepted", 0, ""), 1),
            ("x", "p01:1", ("rejected", 0, ""), 2),
            ("r", "p02:0", ("reroll", 0, ""), 3),
            ("a", "p03:0", ("accepted", 0, ""), 4),
            *((str(n), "p04:0", (None, n, ""), 4) for n in (1, 2, 3, 4, 5)),
        ]
        for key, name, decision, place in steps:
            await press(key)
            wanted[name] = decision
            await until(
                page, "document.getElementById('grid').getAttribute('aria-activedescendant')", f"tile-{place}"
            )
        await until_decided(served, wanted)
        await press("0")
        del wanted["p04:0"]
        await until_decided(served, wanted)
        await press("Shift+N")
        assert await cursor(page) == "tile-29"
        await press("n")
        assert await cursor(page) == "tile-4"
        await press("Home")
        await press("u")
        del wanted["p00:1"]
        await until_decided(served, wanted)
        assert await cursor(page) == "tile-0"
        await press("Control+z")
        wanted["p00:1"] = ("accepted", 0, "")
        await until_decided(served, wanted)
        for _ in range(7):  # the stars, one by one, and the verdict on p03
            await press("Control+z")
        assert await cursor(page) == "tile-3"
        del wanted["p03:0"]
        await until_decided(served, wanted)
        await press("Control+Shift+Z")
        wanted["p03:0"] = ("accepted", 0, "")
        await until_decided(served, wanted)
        assert await page.locator("#loupe").evaluate("(one) => one.open") == (where == "loupe")


async def test_a_decision_is_seen_and_heard_at_once(tmp_path: Path) -> None:
    """By a sign and a word, not by a colour alone; how far it is stands above."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        await page.keyboard.press("x")
        await until(page, "document.getElementById('spoken').textContent", "p00:1 rejected.")
        first = page.locator("#tile-0")
        assert "✕" in await first.locator(".verdict").inner_text()
        assert "rejected" in (await first.get_attribute("aria-label") or "")
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("4")
        await until(page, "document.querySelector('#tile-0 .verdict').textContent", "✕ ★4")
        assert "✕ 1" in await page.locator("#tally").inner_text()
        assert "29 undecided" in await page.locator("#tally").inner_text()
        await until_decided(served, {"p00:1": ("rejected", 4, "")})


async def test_many_are_marked_and_decided_at_once(tmp_path: Path) -> None:
    """One by one, a range, all that is listed; one Ctrl+Z takes all of it back."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        press = page.keyboard.press
        await press("s")
        await press("ArrowRight")
        await press("ArrowRight")
        await press("Shift+ArrowRight")
        await until(page, "document.querySelectorAll('.cell[aria-checked=true]').length", 3)
        await press("x")
        three = dict.fromkeys(("p00:1", "p02:0", "p03:0"), ("rejected", 0, ""))
        await until_decided(served, three)
        assert await cursor(page) == "tile-3"
        await until(page, "document.getElementById('told').textContent.includes('3 pictures rejected')", True)
        await press("Escape")
        await until(page, "document.querySelectorAll('.cell[aria-checked=true]').length", 0)
        await press("Control+a")
        await press("5")
        await until(page, "document.getElementById('told').textContent.includes('30 pictures 5 stars')", True)
        names = ["p00:1", "p01:1", *(f"{key}:0" for key in KEYS[2:])]
        await until_decided(served, {name: (three.get(name, (None,))[0], 5, "") for name in names})
        await press("Control+z")
        await until_decided(served, three)


async def test_the_list_does_not_move_when_its_filter_no_longer_fits(tmp_path: Path) -> None:
    """What is decided stays in its place until it is called."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        await page.keyboard.press("/")
        await page.locator("#search").fill("verdict:none")
        await until(page, "new URLSearchParams(location.search).get('q')", "verdict:none")
        await page.keyboard.press("Escape")
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("p")
        await page.keyboard.press("p")
        await until_decided(served, {"p00:1": ("accepted", 0, ""), "p01:1": ("accepted", 0, "")})
        accepted = page.locator(".value", has_text="accepted")
        await accepted.locator(".many", has_text="2").wait_for()  # the change has come back to the page
        assert await page.locator("#count").inner_text() == "30 tiles"
        assert await cursor(page) == "tile-2"
        await page.keyboard.press("p")
        await page.keyboard.press("g")  # at once: what was just decided goes, too
        await until(page, "document.getElementById('count').textContent", "27 tiles")


async def test_a_verdict_survives_a_reload_and_is_seen_in_the_other_tab(tmp_path: Path) -> None:
    """Pressed, and reloaded at once: the last of them was not sent yet."""
    async with deciding(tmp_path, "grid") as (served, browser, page):
        other = await browser.page(f"{served.page.origin}/b/night/")
        await other.locator(".cell img.there").first.wait_for()
        await page.bring_to_front()
        await page.keyboard.press("p")
        await page.keyboard.press("x")
        await page.reload()
        await until_decided(served, {"p00:1": ("accepted", 0, ""), "p01:1": ("rejected", 0, "")})
        await page.locator("#tile-1[data-verdict=rejected]").wait_for()
        await other.bring_to_front()
        await other.locator("#tile-0[data-verdict=accepted]").wait_for()
        await until(other, "document.activeElement.id", "grid")
        await other.keyboard.press("u")
        await page.bring_to_front()
        await until_decided(served, {"p01:1": ("rejected", 0, "")})
        await until(page, "document.querySelector('#tile-0').dataset.verdict", "")


async def test_a_note_is_typed(tmp_path: Path) -> None:
    """Its letters are no keys; Esc leaves it, and it is kept."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        await page.locator("#note").fill("a pax: relax")
        await page.locator("#note").press("x")
        await page.keyboard.press("Escape")
        await until(page, "document.activeElement.id", "grid")
        await until_decided(served, {"p00:1": (None, 0, "a pax: relaxx")})
        await page.locator("#tile-0 .verdict", has_text="✎").wait_for()


async def test_a_page_that_may_only_look_says_so(tmp_path: Path) -> None:
    """There are no buttons; a key changes nothing."""
    async with served_page(tmp_path, rights=Rights.LOOK) as served, browsing(served) as browser:
        await served.table.load(sheet(*KEYS))
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        await page.keyboard.press("p")
        await page.get_by_text("This page may only look").first.wait_for()
        assert await page.locator("#note").count() == 0
        assert await cursor(page) == "tile-0"
        assert await decided(served) == {}


async def test_another_picture_in_its_place_is_undecided(tmp_path: Path) -> None:
    """It says that the decision was about an older one."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        await page.keyboard.press("p")
        await until_decided(served, {"p00:1": ("accepted", 0, "")})
        job = await served.table.job("p00")
        data = png((1, 2, 3))
        path = anyio.Path(job.images[0].path)
        await path.write_bytes(data)
        attempt = served.table.attempts(job.id)[0]["id"]
        new = served.picture_of(Path(path), data)
        await served.table.store.ledger.record_image(job.id, attempt, new)
        await page.keyboard.press("Home")
        await page.reload()
        await page.get_by_text("Decided about an older picture").wait_for()
        assert "older" in await page.locator("#tile-0 .verdict").inner_text()


async def test_a_phone_has_buttons(tmp_path: Path) -> None:
    """Under the picture: reject, re-roll, a star, accept; each goes on, but the star."""
    async with deciding(tmp_path, "grid", has_touch=True, is_mobile=True) as (served, _, page):
        await page.set_viewport_size({"width": 360, "height": 780})
        await page.locator("#tile-1").tap()
        await page.locator("#loupe[open]").wait_for()
        await page.locator("#loupe-star").tap()
        await page.locator("#loupe-star").tap()
        await page.locator("#loupe-accept").tap()
        await page.locator("#loupe-reroll").tap()
        await page.locator("#loupe-reject").tap()
        await until_decided(
            served, {"p01:1": ("accepted", 2, ""), "p02:0": ("reroll", 0, ""), "p03:0": ("rejected", 0, "")}
        )
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        box = await page.locator("#loupe-accept").bounding_box()
        assert box["width"] >= 48
        assert box["height"] >= 48


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="needs kill -9")
async def test_a_verdict_survives_a_killed_server(tmp_path: Path) -> None:
    """What it had answered is in the table; what it had not stays in the tab, and its successor has it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with served_page(tmp_path) as served:
        await served.table.load(sheet(*KEYS))
        await served.table.store.batches.place(served.table.batch.id, str(served.root), None, {})
        first = view(tmp_path, port)
        try:
            served.page.port = port
            async with browsing(served) as browser:
                page = await browser.page(json.loads(first.stdout.readline())["url"])  # type: ignore[union-attr]
                await page.locator(".cell").first.wait_for()
                await until(page, "document.activeElement.id", "grid")
                await page.keyboard.press("p")
                await until_decided(served, {"p00:0": ("accepted", 0, "")})
                first.send_signal(signal.SIGKILL)
                first.wait()
                await page.keyboard.press("x")
                await page.get_by_text("1 decision not saved").wait_for()
                assert await decided(served) == {"p00:0": ("accepted", 0, "")}
                second = view(tmp_path, port)
                try:
                    await page.goto(json.loads(second.stdout.readline())["url"])  # type: ignore[union-attr]
                    await until_decided(served, {"p00:0": ("accepted", 0, ""), "p01:0": ("rejected", 0, "")})
                    await until(page, "document.getElementById('unsaved').hidden", True)
                    await until(
                        page, "Object.keys(localStorage).filter((one) => one.includes('unsaved')).length", 0
                    )
                finally:
                    await page.close()
                    second.kill()
                    second.communicate()
                browser.wrong = [one for one in browser.wrong if "ERR_" not in one]
        finally:
            first.kill()
            first.communicate()


def view(folder: Path, port: int) -> "subprocess.Popen[str]":
    """The real command."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHEET_")}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, "view", "night", "--db", "night.db", "--port", str(port), "--json"],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_a_page_of_another_site_decides_nothing(tmp_path: Path) -> None:
    """In the same browser, with all that it can send: a form's type, a JSON body, a picture, a frame."""
    attack = """async (target) => {
        const body = JSON.stringify({ decisions: [{ key: "p00", verdict: "rejected" }] });
        const json = { "Content-Type": "application/json", "X-Nightsheet-Key": "guess" };
        const said = [];
        for (const more of [
            { mode: "no-cors" },
            { mode: "no-cors", headers: { "Content-Type": "text/plain" } },
            { headers: json },
        ]) {
            const asked = fetch(target, { method: "POST", credentials: "include", body, ...more });
            said.push(await asked.then((answer) => answer.type, () => "refused"));
        }
        return said;
    }"""
    async with night(tmp_path) as (served, browser), foreign_site() as site:
        page = await browser.entered(served)
        await until(page, "document.activeElement.id", "grid")
        other = await browser.context.new_page()
        await other.goto(site)
        said = await other.evaluate(attack, f"{served.page.origin}/api/night/decisions")
        assert said[-1] == "refused"
        assert await decided(served) == {}
        browser.wrong = [one for one in browser.wrong if site not in one]


@asynccontextmanager
async def foreign_site() -> AsyncIterator[str]:
    """Another port of this machine, which the page's cookie is sent to as well."""

    async def answer(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>hello"
            )

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        yield f"http://127.0.0.1:{port}/"
        tasks.cancel_scope.cancel()


async def test_what_a_command_decides_is_seen(tmp_path: Path) -> None:
    """Beside it, in a terminal."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        wish = DecisionWish("p00", {"stars": 3})
        await served.table.store.decisions.decide(served.table.batch.id, [wish], DecisionSource.CLI)
        await page.locator("#tile-0 .verdict", has_text="★3").wait_for()


async def test_re_rolls_are_one_key_away(tmp_path: Path) -> None:
    """With their price, and from there to the pictures: the page pays nothing."""
    async with deciding(tmp_path, "grid") as (served, _, page):
        await page.keyboard.press("r")
        await until_decided(served, {"p00:1": ("reroll", 0, "")})
        await page.keyboard.press("w")
        await page.get_by_role("dialog", name="Re-rolls").get_by_text("1 picture marked.").wait_for()
        await page.get_by_role("button", name="Show them in the grid").click()
        await until(page, "document.getElementById('count').textContent", "1 tile")
