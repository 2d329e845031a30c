"""A large batch with pictures, the real `nightsheet view` over it, and a Chromium that looks at it."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks import large
from benchmarks.child import ROOT, nightsheet

ORIGIN = "https://model-api.runcomfy.net"
CHROMIUM = os.environ.get("NIGHTSHEET_CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-precise-memory-info")
WINDOW = {"width": 1200, "height": 800}
PICTURES = 48
"""Different ones, more than a screen shows; the tiles have them by turns."""

LISTED = r"""
    performance.getEntriesByType('resource')
        .filter((one) => /\/api\/.*\/tiles/.test(one.name) && !one.name.includes('limit'))
        .map((one) => [one.duration, one.transferSize]).at(-1)
"""
"""How long the whole list took, and how many bytes it had; undefined until it is there."""
FILTERED = "document.querySelectorAll('#facets details[open] > div:not(:empty)').length > 2"
"""Whether the last thing is there that an opened page asks for."""
_SHOWN = """
    (() => {
        const box = document.getElementById('grid').getBoundingClientRect();
        const seen = [...document.querySelectorAll('.cell')].filter((cell) => {
            const { top, bottom } = cell.getBoundingClientRect();
            return top < box.bottom && bottom > box.top;
        });
        return seen.every((cell) => cell.querySelector('img.there')) ? seen.length : 0;
    })()
"""
"""How many pictures are in the window, once all of them are there."""

_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_IMAGES = (
    "INSERT INTO artifact (job_id, attempt_id, number, path, url, sha256, bytes, width, height, content_type)"
    " SELECT job.id, attempt.id, 1, :path, 'https://example.org/1', :sha256, :bytes, :side, :side, :type"
    " FROM job JOIN attempt ON attempt.job_id = job.id WHERE job.id % :all = :nth"
)


async def make(folder: Path, tiles: int, *, side: int, suffix: str, queued: int = 0) -> Path:
    """A batch of so many tiles, all with a picture but the last `queued`; returns the database."""
    database = folder / f"{tiles}.db"
    await large.make(database, tiles, done=tiles - queued, origin=ORIGIN)
    with closing(sqlite3.connect(database)) as connection, connection:
        for nth in range(min(PICTURES, tiles)):
            path = folder / "outputs" / f"{nth}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            if not path.exists():
                _picture(side, nth).save(path, quality=92)
            data = path.read_bytes()
            told = {"path": str(path), "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            told |= {"side": side, "type": _TYPES[suffix], "all": PICTURES, "nth": nth}
            connection.execute(_IMAGES, told)
    return database


def _picture(side: int, nth: int) -> Image.Image:
    """Soft shapes with a little grain."""
    size = (side, side)
    shapes = [Image.effect_noise((32, 32), 120).resize(size, Image.Resampling.BICUBIC) for _ in range(3)]
    grain = Image.effect_noise(size, 12)
    return Image.merge("RGB", [Image.blend(shape, grain, 0.3) for shape in shapes]).rotate(90 * (nth % 4))


@dataclass(frozen=True, slots=True)
class Viewing:
    """A `view` that listens."""

    url: str
    """With its link, which is good once."""
    pid: int
    listening_seconds: float

    @property
    def resident_bytes(self) -> int:
        """The memory that it holds now."""
        return resident_bytes(self.pid)

    @property
    def cpu_seconds(self) -> float:
        """The processor time that it took so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Opened:
    """A tab whose first screen is there."""

    context: Any
    page: Any
    view: Viewing
    screen_seconds: float
    pictures: int
    """On its first screen, those that are seen in part included."""


@contextmanager
def opened(chromium: Any, database: Path, window: dict[str, int] = WINDOW) -> Iterator[Opened]:
    """A database's batch in a browser that has nothing kept of it, by a `view` of its own."""
    with viewing(database) as view:
        context = chromium.new_context(viewport=window)
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(view.url)
        until(page, f"{_SHOWN} > 0", True)
        seconds = time.perf_counter() - begun
        yield Opened(context, page, view, seconds, page.evaluate(_SHOWN))
        context.close()


def resident_bytes(pid: int) -> int:
    """The memory that a process holds now."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024


@contextmanager
def viewing(database: Path) -> Iterator[Viewing]:
    """`nightsheet view` of a database's batch, in a process of its own."""
    command = nightsheet(
        "view", "--json", "--db", str(database), "--output-dir", str(database.parent / "outputs")
    )
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            yield Viewing(told["url"], told["pid"], time.perf_counter() - begun)
        finally:
            process.terminate()


@contextmanager
def browser() -> Iterator[Any]:
    """A Chromium. Exits where there is none, or nothing that drives one."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit("The page is measured in a browser, which playwright drives: `make test` installs it.")
    if shutil.which(CHROMIUM) is None:
        sys.exit(f"There is no Chromium at {CHROMIUM}: install one, or name it in NIGHTSHEET_CHROMIUM.")
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield found
        found.close()


def until(page: Any, script: str, wanted: Any, seconds: float = 300.0) -> None:
    """Wait until a script comes to this. The page's policy lets Playwright's own waiting not in."""
    end = time.monotonic() + seconds
    while page.evaluate(script) != wanted:
        if time.monotonic() > end:
            sys.exit(f"{script} does not come to {wanted!r}.")
        page.wait_for_timeout(5)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
