"""The real command on odd machines: no defect, the exit code as ever, and words that name what is odd."""

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import Ended, environment
from tests.support.small_pictures import picture

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
NIGHTSHEET = f"{sys.executable} -m runner.cli"
SHEET = "id,model,prompt,count\n" + "".join(
    f"r{row},bytedance/seedream-4-5/sequential,Two boats {row},2\n" for row in range(6)
)
RUN = "run sheet.csv --emulator --speed 2000 --quiet"


def shell(folder: Path, script: str, **variables: str) -> Ended:
    """Run a line of sh in a folder; `$N` is the command."""
    env = environment(folder, "http://127.0.0.1:1/v1") | {"N": NIGHTSHEET} | variables
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a sheet of six rows, two pictures each."""
    (tmp_path / "sheet.csv").write_text(SHEET)
    return tmp_path


def records(folder: Path) -> list[dict[str, object]]:
    """The records of the manifest of the last run."""
    lines = (folder / "outputs-emulator" / "sheet" / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_changes_nothing(closed: str, folder: Path) -> None:
    """As some service managers start a process; no file of ours gets the number of a stream."""
    ended = shell(folder, f"$N {RUN} {closed}")
    assert ended.code == 0, ended.err
    assert "defect" not in ended.out + ended.err
    assert [record["state"] for record in records(folder)] == ["succeeded"] * 6
    if "2>&-" not in closed:
        assert "To be sent: 6 jobs" in ended.err
    assert shell(folder, f"$N check missing.csv {closed}").code == 66


def test_a_sheet_from_a_closed_standard_input_is_an_empty_one(folder: Path) -> None:
    """65, not a defect."""
    ended = shell(folder, "$N check - --batch a --format csv <&-")
    assert ended.code == 65, ended.err
    assert "defect" not in ended.out + ended.err


def test_a_key_log_is_neither_written_nor_missed(folder: Path) -> None:
    """Its folder is not there, or it would have the keys of the night."""
    for file in ("/nonexistent/keys", str(folder / "keys")):
        ended = shell(folder, f"$N {RUN} --again", SSLKEYLOGFILE=file)
        assert ended.code == 0, ended.err
        assert "SSLKEYLOGFILE is ignored" in ended.err
    assert not (folder / "keys").exists()
    completing = shell(folder, "$N", SSLKEYLOGFILE="/x/y", _NIGHTSHEET_COMPLETE="source_bash")
    assert completing.err == ""


@pytest.mark.parametrize("command", ["run sheet.csv --emulator", "check sheet.csv", "status"])
def test_a_current_folder_that_is_gone_is_named(command: str, folder: Path) -> None:
    """73 where a relative name needs it."""
    ended = shell(folder, f"mkdir gone && cd gone && rmdir ../gone && $N {command}")
    assert ended.code == 73, ended.err
    assert ended.err.splitlines()[0] == "The current folder is gone: it was deleted, or moved away."


def test_without_relative_names_no_current_folder_is_missed(folder: Path) -> None:
    """The run is as ever."""
    words = f"run {folder}/sheet.csv --emulator --speed 2000 --db {folder}/a.db --output-dir {folder}/out"
    ended = shell(folder, f"mkdir gone && cd gone && rmdir ../gone && $N {words}")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (f"{RUN} --db loop", 73),
        (f"{RUN} --db loop/inside.db", 73),
        ("status --db loop", 73),
        (f"{RUN} --output-dir loop", 73),
        (f"{RUN} --output-dir loop/inside", 73),
        ("run loop.csv --emulator", 66),
        ("check loop.csv", 66),
    ],
)
def test_a_link_that_leads_to_itself_is_named(command: str, code: int, folder: Path) -> None:
    """Wherever a name is given."""
    for name in ("loop", "loop.csv"):
        (folder / name).symlink_to(name)
    ended = shell(folder, f"$N {command}")
    assert ended.code == code, ended.err
    assert "defect" not in ended.err
    assert "loop" in ended.err.splitlines()[0]


def test_a_folder_of_pictures_that_is_a_loop_is_named(folder: Path) -> None:
    """It comes from a setting."""
    (folder / "loop").symlink_to("loop")
    ended = shell(folder, "$N check sheet.csv", NIGHTSHEET_PICTURE_FOLDERS="loop")
    assert "defect" not in ended.err
    assert (ended.code, "leads to itself" in ended.err) == (73, True)


@pytest.mark.parametrize("files", [32, 64])
def test_few_open_files_slow_a_run_down_and_fail_nothing(files: int, folder: Path) -> None:
    """It says how many jobs are in flight instead, and why."""
    ended = shell(folder, f"ulimit -n {files}; $N {RUN} --concurrency 64")
    assert ended.code == 0, ended.err
    assert f"This process may open {files} files at once (ulimit -n)" in ended.err
    assert [record["state"] for record in records(folder)] == ["succeeded"] * 6


def test_a_soft_limit_is_raised_without_a_word(folder: Path) -> None:
    """macOS gives 256 to begin with, and more to whoever asks."""
    ended = shell(folder, f"ulimit -Sn 40; $N {RUN}")
    assert ended.code == 0, ended.err
    assert "ulimit" not in ended.err


def test_too_few_open_files_are_said_before_anything_is_sent(folder: Path) -> None:
    """73, the limit by its name."""
    ended = shell(folder, f"ulimit -n 24; $N {RUN}")
    assert ended.code == 73, ended.err
    assert "This process may open 24 files at once (ulimit -n), and a run needs 32." in ended.err
    assert not (folder / "nightsheet-emulator.db").exists()


def test_what_pillow_finds_odd_stays_off_the_terminal(folder: Path) -> None:
    """EXIF that breaks off, and further pictures in a JPEG that are none: both are taken, and drawn from."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01"
    for name, kind, note in (("a.jpg", 0xE1, exif), ("b.jpg", 0xE2, b"MPF\0garbage")):
        plain = picture("JPEG", (256, 256))
        (folder / name).write_bytes(
            plain[:2] + struct.pack(">BBH", 0xFF, kind, len(note) + 2) + note + plain[2:]
        )
    (folder / "refs.csv").write_text(
        "prompt,model,images\nA fox,bytedance/seedream-4-5/edit-sequential,a.jpg|b.jpg\n"
    )
    checked = shell(folder, "$N check refs.csv --emulator", PYTHONWARNINGS="default")
    ended = shell(folder, "$N run refs.csv --emulator --speed 2000 --quiet")
    assert (checked.code, ended.code) == (0, 0), checked.err + ended.err
    assert "PIL" not in checked.err + ended.err
    assert "Warning:" not in checked.err + ended.err


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no list of open files here")
@pytest.mark.parametrize(
    ("beside", "searched"),
    [("runner.py", "current"), ("jobs.py", "first"), ("migrations/__init__.py", "first")],
)
def test_a_module_of_the_same_name_is_in_nobody_s_way(folder: Path, beside: str, searched: str) -> None:
    """In a folder of PYTHONPATH, or in the current one: ours are found, by what a run starts as well."""
    odd = folder / "pipeline" if searched == "first" else folder
    (odd / beside).parent.mkdir(parents=True, exist_ok=True)
    (odd / beside).write_text("raise SystemExit('the wrong one')\n")
    path = os.pathsep.join(
        [str(odd), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), str(ROOT)]
    )
    ended = shell(folder, f"{sys.executable} -m nightsheet {RUN}", PYTHONPATH=path)
    assert (ended.code, "wrong" in ended.err) == (0, False), ended.err
    assert [record["state"] for record in records(folder)] == ["succeeded"] * 6


def test_a_stream_s_number_is_never_a_file_s(tmp_path: Path) -> None:
    """Whatever writes to it would write into that file."""
    script = (
        "import os; from runner.cli.console.streams import prepare; prepare(); "
        "file = open('notes', 'w'); "
        "print(file.fileno() > 2, [os.readlink(f'/proc/self/fd/{n}') for n in range(3)], file=file)"
    )
    (tmp_path / "script.py").write_text(script)
    shell(tmp_path, f"{shutil.which(sys.executable)} script.py <&- >&- 2>&-", PYTHONPATH=str(Path.cwd()))
    assert (tmp_path / "notes").read_text() == "True ['/dev/null', '/dev/null', '/dev/null']\n"
