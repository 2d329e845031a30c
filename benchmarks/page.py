"""What the page of `nightsheet view` costs and how soon it is there: `python -m benchmarks.page`.

The real command and a real Chromium, over batches of many pictures. *Cold*: no thumbnail is made yet; *warm*:
those of the first screen are, as after a night. Needs a Chromium, and playwright, which `make test` installs.
"""

import asyncio
import gzip
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.child import measured, nightsheet
from benchmarks.rounds import Column, Sample, by_turns, options, tell
from benchmarks.viewed import FILTERED, LISTED, browser, make, opened, percentile, resident_bytes, until
from runner.page.shell import served_files, served_style

MEGABYTE = 1_000_000
LARGE = {"width": 1920, "height": 1440}
"""A window whose first screen has 36 pictures of the usual size."""
FRAMES = 300
KEYS = 60
OPENING = (
    Column("listening_ms", "listening ms", 0),
    Column("paint_ms", "first paint ms", 0),
    Column("screen_ms", "first screen ms", 0),
    Column("pictures", "of pictures", 0),
    Column("list_ms", "whole list ms", 0),
    Column("list_mb", "MB", 2),
)
USING = (
    Column("frame_p95_ms", "frame p95 ms", 1),
    Column("frame_p99_ms", "p99", 1),
    Column("frame_most_ms", "most", 0),
    Column("key_p95_ms", "key p95 ms", 1),
    Column("next_ms", "next picture ms", 0),
    Column("far_ms", "a far one ms", 0),
)
HOLDING = (
    Column("heap_mb", "JS heap MB", 1),
    Column("renderer_mb", "renderer MB", 0),
    Column("server_mb", "server MB", 0),
    Column("status_mb", "`status` MB", 0),
    Column("idle_percent", "idle % of a core", 2),
)
_LOADED = "!document.querySelector('.cell img:not(.there)')"
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_SCROLL = """
    async (frames) => {
        const box = document.getElementById('grid');
        const taken = [];
        let before = await new Promise(requestAnimationFrame);
        for (let frame = 0; frame < frames; frame++) {
            box.scrollTop += frame % 50 === 49 ? box.scrollHeight / 8 : 120;
            const now = await new Promise(requestAnimationFrame);
            taken.push(now - before);
            before = now;
        }
        return taken;
    }
"""
_KEYS = """
    async (keys) => {
        const taken = [];
        const channel = new MessageChannel();
        const painted = () => new Promise((done) => {
            channel.port1.onmessage = done;
            requestAnimationFrame(() => channel.port2.postMessage(0));
        });
        for (let nth = 0; nth < keys; nth++) {
            await painted();
            const begun = performance.now();
            const key = nth % 10 === 9 ? 'ArrowDown' : 'ArrowRight';
            document.getElementById('grid').dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
            await painted();
            taken.push(performance.now() - begun);
        }
        return taken;
    }
"""
_NEXT = """
    async (key) => {
        const begun = performance.now();
        const stage = document.getElementById('stage');
        const old = stage.querySelector('img')?.src;
        stage.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
        for (;;) {
            const img = stage.querySelector('img');
            if (img && img.src !== old && img.complete && img.naturalWidth) return performance.now() - begun;
            await new Promise(requestAnimationFrame);
        }
    }
"""


def _open(chromium: Any, database: Path, *, cold: bool) -> Sample:
    """From the command to the first screen and the whole list."""
    if cold:
        Path(f"{database}.thumbs").unlink(missing_ok=True)
    with opened(chromium, database, LARGE) as tab:
        until(tab.page, f"Boolean({LISTED})", True)
        milliseconds, size = tab.page.evaluate(LISTED)
        paint = tab.page.evaluate(_PAINT)
    return {
        "listening_ms": tab.view.listening_seconds * 1000,
        "paint_ms": paint,
        "screen_ms": tab.screen_seconds * 1000,
        "pictures": tab.pictures,
        "list_ms": milliseconds,
        "list_mb": size / MEGABYTE,
    }


def _use(chromium: Any, database: Path) -> Sample:
    """Scroll, press keys, look at one picture after the other."""
    with opened(chromium, database) as tab:
        page = tab.page
        until(page, f"Boolean({LISTED})", True)
        frames = page.evaluate(_SCROLL, FRAMES)
        page.keyboard.press("Home")
        until(page, _LOADED, True)
        keys = page.evaluate(_KEYS, KEYS)
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        until(page, "Boolean(document.querySelector('#stage img')?.naturalWidth)", True)
        steps = []
        for _ in range(10):
            page.wait_for_timeout(1000)  # somebody looks, and the next ones are on their way
            steps.append(page.evaluate(_NEXT, "ArrowRight"))
        far = []
        for _ in range(10):
            page.wait_for_timeout(1000)
            far.append(page.evaluate(_NEXT, "PageDown"))  # neither its details nor its picture are here
    return {
        "frame_p95_ms": percentile(frames, 95),
        "frame_p99_ms": percentile(frames, 99),
        "frame_most_ms": max(frames),
        "key_p95_ms": percentile(keys, 95),
        "next_ms": percentile(steps, 50),
        "far_ms": percentile(far, 50),
    }


def _hold(chromium: Any, database: Path, idle_seconds: float) -> Sample:
    """What a page takes that is open and at which nobody looks."""
    status = measured(nightsheet("status", "--db", str(database)), database.with_suffix(".out"))
    with opened(chromium, database) as tab:
        page, view = tab.page, tab.view
        until(page, FILTERED, True)
        page.wait_for_timeout(10_000)
        begun, cpu = time.perf_counter(), view.cpu_seconds
        page.wait_for_timeout(idle_seconds * 1000)
        idle = (view.cpu_seconds - cpu) / (time.perf_counter() - begun)
        session = tab.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        heap = page.evaluate("performance.memory.usedJSHeapSize")
        held = view.resident_bytes
        processes = chromium.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        renderer = max(resident_bytes(one["id"]) for one in processes if one["type"] == "renderer")
    return {
        "heap_mb": heap / MEGABYTE,
        "renderer_mb": renderer / MEGABYTE,
        "server_mb": held / MEGABYTE,
        "status_mb": status.peak_bytes / MEGABYTE,
        "idle_percent": idle * 100,
    }


def shipped_bytes() -> int:
    """The script and the style, packed."""
    return sum(len(gzip.compress(data)) for data in (served_files()["page.js"], served_style().encode()))


def main() -> None:
    """Measure it at each size."""
    parser = options("page", __doc__)
    parser.add_argument("--tiles", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--side", type=int, default=2048, help="of the pictures, in pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle-seconds", type=float, default=20.0)
    given = parser.parse_args()
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory())
        databases: dict[str, Path] = {}
        for suffix in ("jpg", "png"):
            for tiles in given.tiles:
                folder = Path(name, suffix)
                folder.mkdir(exist_ok=True)
                made = make(folder, tiles, side=given.side, suffix=suffix)
                databases[f"{tiles:,} tiles, {'JPEG' if suffix == 'jpg' else 'PNG'}"] = asyncio.run(made)
        chromium = stack.enter_context(browser())
        opening = {
            f"{case}, {'cold' if cold else 'warm'}": partial(_open, chromium, database, cold=cold)
            for case, database in databases.items()
            for cold in (True, False)
        }
        jpegs = {case: database for case, database in databases.items() if case.endswith("JPEG")}
        using = {case: partial(_use, chromium, database) for case, database in jpegs.items()}
        holding = {
            case: partial(_hold, chromium, database, given.idle_seconds) for case, database in jpegs.items()
        }
        tables = [
            ("opening the page", by_turns(opening, given.rounds), OPENING),
            ("using it", by_turns(using, given.rounds), USING),
            ("holding it open", by_turns(holding, 1), HOLDING),
        ]
    tell(given.json, tables, [f"modules and styles: {shipped_bytes() / 1024:.1f} KB packed"])


if __name__ == "__main__":
    main()
