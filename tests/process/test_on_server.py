"""The real command over a job table on a real PostgreSQL: whatever happens to either, nothing is paid
twice.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from anyio import to_thread

from tests.support.command import QUICK, Desk, desk, environment, start, until, wait
from tests.support.postgres import Cluster, run

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

GATE = 4


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    """A database with the job table in it."""
    return cluster.place(tmp_path / "night.db")


def submitted(here: Desk) -> int:
    return len(here.service.ledger)


def states(url: str) -> dict[str, int]:
    return {
        row["state"]: row["many"] for row in run(url, "SELECT state, count(*) AS many FROM job GROUP BY 1")
    }


def once(here: Desk, rows: int) -> None:
    """Every row was paid for once, and none twice."""
    assert len(here.submits()) == rows
    assert set(here.submits().values()) == {1}, "a row was paid for twice"


async def told(process: "subprocess.Popen[str]", words: str) -> None:
    """Wait until the command says so on standard error."""
    assert process.stderr is not None
    while words not in (line := await to_thread.run_sync(process.stderr.readline)):
        assert line, f"it ended without {words!r}"


async def test_a_night_from_the_empty_database_on(cluster: Cluster, tmp_path: Path) -> None:
    """Made by hand once; then every command finds it, and what is pasted has its address."""
    cluster.made += 1
    url = cluster.new_database(f"empty_{cluster.made}")
    at = ("--db", url)
    async with desk(tmp_path) as here:
        sheet = here.sheet(12)
        before = await here.call("run", sheet, *at, *QUICK)
        assert before.code == 73
        assert f"`nightsheet db init {url}` makes it" in " ".join(before.err.split())
        assert (await here.call("db", "init", url)).out.startswith("The job table is made.")
        ended = await here.call("run", sheet, *at, *QUICK)
        assert ended.code == 0, ended.err
        once(here, 12)
        here.assert_pictures_whole()
        again = await here.call("run", sheet, *at, *QUICK)
        assert again.code == 0, again.err
        paused = await here.call("pause", *at)
        assert f"Next: nightsheet resume sheet --db {url}" in paused.out
        assert (await here.call("audit", *at)).code == 0
        assert (await here.call("resume", *at, *QUICK)).code == 0
        once(here, 12)
    assert not (tmp_path / "nightsheet.db").exists()
    servers = tmp_path / ".local" / "state" / "nightsheet" / "servers"
    assert len(list(servers.glob("*/table.journal/*.journal"))) == 1, "the witness lies on this machine"


async def test_a_second_runner_is_refused_wherever_it_is(url: str, tmp_path: Path) -> None:
    """Another folder, another home: as another machine would be. `status` and `pause` work from there."""
    there = tmp_path / "there"
    there.mkdir()
    async with desk(tmp_path, speed=2.0) as here:
        first = here.start("run", here.sheet(30), "--db", url, *QUICK)
        await until(lambda: submitted(here) > 0, first)
        (there / "sheet.csv").write_text((tmp_path / "sheet.csv").read_text())
        base = here.api.base_url
        second = await wait(start(there, base, "run", "sheet.csv", "--db", url, *QUICK))
        assert second.code == 73
        assert f"(process {first.pid} on " in second.err
        assert f"holds {url}" in second.err
        shown = await wait(start(there, base, "status", "--db", url))
        assert shown.code == 0, shown.err
        assert (await wait(start(there, base, "pause", "--db", url))).code == 0
        assert (await wait(first)).code == 75
        assert (await wait(start(there, base, "resume", "--db", url, "--yes"))).code in {0, 1}


async def test_who_works_is_listed(url: str, tmp_path: Path) -> None:
    """From anywhere, while it works; a kill leaves its row until another one finds its process gone."""
    async with desk(tmp_path, speed=0.5) as here:
        asked = ("runners", "--db", url, "--json")
        assert json.loads((await here.call(*asked)).out) == []
        process = here.start("run", here.sheet(12), "--db", url, *QUICK)
        await until(lambda: submitted(here) > 0 and bool(run(url, _AT_WORK)), process)
        (one,) = json.loads((await here.call(*asked)).out)
        assert (one["pid"], one["batch"]) == (process.pid, "sheet")
        assert sum(one["in_hand"].values()) > 0
        assert one["last_beat_seconds"] < 30
        shown = await here.call("runners", "--db", url)
        assert str(process.pid) in shown.out
        process.kill()
        await wait(process)
        assert (await here.call("review", "--db", url)).code == 0
        assert json.loads((await here.call(*asked)).out) == []
    assert [row["why"] for row in run(url, "SELECT why FROM runner ORDER BY id")] == ["gone", "ended"]


_AT_WORK = "SELECT 1 FROM runner WHERE batch_id IS NOT NULL"


async def test_kill_9_in_a_submit_and_again(url: str, tmp_path: Path) -> None:
    """The server lets go of the lock; what was on its way is in doubt, and is not sent again."""
    rows = 40
    (tmp_path / "nightsheet.toml").write_text("guard_unconfirmed = 0\n")
    async with desk(tmp_path, speed=400.0, picture_scale=1 / 32) as here:
        sheet = here.sheet(rows)
        for enough in (6, 18):
            process = here.start("run", sheet, "--db", url, *QUICK)
            await until(lambda enough=enough: submitted(here) >= enough, process)  # type: ignore[misc]
            process.kill()
            await wait(process)
            assert set(here.submits().values()) <= {1}
        ended = await here.call("run", sheet, "--db", url, *QUICK)
        left = states(url)
        unconfirmed = left.pop("unconfirmed", 0)
        assert ended.code == (1 if unconfirmed else 0), ended.err
        assert unconfirmed <= 2 * GATE
        assert left == {"succeeded": rows - unconfirmed}
        assert set(here.submits().values()) == {1}, "a row was paid for twice"


async def test_the_server_restarts_during_a_run(cluster: Cluster, url: str, tmp_path: Path) -> None:
    """The run rides it out, and takes its lock again."""
    rows = 40
    async with desk(tmp_path, speed=50.0, picture_scale=1 / 32) as here:
        process = here.start("run", here.sheet(rows), "--db", url, *QUICK)
        await until(lambda: submitted(here) >= 5, process)
        await to_thread.run_sync(
            cluster.control, "-l", str(cluster.folder / "log"), "-m", "immediate", "restart"
        )
        ended = await wait(process)
        assert ended.code == 0, ended.err
        once(here, rows)
        assert states(url) == {"succeeded": rows}
        here.assert_pictures_whole()
    assert run(url, "SELECT why FROM runner") == [{"why": "ended"}], "nobody had taken over"


_STOPS_AT = """
import os, signal, sys
from dataclasses import replace
import runner.cli.steps.open as steps
from jobs.store.runners import lease
lease.SEND_WINDOW_SECONDS = 1.0  # the other run takes longer
made = steps.process_environment
point = sys.argv[1]
seen = []
def probe(name):
    seen.append(name)
    if name == point and seen.count(name) == 3:
        os.kill(os.getpid(), signal.SIGSTOP)
def stopping():
    return replace(made(), probe=probe)
steps.process_environment = stopping
import runner.cli.commands.run as command
command.process_environment = stopping
from runner.cli.app import main
sys.argv[:2] = ["nightsheet"]
main()
"""


def stopping_at(point: str, folder: Path, base: str, *arguments: str) -> "subprocess.Popen[str]":
    """The command, which stops itself as by SIGSTOP at its third pass of a point."""
    return subprocess.Popen(
        [sys.executable, "-c", _STOPS_AT, point, *arguments],
        cwd=folder,
        env=environment(folder, base),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_stopped(process: "subprocess.Popen[str]") -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells whether a process stands")
@pytest.mark.parametrize(
    "point", ["before intent", "after intent", "after journal", "before submit", "after submit", "after end"]
)
async def test_a_runner_that_stood_still_while_another_took_over(
    cluster: Cluster, url: str, tmp_path: Path, point: str
) -> None:
    """It is stopped inside a submit, its lock is lost, another runner does the rest; then it goes on.

    What it had not sent it does not send any more; what it had sent it tells the table.
    """
    rows = 16
    there = tmp_path / "there"
    there.mkdir()
    (there / "nightsheet.toml").write_text("guard_unconfirmed = 0\n")
    async with desk(tmp_path, speed=400.0, picture_scale=1 / 32) as here:
        sheet = here.sheet(rows)
        base = here.api.base_url
        process = stopping_at(point, tmp_path, base, "run", sheet, "--db", url, *QUICK)
        try:
            await until(lambda: is_stopped(process), process)
            assert process.poll() is None
            # As the server does itself with a session that stands still for half a minute.
            name = url.rpartition("/")[2]
            cluster.administer(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            other = await wait(start(there, base, "resume", "--db", url, *QUICK))
            assert other.code in {0, 1}, other.err
            if states(url).get("unconfirmed"):
                again = ("review", "--resubmit", "all", "--db", url, "--yes")
                refused = await wait(start(there, base, *again))
                assert refused.code == 1, refused.err
                assert "may only be asleep" in " ".join(f"{refused.out} {refused.err}".split())
            process.send_signal(signal.SIGCONT)
            ended = await wait(process)
        finally:
            process.kill()
        assert ended.code == 73, ended.err
        assert "Another runner has taken over" in ended.err
        assert "Traceback" not in ended.err
        assert "defect" not in ended.err
        last = await wait(start(there, base, "resume", "--db", url, *QUICK))
        left = states(url)
        unconfirmed = left.pop("unconfirmed", 0)
        assert last.code == (1 if unconfirmed else 0), last.err
        assert left == {"succeeded": rows - unconfirmed}
        assert set(here.submits().values()) == {1}, "a row was paid for twice"
