"""`nightsheet view`: it listens, prints a link that is good once, and ends when it is told to."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from jobs.store.sqlite.thumb_file import ThumbFile
from runner.clock import SystemClock
from runner.downloads.thumbnail import KEPT_SIDE
from runner.page.access.links import announced
from tests.architecture.test_import_cost import loaded_by
from tests.unit.runner.cli.world import World, job

ROOT = Path(__file__).parents[5]
CODE = "import sys; from runner.cli.app import main; sys.argv = ['nightsheet', *sys.argv[1:]]; main()"
CANARY = "canary-9f3e-of-the-page"


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The real command, with a token that it has no business with."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHEET_")}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, "view", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "RUNCOMFY_API_TOKEN": CANARY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(world: World, signum: signal.Signals) -> None:
    """One line as JSON once it listens; the link lets in once; exit 0, without a word."""
    world.load(job(0, "a"))
    with started(world.folder, "night", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = json.loads(process.stdout.readline())
        assert sorted(told) == ["pid", "port", "url"]
        assert told["pid"] == process.pid
        origin = f"http://127.0.0.1:{told['port']}"
        address, _, link = told["url"].partition("#")
        assert address == f"{origin}/b/night/"
        headers = {"Origin": origin, "Content-Type": "application/json"}
        entry = urllib.request.Request(f"{origin}/enter", json.dumps({"link": link}).encode(), headers)
        with urllib.request.urlopen(entry, timeout=20) as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
            assert json.load(answer)["rights"] == "decide"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(entry, timeout=20)
        for path in ("status", "tiles", "items?key=a", "facets"):
            asked = urllib.request.Request(f"{origin}/api/night/{path}", headers={"Cookie": cookie})
            with urllib.request.urlopen(asked, timeout=20) as answer:
                assert CANARY.encode() not in answer.read()
        process.send_signal(signum)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_without_a_batch_it_begins_at_the_list(world: World) -> None:
    """A database without one has a page as well; the link stands alone on standard output."""
    world.store(lambda store: store.tiles.batches())
    with started(world.folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline().partition("#")[0].endswith("/")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "until Ctrl-C" in err


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_thumbnails_are_forgotten(world: World) -> None:
    """Before the page begins; without the option they stay."""
    world.load(job(0, "a"))
    kept = ThumbFile.beside(world.database)
    kept.put("a" * 64, KEPT_SIDE, b"x")
    kept.close()
    for options, is_left in (((), True), (("--forget-thumbnails",), False)):
        with started(world.folder, "--json", *options) as process:
            assert process.stdout is not None
            json.loads(process.stdout.readline())
            file = ThumbFile.beside(world.database)
            assert (file.get("a" * 64, KEPT_SIDE) is not None) is is_left
            file.close()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 0
    ran = world.run("view", "--link", "--forget-thumbnails")
    assert (ran.code, "--forget-thumbnails is for a page" in ran.err) == (2, True)


def test_what_is_not_there_is_told(world: World) -> None:
    """No database, no such batch, a port that is taken."""
    assert world.run("view").code == 2
    world.load(job(0, "a"))
    assert "There is no batch 'nobody'" in world.run("view", "nobody").err
    assert world.run("view", "--port", "99999").code == 2


def test_a_port_that_is_taken_is_told(world: World) -> None:
    """With what to do."""
    import socket

    world.load(job(0, "a"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = world.run("view", "--port", str(taken.getsockname()[1]))
    assert ran.code == 2
    assert "cannot listen on port" in ran.err
    assert "Choose another --port" in ran.err


def test_the_page_s_process_loads_nothing_that_knows_the_token() -> None:
    """Neither the vendor's package nor a client of HTTP: what is not there reads nothing and asks nobody."""
    modules = "runner.page.server, runner.cli.commands.view"
    code = f"import sys, {modules}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {name for name in done.stdout.split() if name.startswith(("runner.providers", "runner.http."))}
    assert found <= {"runner.providers", "runner.providers.base"}, (
        "more than what an API may answer, as types"
    )
    assert loaded_by("runner.page.server") & {"httpx", "aiohttp"} == set()


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_another_link_of_a_page_that_is_served(world: World) -> None:
    """From another process, once; with what the page lets one do, and where it listens."""
    world.load(job(0, "a"))
    with started(world.folder, "--json", "--look") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        ran = world.run("view", "night", "--link", "--json")
        assert ran.code == 0, ran.err
        other = json.loads(ran.out)
        assert (other["port"], other["pid"]) == (told["port"], process.pid)
        address, _, link = other["url"].partition("#")
        origin = f"http://127.0.0.1:{told['port']}"
        assert address == f"{origin}/b/night/"
        assert link not in told["url"]
        headers = {"Origin": origin, "Content-Type": "application/json"}
        entry = urllib.request.Request(f"{origin}/enter", json.dumps({"link": link}).encode(), headers)
        with urllib.request.urlopen(entry, timeout=20) as answer:
            assert json.load(answer) == {"key": None, "rights": "look"}
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(entry, timeout=20)
        assert world.run("view", "--link", "--port", str(told["port"])).out.startswith(origin)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    ran = world.run("view", "--link")
    assert (ran.code, "You serve no page over" in ran.err) == (2, True)
    assert "nightsheet view" in ran.err


def test_a_link_of_no_page_or_of_several(world: World) -> None:
    """Told, with what to do; a page over another database is none of this one."""
    world.load(job(0, "a"))
    state = world.folder / ".local" / "state" / "nightsheet"
    assert world.run("view", "--link", "--look").code == 2
    with announced(state, world.folder / "other.db", 7, SystemClock()):
        assert "You serve no page over" in world.run("view", "--link").err
    with (
        announced(state, world.database, 8760, SystemClock()),
        announced(state, world.database, 8761, SystemClock()),
    ):
        ran = world.run("view", "--link")
        assert (ran.code, "on the ports 8760, 8761" in ran.err) == (2, True)
        assert world.run("view", "--link", "--port", "8761").out.startswith("http://127.0.0.1:8761/b/night/#")
        assert "on port 99" in world.run("view", "--link", "--port", "99").err


def test_a_folder_that_takes_no_link(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told in words."""
    world.load(job(0, "a"))

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.page.access.links.lay_link", full)
    state = world.folder / ".local" / "state" / "nightsheet"
    with announced(state, world.database, 8760, SystemClock()):
        ran = world.run("view", "--link")
    assert (ran.code, "No link can be made: No space left" in ran.err) == (2, True)
