"""docs/recipes.md, and README's way from a sheet to pictures: each command as it stands, in a real shell."""

import csv
import json
import os
import plistlib
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.cli import app
from tests.support.command import Ended, environment

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
RECIPES = (ROOT / "docs" / "recipes.md").read_text()
SCRIPTS = (ROOT / "docs" / "scripts.md").read_text()
MOVING = (ROOT / "docs" / "moving.md").read_text()
README = (ROOT / "README.md").read_text()
DOCKERFILE = (ROOT / "docs" / "Dockerfile").read_text()
HEADER = "id,model,prompt,size,count"


def fenced(text: str, language: str) -> list[str]:
    """The blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    """What the recipes say below a heading."""
    return RECIPES.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def twenty(folder: Path, name: str) -> list[str]:
    """A sheet of twenty rows, of the form that README shows; its ids."""
    rows = [
        (
            f"r{n:02}",
            "bytedance/seedream-4-5/text-to-image",
            f"A red fox in fresh snow, take {n}",
            "2048x2048",
            "",
        )
        if n % 2
        else (f"r{n:02}", "bytedance/seedream-4-5/sequential", f"Two images of street {n}", "2560x1440", "2")
        for n in range(20)
    ]
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        writer.writerows(rows)
    return [row[0] for row in rows]


def shell(folder: Path, script: str, **variables: str) -> Ended:
    """Run a block of commands as it stands; `nightsheet` is in the PATH, and everything is a rehearsal."""
    shim = folder / "bin" / "nightsheet"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner.cli "$@"\n')
    shim.chmod(0o755)
    (shim.parent / "python3").unlink(missing_ok=True)
    (shim.parent / "python3").symlink_to(sys.executable)
    env = environment(folder, "http://127.0.0.1:1/v1") | {
        "PATH": f"{shim.parent}:{os.environ['PATH']}",
        "NIGHTSHEET_EMULATOR": "true",
        "NIGHTSHEET_SPEED": "1000",
    }
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=folder,
        env=env | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def states(folder: Path, batch: str) -> list[str]:
    """The states of a batch's rows, by its manifest."""
    lines = (folder / "outputs-emulator" / batch / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line)["state"] for line in lines]


def test_a_newcomer_s_own_twenty_rows_become_pictures(tmp_path: Path) -> None:
    """By README alone: its header, then its commands as printed."""
    (shown,) = fenced(README, "csv")
    assert shown.splitlines()[0] == HEADER
    twenty(tmp_path, "my.csv")
    (walk,) = [
        block for block in fenced(README, "") if block.startswith("nightsheet check my.csv --emulator")
    ]
    ended = shell(tmp_path, walk)
    assert ended.code == 0, ended.err
    assert states(tmp_path, "my") == ["succeeded"] * 20
    assert len(list((tmp_path / "outputs-emulator" / "my").glob("*/*.jpg"))) == 30
    with (tmp_path / "my-manifest.csv").open(newline="") as file:
        assert [record["state"] for record in csv.DictReader(file)] == ["succeeded"] * 20


def test_the_same_with_a_token_is_a_sample_and_the_rest(tmp_path: Path) -> None:
    """README's other block; a rehearsal asks nothing and needs no token."""
    twenty(tmp_path, "my.csv")
    (block,) = [block for block in fenced(README, "") if block.startswith("export RUNCOMFY_API_TOKEN")]
    ended = shell(tmp_path, block)
    assert ended.code == 0, ended.err
    assert states(tmp_path, "my") == ["succeeded"] * 20


def test_forty_rows_cost_what_readme_says(tmp_path: Path) -> None:
    """Twenty of one picture, twenty of three, at the stand-in's price."""
    rows = [f"s{n},bytedance/seedream-4-5/text-to-image,A fox {n},2048x2048," for n in range(20)]
    rows += [f"t{n},bytedance/seedream-4-5/sequential,Three streets {n},2560x1440,3" for n in range(20)]
    (tmp_path / "night.csv").write_text("\n".join([HEADER, *rows]))
    ended = shell(tmp_path, "nightsheet check night.csv --json")
    price = json.loads(ended.out)["price"]
    assert f"cost **${price['low_usd']:.2f} to ${price['high_usd']:.2f}** at $0.04 a picture" in README


def test_readme_s_picture_is_small() -> None:
    """It is there, and nobody waits for it."""
    ((path,),) = [re.findall(r"^!\[[^]]+\]\((.*)\)$", README, re.MULTILINE)]
    assert 20_000 < (ROOT / path).stat().st_size < 150_000


def test_a_sample_is_looked_at_and_the_rest_is_run(tmp_path: Path) -> None:
    """Five rows, then the other fifteen, and none twice."""
    twenty(tmp_path, "night.csv")
    sample, rest = fenced(section("A sample first"), "bash")
    first = shell(tmp_path, sample)
    assert first.code == 0, first.err
    assert states(tmp_path, "night").count("succeeded") == 5
    second = shell(tmp_path, rest)
    assert second.code == 0, second.err
    assert states(tmp_path, "night") == ["succeeded"] * 20
    audit = json.loads(shell(tmp_path, "nightsheet audit night --json").out)
    assert (audit["submits"], audit["balanced"]) == (20, True)


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Stands for ntfy and for Slack: its address, and what was posted."""
    posted: list[tuple[dict[str, str], bytes]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            posted.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/topic", posted
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("heading", "name"),
    [("News on your telephone: ntfy", "tell_ntfy.py"), ("News in Slack", "tell_slack.py")],
)
@pytest.mark.parametrize("budget", [None, "0.10"])
def test_news_are_told(heading: str, name: str, budget: str | None, tmp_path: Path) -> None:
    """Of an end, and of a pause; the command as it stands, to an address of this machine."""
    twenty(tmp_path, "night.csv")
    (program,), (block,) = fenced(section(heading), "python"), fenced(section(heading), "bash")
    (tmp_path / name).write_text(program)
    with receiver() as (address, posted):
        moved, times = re.subn(r"=https://\S+", f"={address}", block)
        assert times == 1
        ended = shell(tmp_path, moved, **({"NIGHTSHEET_BUDGET": budget} if budget else {}))
    assert ended.code == (0 if budget is None else 75), ended.err
    assert "did not take the news" not in ended.err
    headers, body = posted[-1]
    text = json.loads(body)["text"] if "slack" in name else headers["title"] + body.decode()
    assert "night" in text
    if budget is None:
        assert ("ended" in text, "20 of 20 jobs succeeded, $1.20" in text) == (True, True)
    else:
        assert ("paused" in text, "Paused (budget): " in text) == (True, True)
    if "ntfy" in name:
        assert headers["priority"] == ("default" if budget is None else "high")


def test_launchd_is_given_the_folder_and_the_script() -> None:
    """Those of the recipe for cron, which knows what starts a night again."""
    (text,) = fenced(section("macOS: launchd"), "xml")
    agent = plistlib.loads(text.encode())
    script = fenced(SCRIPTS.partition("\n## cron and systemd\n")[2], "sh")[0]
    folder = agent["WorkingDirectory"]
    assert f"cd {folder.replace('/Users/', '/home/')} " in script
    assert agent["ProgramArguments"][-2:] == ["/bin/sh", f"{folder}/night.sh"]
    assert agent["StartCalendarInterval"] == {"Hour": 23, "Minute": 0}
    assert "KeepAlive" not in agent
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", SCRIPTS, re.MULTILINE)
    assert agent["ExitTimeOut"] >= int(seconds)
    assert agent["Label"] in section("macOS: launchd").partition("```")[0]


def docker_runs(page: str) -> list[list[str]]:
    """The `docker run` lines of a page, as a shell would split them."""
    return [shlex.split(line) for line in re.findall(r"^    (docker run .*)$", page, re.MULTILINE)]


@pytest.mark.parametrize("page", [RECIPES, MOVING], ids=["recipes", "moving"])
def test_the_container_is_given_folders_and_a_command_line(page: str) -> None:
    """Its words behind the image are read by our own parser; the folder of the project is mounted whole."""
    (words,) = docker_runs(page)
    image = words.index("nightsheet")
    command, *arguments = words[image + 1 :]
    app.load(command).make_context(command, arguments).close()
    mounts = dict(words[at + 1].rpartition(":")[::2] for at, word in enumerate(words) if word == "-v")
    assert mounts == {"$PWD": "/work", "$HOME/.local/state": "/state"}
    assert "RUNCOMFY_API_TOKEN" in words
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", SCRIPTS, re.MULTILINE)
    assert words[words.index("--stop-timeout") + 1] == seconds


def test_the_image_holds_what_the_package_needs() -> None:
    """Every folder of the distribution, a Python that it supports, the state folder that is mounted."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    copied = [
        word for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    ]
    assert all((ROOT / word).exists() for word in copied)
    assert {"jobs", "runner", "migrations", "requirements.txt", "pyproject.toml"} <= set(copied)
    assert project["project"]["readme"] in copied
    (release,) = re.findall(r"^FROM python:(\d+\.\d+)-slim$", DOCKERFILE, re.MULTILINE)
    assert f"Programming Language :: Python :: {release}" in project["project"]["classifiers"]
    assert "ENV XDG_STATE_HOME=/state\nWORKDIR /work\n" in DOCKERFILE
    assert 'ENTRYPOINT ["nightsheet"]' in DOCKERFILE
    (build,) = re.findall(r"^    (docker build .*)$", RECIPES, re.MULTILINE)
    assert shlex.split(build) == ["docker", "build", "-f", "docs/Dockerfile", "-t", "nightsheet", "."]
    assert build in DOCKERFILE
