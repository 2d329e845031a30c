"""How soon a page shows what is committed, and keeps what is decided on it: `python -m benchmarks.page_live`.

*Seen*: somebody else decides about a tile on screen; the time from the commit until the page is painted with
it. The page looks for commits twice a second, and rests for ten times as long as an update takes: between two
commits here it has rested. *Kept*: a key for a verdict twenty times a second, as fast as a hand goes through
sure cases; then how many of them the table has, and how long after the last key the last one came.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.rounds import Column, Sample, by_turns, options, tell
from benchmarks.viewed import FILTERED, browser, make, opened, percentile, until

SEEN = (
    Column("seen_p50_ms", "commit to page p50 ms", 0),
    Column("seen_p95_ms", "p95 ms", 0),
    Column("commits", "commits", 0),
)
KEPT = (
    Column("pressed", "keys", 0),
    Column("lost", "lost", 0),
    Column("a_second", "keys a second", 1),
    Column("key_p95_ms", "key to paint p95 ms", 1),
    Column("last_ms", "last one kept after ms", 0),
)
_DECIDE = (
    "INSERT INTO decision (job_id, number, sha256, verdict, stars, note, decided_at, source)"
    " SELECT job_id, number, sha256, 'accepted', 0, '', '2026-11-21T08:00:00.000000+00:00', 'cli'"
    " FROM artifact WHERE job_id = ?"
)
_WATCH = """
    (place) => {
        window.seen = 0;
        const cell = document.getElementById(`tile-${place}`);
        const look = new MutationObserver(() => {
            if (cell.dataset.verdict !== 'accepted') return;
            look.disconnect();
            requestAnimationFrame(() => setTimeout(() => {
                window.seen = performance.timeOrigin + performance.now();
            }));
        });
        look.observe(cell, {attributes: true, attributeFilter: ['data-verdict']});
    }
"""
_PRESS = """
    async ([keys, every]) => {
        const channel = new MessageChannel();
        const painted = () => new Promise((done) => {
            channel.port1.onmessage = done;
            requestAnimationFrame(() => channel.port2.postMessage(0));
        });
        const [taken, begun] = [[], performance.now()];
        for (let nth = 0; nth < keys; nth++) {
            const wait = begun + nth * every - performance.now();
            if (wait > 0) await new Promise((done) => setTimeout(done, wait));
            const at = performance.now();
            const event = new KeyboardEvent('keydown', {key: nth % 3 ? 'p' : 'x', bubbles: true});
            document.getElementById('grid').dispatchEvent(event);
            await painted();
            taken.push(performance.now() - at);
        }
        return [taken, performance.now() - begun];
    }
"""
_COUNT = "SELECT count(*) FROM decision WHERE source = 'page' AND verdict IS NOT NULL"


@contextmanager
def _undecided(database: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection to a table in which nothing is decided yet."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM decision")
        connection.commit()
        yield connection


def _see(chromium: Any, database: Path, commits: int, rest_seconds: float) -> Sample:
    """Commits of somebody else, one after the other, of tiles that are on screen."""
    taken = []
    with _undecided(database) as connection, opened(chromium, database) as tab:
        page = tab.page
        until(page, FILTERED, True)
        for place in range(commits):
            page.wait_for_timeout(rest_seconds * 1000 + place * 170 % 500)  # at any time between two looks
            page.evaluate(_WATCH, place)
            connection.execute(_DECIDE, [place + 1])
            connection.commit()
            committed = time.time() * 1000
            until(page, "window.seen > 0", True)
            taken.append(page.evaluate("window.seen") - committed)
    return {
        "seen_p50_ms": percentile(taken, 50),
        "seen_p95_ms": percentile(taken, 95),
        "commits": len(taken),
    }


def _keep(chromium: Any, database: Path, seconds: float, a_second: int) -> Sample:
    """Verdicts by keys, without rest."""
    keys = round(seconds * a_second)
    with _undecided(database) as connection, opened(chromium, database) as tab:
        page = tab.page
        until(page, FILTERED, True)
        taken, milliseconds = page.evaluate(_PRESS, [keys, 1000 / a_second])
        ended = time.monotonic()
        while (kept := connection.execute(_COUNT).fetchone()[0]) < keys and time.monotonic() < ended + 30:
            page.wait_for_timeout(20)
        last = (time.monotonic() - ended) * 1000
    return {
        "pressed": keys,
        "lost": keys - kept,
        "a_second": keys / milliseconds * 1000,
        "key_p95_ms": percentile(taken, 95),
        "last_ms": last,
    }


def main() -> None:
    """Measure both at each size."""
    parser = options("page_live", __doc__)
    parser.add_argument("--tiles", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--side", type=int, default=1024, help="of the pictures, in pixels")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--commits", type=int, default=12, help="in each turn; as many as are on screen")
    parser.add_argument("--rest", type=float, default=12.0, help="seconds between two commits")
    parser.add_argument("--seconds", type=float, default=60.0, help="of verdicts")
    parser.add_argument("--keys", type=int, default=20, help="verdicts a second")
    given = parser.parse_args()
    if given.keys * given.seconds > min(given.tiles):
        sys.exit("There are too few --tiles for so many verdicts.")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        databases = {
            f"{tiles:,} tiles": asyncio.run(make(Path(name), tiles, side=given.side, suffix="jpg"))
            for tiles in given.tiles
        }
        chromium = stack.enter_context(browser())
        seeing = {
            case: partial(_see, chromium, database, given.commits, given.rest)
            for case, database in databases.items()
        }
        keeping = {
            case: partial(_keep, chromium, database, given.seconds, given.keys)
            for case, database in databases.items()
        }
        tables = [
            ("somebody else's commit, seen", by_turns(seeing, given.rounds), SEEN),
            ("verdicts by keys, kept", by_turns(keeping, given.rounds), KEPT),
        ]
    tell(given.json, tables, [])


if __name__ == "__main__":
    main()
