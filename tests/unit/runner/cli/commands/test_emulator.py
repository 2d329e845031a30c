"""`nightsheet emulator`, and a whole night with the stand-in."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.unit.runner.cli.world import World

ROOT = Path(__file__).parents[5]
CODE = "import sys; from runner.cli.app import main; sys.argv = ['nightsheet', *sys.argv[1:]]; main()"


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(signum: signal.Signals, tmp_path: Path) -> None:
    """Two lines that say how to use it; then exit 0, without a word."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHEET_")}
    with subprocess.Popen(
        [sys.executable, "-c", CODE, "emulator", "--port", "0"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        base = process.stdout.readline().strip().removeprefix("export RUNCOMFY_MODEL_API_BASE=")
        assert process.stdout.readline() == "export RUNCOMFY_API_TOKEN=anything\n"
        url = f"{base}/models/bytedance/seedream-4-5/sequential"
        request = urllib.request.Request(url, headers={"Authorization": "Bearer anything"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signum)
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--faults", "cursed"), "fault profile 'cursed'"),
        (("--speed", "0"), "--speed"),
        (("--port", "99999"), "port"),
        (("--set", "slots=0"), "--set slots"),
    ],
)
def test_what_does_not_do_exits_2(world: World, arguments: tuple[str, ...], said: str) -> None:
    """Before anything listens."""
    ran = world.run("emulator", *arguments)
    assert ran.code == 2
    assert said in ran.err


def test_a_night_with_the_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the sheet to the manifest, through every part, and again without a second payment."""
    from runner.cli import app

    monkeypatch.chdir(tmp_path)
    sheet = tmp_path / "night.csv"
    sheet.write_text("id,prompt,model\na,A pier,bytedance/seedream-4-5/text-to-image\n")

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["nightsheet", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().out

    arguments = (
        "run",
        "night.csv",
        "--emulator",
        "--speed",
        "1000",
        "--poll-min",
        "0.01",
        "--quiet",
        "--json",
    )
    code, out = run(*arguments)
    assert code == 0
    first = json.loads(out)
    assert (first["counts"]["succeeded"], first["submits"], first["pictures"]) == (1, 1, 1)
    manifest = tmp_path / "outputs-emulator" / "night" / "manifest.jsonl"
    assert first["manifests"][0] == str(manifest)
    (image,) = json.loads(manifest.read_text("utf-8"))["images"]
    assert (manifest.parent / image["path"]).stat().st_size == image["bytes"]
    code, out = run(*arguments)
    assert (code, json.loads(out)["submits"]) == (0, 1)
    code, out = run("status", "--emulator", "--json")
    assert json.loads(out)["cost"] == {"spent_usd": 0.04, "estimate_usd": 0.04, "in_doubt_usd": 0.0}


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_what_is_set_is_what_it_answers(tmp_path: Path) -> None:
    """Each `--set` counts."""
    chosen = ["--set", "price_unit=second", "--set", 'price_usd={"":0.5}']
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHEET_")}
    with subprocess.Popen(
        [sys.executable, "-c", CODE, "emulator", "--port", "0", *chosen],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        base = process.stdout.readline().partition("=")[2].strip()
        url = f"{base}/models/bytedance/seedream-4-5/sequential"
        request = urllib.request.Request(url, headers={"Authorization": "Bearer anything"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            page = json.load(answer)
        process.terminate()
        assert process.wait(10) == 0
    assert (page["price_unit"], page["base_price_usd"]) == ("second", 0.5)
