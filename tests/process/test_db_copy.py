"""The real `db copy` of a night that goes on elsewhere: whatever is killed, each row is paid for once."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import QUICK, Desk, desk, environment, wait
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]

ROWS = 10
_KILLED_AT = """
import os, signal, sys
from dataclasses import replace
import runner.cli.commands.db as command
made = command.process_environment
point = sys.argv[1]
def probe(name):
    if name == point:
        os.kill(os.getpid(), signal.SIGKILL)
command.process_environment = lambda: replace(made(), probe=probe)
from runner.cli.app import main
sys.argv[:2] = ["nightsheet"]
main()
"""


@pytest.fixture
def url(cluster: Cluster) -> str:
    """A database with nothing in it, not even a schema."""
    cluster.made += 1
    return cluster.new_database(f"empty_{cluster.made}")


def killed_at(point: str, here: Desk, *arguments: str) -> "subprocess.Popen[str]":
    """The command, which kills itself at a point of its way."""
    return subprocess.Popen(
        [sys.executable, "-c", _KILLED_AT, point, "db", *arguments],
        cwd=here.folder,
        env=environment(here.folder, here.api.base_url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def killed(here: Desk, point: str, *arguments: str) -> None:
    """Run the command until it is killed."""
    ended = await wait(killed_at(point, here, *arguments))
    assert ended.code == -signal.SIGKILL, ended.err


async def audited(here: Desk, *at: str) -> Any:
    """What `audit` says, which finds nothing wrong."""
    ended = await here.call("audit", "--json", *at)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.mark.parametrize("goes", ["up", "down"])
async def test_half_a_night_here_and_the_rest_there(url: str, tmp_path: Path, goes: str) -> None:
    """From a file to a server and the other way round: the books agree, and nothing is paid for twice."""
    first, then = ("nightsheet.db", url) if goes == "up" else (url, "back.db")
    async with desk(tmp_path) as here:
        if goes == "down":
            assert (await here.call("db", "init", url)).code == 0
        sheet = here.sheet(ROWS)
        half = await here.call("run", sheet, "--limit", "4", "--db", first, *QUICK)
        assert half.code == 0, half.err
        before = await audited(here, "--db", first)
        copied = await here.call("db", "copy", first, then)
        assert copied.code == 0, copied.err
        assert await audited(here, "--db", then) == before == await audited(here, "--db", first)
        refused = await here.call("run", sheet, "--db", first, *QUICK)
        assert refused.code == 73
        assert "is retired: its jobs are in" in refused.err
        assert then in refused.err
        assert len(here.service.ledger) == 4
        rest = await here.call("run", sheet, "--db", then, *QUICK)
        assert rest.code == 0, rest.err
        assert len(here.submits()) == ROWS
        assert set(here.submits().values()) == {1}, "a row was paid for twice"
        here.assert_pictures_whole()


async def test_kill_9_at_each_step_of_one_copy_after_another(url: str, tmp_path: Path) -> None:
    """Nobody works on either while the rows are on their way; the same copy completes it."""
    async with desk(tmp_path) as here:
        sheet = here.sheet(ROWS)
        assert (await here.call("run", sheet, "--limit", "4", *QUICK)).code == 0
        before = await audited(here)
        copy = ("copy", "nightsheet.db", url)
        for point in ("after retired", "after journals", "in copy"):
            await killed(here, point, *copy)
        refused = await here.call("run", sheet, *QUICK)
        assert refused.code == 73
        assert f"`nightsheet db copy {tmp_path / 'nightsheet.db'} {url}` completes it" in refused.err
        assert (await here.call("resume", "--db", url, *QUICK)).code == 2, "no batch is there yet"
        await killed(here, "after copy", *copy)
        assert (await here.call("run", sheet, *QUICK)).code == 73
        assert (await here.call("db", *copy)).code == 0
        assert await audited(here, "--db", url) == before
        rest = await here.call("run", sheet, "--db", url, *QUICK)
        assert rest.code == 0, rest.err
        assert len(here.submits()) == ROWS
        assert set(here.submits().values()) == {1}, "a row was paid for twice"
        here.assert_pictures_whole()
