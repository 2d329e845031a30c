"""docs/scripts.md, cron and systemd: a night is started again where that helps, never against a person."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from jobs.exit_codes import ExitCode, exit_code_of
from jobs.pauses import PauseReason
from runner.http.deadline import GRACE_SECONDS
from runner.lifecycle.signals import GRACE_SECONDS as DOWNLOADS_SECONDS
from runner.settings import Settings

PAGE = (Path(__file__).parents[4] / "docs" / "scripts.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## cron and systemd\n")[2].partition("\n## ")[0]
SERVICE, TIMER = re.findall(r"^```ini\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
(SCRIPT,) = re.findall(r"^```sh\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
STARTS = 8
KILLED = 128 + signal.SIGKILL

A_PERSON_MENDS = {exit_code_of(reason) for reason in PauseReason if reason is not PauseReason.OUTAGE} | {
    ExitCode.USAGE,
    ExitCode.SHEET_PROBLEMS,
    ExitCode.NO_SHEET,
}
"""A start by itself would end the same, or pay against a guard."""


def table() -> dict[int, bool]:
    """Whether a night is started again, by exit code."""
    rows = re.findall(r"^\| ([\d, ]+) \| (yes|no)\b", SECTION, re.MULTILINE)
    return {int(code): again == "yes" for codes, again in rows for code in codes.split(",")}


def values(key: str) -> list[str]:
    """The words of a key of the service."""
    (value,) = re.findall(rf"^{key}=(.*)$", SERVICE, re.MULTILINE)
    return str(value).split()


def test_every_exit_code_is_in_the_table() -> None:
    """An outage mends itself; nothing else does."""
    assert table() == {code: code is ExitCode.UNREACHABLE for code in ExitCode}
    assert not any(table()[code] for code in A_PERSON_MENDS)


def test_the_service_keeps_to_the_table() -> None:
    """systemd starts again on any failure but those that are named; 0 and what counts as success is none."""
    assert values("Restart") == ["on-failure"]
    prevented = {int(code) for code in values("RestartPreventExitStatus")}
    fine = {ExitCode.OK, *(int(code) for code in values("SuccessExitStatus"))}
    assert prevented >= A_PERSON_MENDS
    assert {code for code in ExitCode if code not in prevented | fine} == {
        code for code, again in table().items() if again
    }
    assert values("StartLimitBurst") == [str(STARTS)]


def test_the_service_gives_a_submit_time_to_be_recorded() -> None:
    """systemd kills what has not ended by then, and that would be a doubt."""
    (seconds,) = values("TimeoutStopSec")
    assert float(seconds) > Settings().submit_timeout + GRACE_SECONDS + DOWNLOADS_SECONDS


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    """No key is misspelt, none stands in the wrong section."""
    program = tmp_path / "nightsheet"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    service = re.sub(r"^ExecStart=\S+", f"ExecStart={program}", SERVICE, flags=re.MULTILINE)
    (tmp_path / "nightsheet.service").write_text(service)
    (tmp_path / "nightsheet.timer").write_text(TIMER)
    told = subprocess.run(
        ["systemd-analyze", "verify", "nightsheet.service", "nightsheet.timer"],
        cwd=tmp_path,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in told.stderr.splitlines() if "nightsheet" in line] == []


def _night(folder: Path, codes: list[int]) -> tuple[int, list[str]]:
    """How the script ends where one start after the other ends with these codes; what it called."""
    programs = folder / "bin"
    programs.mkdir()
    (folder / "token.env").write_text("RUNCOMFY_API_TOKEN=a-token-of-the-recipe\n")
    (folder / "codes").write_text("".join(f"{code}\n" for code in codes))
    calls = folder / "calls"
    (programs / "sleep").write_text(f'#!/bin/sh\necho "sleep $*" >>"{calls}"\n')
    (programs / "nightsheet").write_text(
        f'#!/bin/sh\necho "nightsheet $* $RUNCOMFY_API_TOKEN" >>"{calls}"\n'
        f'code=$(head -n 1 "{folder}/codes")\nsed -i.bak 1d "{folder}/codes"\n'
        f"[ $code = {KILLED} ] && kill -9 $$\nexit $code\n"
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    script = SCRIPT.replace("/home/ada/night", str(folder))
    assert script != SCRIPT
    ended = subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": f"{programs}:/usr/bin:/bin"}, capture_output=True, check=False
    )
    return ended.returncode, calls.read_text().splitlines()


START = "nightsheet run sheet.csv --yes --quiet a-token-of-the-recipe"


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("code", [*ExitCode, KILLED])
def test_the_script_keeps_to_the_table(tmp_path: Path, code: int) -> None:
    """It ends with the code of the last start, which cron's own mail and logs then have."""
    again = table().get(code, True)
    ended, calls = _night(tmp_path, [code, ExitCode.OK])
    assert ended == (ExitCode.OK if again else code)
    assert calls == ([START, "sleep 600", START] if again else [START])


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_the_script_does_not_start_for_ever(tmp_path: Path) -> None:
    """An API that stays away ends the night."""
    ended, calls = _night(tmp_path, [ExitCode.UNREACHABLE] * 20)
    assert ended == ExitCode.UNREACHABLE
    assert calls.count(START) == STARTS
