"""A server by each way that there is to name it, with all that people do there; and one that stays away."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio import to_thread

from tests.support.command import QUICK, desk, environment, start, until, wait
from tests.support.postgres import USER, Cluster, run

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

_IMPATIENT = """
import sys
import jobs.store.postgres.database as database
import runner.recovery.server_lock as server_lock
database.PATIENCE_SECONDS = server_lock.PATIENCE_SECONDS = 3.0  # of 120
from runner.cli.app import main
main()
"""
_WITHOUT_DRIVER = "import sys; sys.modules['psycopg'] = None; from runner.cli.app import main; main()"


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    """A database with the job table in it."""
    return cluster.place(tmp_path / "night.db")


@pytest.fixture
def running_again(cluster: Cluster) -> Iterator[None]:
    """Whatever becomes of the test, the others have their server."""
    yield
    if not (cluster.folder / "data" / "postmaster.pid").exists():
        cluster.control("-l", str(cluster.folder / "log"), "start")


@pytest.mark.parametrize("way", ["service", "socket"])
async def test_a_night_by_a_service_and_by_a_socket(
    cluster: Cluster, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Neither host nor port is in the address, and the password is where libpq finds it."""
    name = url.rpartition("/")[2]
    if way == "service":
        said = f"[studio]\nhost=127.0.0.1\nport={cluster.port}\ndbname={name}\nuser={USER}\n"
        (tmp_path / "services").write_text(said, encoding="ascii")
        monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
        address = "postgresql://?service=studio"
    else:
        address = f"postgresql://{USER}@/{name}?host={cluster.folder}&port={cluster.port}"
    async with desk(tmp_path) as here:
        ended = await here.call("run", here.sheet(3), "--db", address, *QUICK)
        assert ended.code == 0, ended.err
        assert set(here.submits().values()) == {1}
        status = await here.call("status", "--db", address)
        assert status.code == 0, status.err
    assert run(url, "SELECT count(*) AS many FROM job WHERE state = 'succeeded'") == [{"many": 3}]
    folders = list((tmp_path / ".local/state/nightsheet/servers").iterdir())
    assert len(folders) == 1, "one journal for one address"


async def test_the_page_over_a_server(url: str, tmp_path: Path) -> None:
    """It shows what lies there, and a decision of a person is kept there."""
    async with desk(tmp_path) as here:
        assert (await here.call("run", here.sheet(2), "--db", url, *QUICK)).code == 0
        process = here.start("view", "--db", url, "--json")
        try:
            assert process.stdout is not None
            told = json.loads(await to_thread.run_sync(process.stdout.readline))
            tiles, decided = await to_thread.run_sync(looked_at, told)
        finally:
            process.send_signal(signal.SIGINT)
            ended = await wait(process)
    assert b"row-0" in tiles
    assert decided == 200
    assert (ended.code, ended.err) == (0, "")
    assert run(url, "SELECT stars FROM decision") == [{"stars": 4}]


def looked_at(told: dict[str, str]) -> tuple[bytes, int]:
    """Come by the link, look at a job, and give it stars."""
    origin = f"http://127.0.0.1:{told['port']}"
    link = told["url"].partition("#")[2]
    headers = {"Origin": origin, "Content-Type": "application/json"}

    def post(path: str, body: object, more: dict[str, str]) -> urllib.request.Request:
        return urllib.request.Request(f"{origin}{path}", json.dumps(body).encode(), headers | more)

    with urllib.request.urlopen(post("/enter", {"link": link}, {}), timeout=30) as answer:
        cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
        key = {"X-Nightsheet-Key": json.load(answer)["key"]}
    items = urllib.request.Request(f"{origin}/api/sheet/items?key=row-0", headers=cookie)
    with urllib.request.urlopen(items, timeout=30) as answer:
        seen = answer.read()
    act = {"decisions": [{"key": "row-0", "stars": 4}]}
    with urllib.request.urlopen(post("/api/sheet/decisions", act, cookie | key), timeout=30) as answer:
        return seen, answer.status


@pytest.mark.parametrize("command", [("status",), ("run", "sheet.csv", "--yes"), ("db", "init"), ("doctor",)])
async def test_without_the_driver(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A sentence that says what to install; no traceback."""
    (tmp_path / "sheet.csv").write_text("prompt\na fox\n", encoding="ascii")
    url = "postgresql://studio@127.0.0.1:9/nightsheet"
    at = (url,) if command[0] == "db" else ("--db", url)
    ended = await wait(as_code(_WITHOUT_DRIVER, tmp_path, *command, *at))
    said = " ".join((ended.out + ended.err).split())
    assert ended.code == (1 if command[0] == "doctor" else 2), said
    assert "psycopg, which is not installed" in said
    assert "pip install 'nightsheet[postgres]'" in said
    assert "Traceback" not in said


def as_code(
    code: str, folder: Path, *arguments: str, base: str = "http://127.0.0.1:9"
) -> "subprocess.Popen[str]":
    """The command, after some code."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment(folder, base),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("running_again")
async def test_a_server_that_stays_away(cluster: Cluster, url: str, tmp_path: Path) -> None:
    """Longer than anybody waits: exit 73, nothing more is sent, and the next run goes on with all of it."""
    rows = 30
    async with desk(tmp_path, speed=20.0, picture_scale=1 / 32) as here:
        (tmp_path / "nightsheet.toml").write_text("guard_unconfirmed = 0\n")
        at = ("--db", url, *QUICK)
        base = here.api.base_url
        process = as_code(_IMPATIENT, tmp_path, "run", here.sheet(rows), *at, base=base)
        await until(lambda: len(here.service.ledger) >= 4, process)
        await to_thread.run_sync(cluster.control, "-m", "immediate", "stop")
        ended = await wait(process)
        assert ended.code == 73, ended.err
        assert "Traceback" not in ended.err
        assert "defect" not in ended.err
        sent = len(here.service.ledger)
        assert sent < rows, "a server that is away has no intents"
        await to_thread.run_sync(cluster.control, "-l", str(cluster.folder / "log"), "start")
        again = await wait(start(tmp_path, base, "resume", *at))
        left = run(url, "SELECT count(*) AS many FROM job WHERE state = 'unconfirmed'")[0]["many"]
        assert again.code == (1 if left else 0), again.err
        assert left <= 4, "what was on its way"
        assert set(here.submits().values()) == {1}, "a row was paid for twice"
        assert len(here.submits()) == rows
