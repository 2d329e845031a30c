"""A night over a broken network: `unshare --net python -m tests.support.network FOLDER TROUBLE`.

Everything runs in a network namespace of its own: the emulator, the real command, and the trouble between
them. Writes what came of it as JSON, with the emulator's ledger as the judge. Needs the right to change the
namespace's network: root, or `unshare --map-root-user --net`.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio

from runner.http.deadline import GRACE_SECONDS
from tests.support.command import QUICK, Desk, desk, until, wait
from tests.support.tables import select

ROWS = 80
GATE = 4
SUBMIT_TIMEOUT_SECONDS = 1.5
TIMEOUT_SECONDS = 1.0
CUT_SECONDS = SUBMIT_TIMEOUT_SECONDS + GRACE_SECONDS + 1.0

_CUT = 1
"""The priority of the rule that drops packets; the local table's is behind it."""


def _run(*words: str) -> None:
    subprocess.run(words, check=True)


def _cut(here: Desk, end: str) -> None:
    """Drop what goes to the server (`dport`) or comes from it (`sport`)."""
    port = here.api.base_url.rpartition(":")[2].partition("/")[0]
    _run("ip", "rule", "add", "pref", str(_CUT), "ipproto", "tcp", end, port, "blackhole")


def _heal() -> None:
    _run("ip", "rule", "del", "pref", str(_CUT))


async def answers_cut(here: Desk) -> None:
    """The server hears everything, and nobody hears the server."""
    _cut(here, "sport")
    await anyio.sleep(CUT_SECONDS)
    _heal()


async def requests_cut(here: Desk) -> None:
    """Nothing gets to the server; the kernel sends it again later, when nobody waits for it any more."""
    _cut(here, "dport")
    await anyio.sleep(CUT_SECONDS)
    _heal()


async def flapping(here: Desk) -> None:
    """Cut for a moment in one direction or the other, again and again."""
    rng = random.Random(20261129)
    for _ in range(12):
        _cut(here, rng.choice(("sport", "dport")))
        await anyio.sleep(rng.uniform(0.05, CUT_SECONDS))
        _heal()
        await anyio.sleep(rng.uniform(0.05, 0.5))


async def lossy(_here: Desk) -> None:
    """One packet in ten is lost, and each is late; until the end."""
    _run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "loss", "10%", "delay", "40ms", "20ms")


TROUBLES: dict[str, Callable[[Desk], Awaitable[None]]] = {
    trouble.__name__: trouble for trouble in (answers_cut, requests_cut, flapping, lossy)
}


async def a_night(folder: Path, trouble: str) -> dict[str, Any]:
    """Run a sheet through the trouble, and to its end afterwards."""
    (folder / "nightsheet.toml").write_text(
        f"submit_timeout = {SUBMIT_TIMEOUT_SECONDS}\ntimeout = {TIMEOUT_SECONDS}\nsubmit_gate = {GATE}\n"
    )
    async with desk(folder, speed=20.0) as here:
        process = here.start("run", here.sheet(ROWS), *QUICK, "--concurrency", str(ROWS))
        await until(lambda: len(here.service.ledger) >= ROWS // 4, process)
        await TROUBLES[trouble](here)
        ended = await wait(process)
        codes, errors = [ended.code], ended.err
        for _ in range(3):
            ended = await here.call("resume", *QUICK)
            codes, errors = [*codes, ended.code], errors + ended.err
        return {"codes": codes, "errors": errors, **_judged(here, folder)}


def _judged(here: Desk, folder: Path) -> dict[str, Any]:
    held = {row["request_id"] for row in select(folder / "nightsheet.db", "SELECT request_id FROM attempt")}
    states = {
        row["key"]: row["state"] for row in select(folder / "nightsheet.db", "SELECT key, state FROM job")
    }
    prompts = {s.request_id: str(s.body.get("prompt") or s.body.get("text")) for s in here.service.ledger}
    unknown = [prompt.rpartition(" ")[2] for request_id, prompt in prompts.items() if request_id not in held]
    return {
        "accepted": len(here.service.ledger),
        "paid_twice": sorted(prompt for prompt, times in here.submits().items() if times > 1),
        "lost": [row for row in unknown if states[f"row-{row}"] != "unconfirmed"],
        "states": sorted(set(states.values())),
        "unconfirmed": sum(state == "unconfirmed" for state in states.values()),
    }


def main() -> None:
    """The night that the command line asks for."""
    if Path("/proc/self/ns/net").readlink() == Path(f"/proc/{os.getppid()}/ns/net").readlink():
        sys.exit("This cuts the network of its namespace: start it with `unshare --net`.")
    folder, trouble = sys.argv[1:]
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "rule", "add", "pref", "10", "lookup", "local")
    _run("ip", "rule", "del", "pref", "0")
    sys.stdout.write(json.dumps(anyio.run(a_night, Path(folder), trouble)))


if __name__ == "__main__":
    main()
