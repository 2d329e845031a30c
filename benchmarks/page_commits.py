"""Whether a page that somebody looks at slows a night: `python -m benchmarks.page_commits`.

A process claims jobs and records their receipts, at the pace of a busy night and as durably as a run; the
figure is how long a claim's commit takes, which is what a submit waits for. By turns: alone; with
`nightsheet view` open over the same table in a Chromium that scrolls without rest; and with one over a copy
of it, which takes the machine's time alike and cannot be in the way of a commit.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.child import ROOT, python
from benchmarks.rounds import Column, Sample, by_turns, options, tell
from benchmarks.viewed import browser, make, opened, percentile
from jobs.outcomes import Accepted, Claimed
from jobs.store.open import open_store

COLUMNS = (
    Column("p50_ms", "commit p50 ms", 2),
    Column("p99_ms", "p99 ms", 2),
    Column("most_ms", "most ms", 1),
    Column("claims", "claims", 0),
)
_SCROLL = """
    (() => {
        const box = document.getElementById('grid');
        let frame = 0;
        const step = () => {
            frame += 1;
            const far = frame % 40 === 39 ? box.scrollHeight / 9 : 90;
            box.scrollTop = frame % 200 === 0 ? 0 : box.scrollTop + far;
            requestAnimationFrame(step);
        };
        step();
    })()
"""


async def write(database: Path, claims: int, pause_seconds: float) -> list[float]:
    """Claim so many jobs one after the other; how many seconds each commit took."""
    taken = []
    async with open_store(database, _now) as store:
        batch = await store.batches.named(None)
        queued = await store.jobs.queued(batch.id, limit=claims)
        if len(queued) < claims:
            sys.exit("There are too few queued jobs.")
        for job in queued:
            claim = Claimed(job.id, uuid4().hex, "5" * 64, _now(), Decimal("0.04"))
            begun = time.perf_counter()
            await store.jobs.claim(claim)
            taken.append(time.perf_counter() - begun)
            await store.jobs.apply(Accepted(job.id, f"r{job.id:08d}", _now(), claim.uid))
            await asyncio.sleep(pause_seconds)
    return taken


def _now() -> datetime:
    return datetime.now(UTC)


def _written(database: Path, claims: int, pause_seconds: float, page: Any = None) -> Sample:
    """A turn of the writer. `page`: a browser's, whose events are served meanwhile."""
    command = python("-m", "benchmarks.page_commits", "--write", str(database))
    command += ["--claims", str(claims), "--pause", str(pause_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        while page is not None and writer.poll() is None:
            page.wait_for_timeout(200)
        told, _ = writer.communicate()
    if writer.returncode:
        sys.exit("The writer failed.")
    taken = [seconds * 1000 for seconds in json.loads(told)]
    return {
        "p50_ms": percentile(taken, 50),
        "p99_ms": percentile(taken, 99),
        "most_ms": max(taken),
        "claims": len(taken),
    }


def _looked_at(chromium: Any, shown: Path, database: Path, claims: int, pause_seconds: float) -> Sample:
    """The same, while somebody scrolls through what is `shown`."""
    with opened(chromium, shown) as tab:
        tab.page.evaluate(_SCROLL)
        return _written(database, claims, pause_seconds, tab.page)


def main() -> None:
    """Measure both, by turns."""
    parser = options("page_commits", __doc__)
    parser.add_argument("--tiles", type=int, default=100_000)
    parser.add_argument("--claims", type=int, default=1000, help="in each turn")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between two claims")
    parser.add_argument("--side", type=int, default=1024, help="of the pictures, in pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        print(json.dumps(asyncio.run(write(given.write, given.claims, given.pause))))
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        queued = given.claims * given.rounds * 3
        if queued >= given.tiles:
            parser.error("--tiles must be more than all claims together")
        database = asyncio.run(make(folder, given.tiles, side=given.side, suffix="jpg", queued=queued))
        chromium = stack.enter_context(browser())
        told = (database, given.claims, given.pause)
        copy = database.with_name("copy.db")
        shutil.copy(database, copy)
        cases = {
            "alone": partial(_written, *told),
            "looked at": partial(_looked_at, chromium, database, *told),
            "a copy looked at": partial(_looked_at, chromium, copy, *told),
        }
        rows = by_turns(cases, given.rounds)
    alone, looked_at, copied = (row.median("p99_ms") for row in rows)
    note = f"p99 with a page that scrolls: {looked_at - alone:+.2f} ms; over a copy: {copied - alone:+.2f} ms"
    title = f"a claim's commit, {given.tiles:,} tiles, synchronous=FULL"
    tell(given.json, [(title, rows, COLUMNS)], [note])


if __name__ == "__main__":
    main()
