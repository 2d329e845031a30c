"""What `runner` exports: the names, what they cost to import, and the program in docs/python.md."""

import asyncio
import inspect
import io
import re
from contextlib import redirect_stdout
from decimal import Decimal
from importlib.metadata import metadata
from pathlib import Path
from threading import Thread
from typing import get_type_hints

import pytest

import runner
from jobs.errors import NoSheet, UsageProblem
from jobs.exit_codes import ExitCode
from jobs.states import JobState
from runner import Ask, check_sheet, read_manifest, resume_batch, run_sheet, watch_batch
from runner.clock import SystemClock
from runner.emulator.http.server import serve
from runner.emulator.settings import EmulatorSettings
from runner.library import SettingValues
from runner.settings import Settings
from tests.architecture.test_import_cost import HEAVY, loaded_by

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(PRINTED,) = re.findall(r"^It prints:\n\n```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MODEL = "bytedance/seedream-4-5/text-to-image"
NAMES = [
    *("Ask", "BatchSnapshot", "ManifestRecord", "NightsheetError", "Observer", "Progress", "RunReport"),
    *("Selection", "SheetCheck", "check_sheet", "read_manifest", "resume_batch", "run_sheet", "watch_batch"),
]
FAST: SettingValues = {"emulator": True, "speed": 1000.0, "poll_min": 0.01}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and nothing of this machine's settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN", "RUNCOMFY_MODEL_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def sheet(folder: Path, *prompts: str) -> Path:
    path = folder / "a.csv"
    rows = [f"k{number},{prompt},{MODEL}\n" for number, prompt in enumerate(prompts)]
    path.write_text("id,prompt,model\n" + "".join(rows))
    return path


def test_the_names_are_pinned() -> None:
    """A program that imports one today can do so tomorrow; each is on the page, and is there."""
    assert runner.__all__ == NAMES
    assert [name for name in NAMES if f"`{name}" not in PAGE and f"await {name}(" not in PAGE] == []
    assert [name for name in NAMES if not hasattr(runner, name)] == []
    assert set(NAMES) <= set(dir(runner))
    with pytest.raises(AttributeError, match="no attribute 'frob'"):
        _ = runner.frob


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (check_sheet, "sheet batch model observer settings"),
        (run_sheet, "sheet batch model consent observer selection settings"),
        (resume_batch, "batch consent observer selection settings"),
        (watch_batch, "batch every_seconds settings"),
        (read_manifest, "path"),
    ],
)
def test_the_parameters_are_pinned(function: object, parameters: str) -> None:
    """By their names, as programs pass them."""
    assert callable(function)
    assert " ".join(inspect.signature(function).parameters) == parameters


def test_every_setting_can_be_passed() -> None:
    """But those that are about a terminal."""
    of_a_terminal = {"as_json", "quiet", "verbose"}
    assert set(get_type_hints(SettingValues)) == set(Settings.model_fields) - of_a_terminal


def test_importing_it_is_cheap() -> None:
    """Every module of the project imports it."""
    assert loaded_by("runner") & HEAVY == set()


def test_it_is_typed() -> None:
    """As the classifier says."""
    assert "Typing :: Typed" in metadata("nightsheet").get_all("Classifier", [])
    assert all((ROOT / package / "py.typed").is_file() for package in ("jobs", "runner", "migrations"))


def test_the_program_of_the_page(here: Path) -> None:
    """As it stands, letter by letter."""
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(PROGRAM, "docs/python.md", "exec"), {"__name__": "__main__"})
    assert out.getvalue() == PRINTED
    assert (here / "outputs-emulator" / "animals" / "fox" / "01.jpg").is_file()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_problems_are_returned(here: Path) -> None:
    """All of them, whether they are in a row or make the sheet unreadable; nothing is loaded."""
    bad = await check_sheet(sheet(here, "a fox", ""), emulator=True)
    assert (bad.ok, [problem.row for problem in bad.problems]) == (False, [3])
    (here / "b.csv").write_text("id,model\n")
    assert not (await check_sheet("b.csv", emulator=True)).ok
    with pytest.raises(NoSheet):
        await check_sheet("none.csv")
    assert names_in(here) == ["a.csv", "b.csv"]


async def test_what_is_not_sent_is_named(here: Path) -> None:
    """Columns of one's own; and a price that nobody knows is None."""
    (here / "c.csv").write_text(f"prompt,model,mood\nA fox,{MODEL},calm\n")
    plan = await check_sheet("c.csv")
    assert (plan.columns_not_sent, plan.low_usd, plan.jobs_to_send) == (("mood",), None, 1)


async def test_nothing_is_paid_unasked(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by default nor against a no."""
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "anything")
    asked: list[Ask] = []

    async def no(ask: Ask) -> bool:
        asked.append(ask)
        return False

    async with serve(EmulatorSettings(speed=1000), SystemClock()) as api:
        monkeypatch.setenv("RUNCOMFY_MODEL_API_BASE", api.base_url)
        with pytest.raises(UsageProblem, match="nobody agreed to pay"):
            await run_sheet(sheet(here, "a fox"))
        with pytest.raises(UsageProblem, match="Not agreed to"):
            await run_sheet(sheet(here, "a fox"), consent=no)
        seen = await anext(watch_batch("a"))
    assert (seen.counts[JobState.QUEUED], seen.submits, [one.jobs for one in asked]) == (1, 0, [1])


async def test_run_resume_and_watch(here: Path) -> None:
    """A part first, then the rest; each look is a whole."""
    path = sheet(here, "a fox", "an owl")
    first = await run_sheet(path, selection=runner.Selection(limit=1), **FAST)
    assert (first.images, first.left_out) == (1, 1)
    rest = await resume_batch("a", **FAST)
    assert rest is not None
    assert (rest.exit_code, rest.images) == (ExitCode.OK, 1)
    seen = [snapshot async for snapshot in watch_batch(emulator=True)]
    assert [(one.batch, one.total, one.left, one.spent_usd) for one in seen] == [("a", 2, 0, Decimal("0.08"))]


async def test_watching_goes_on_while_something_is_left(here: Path) -> None:
    """Until the last job has ended."""
    path = sheet(here, "a fox", "an owl")
    await run_sheet(path, selection=runner.Selection(limit=1), **FAST)
    left = []
    async for snapshot in watch_batch("a", every_seconds=0.01, emulator=True):
        left.append(snapshot.left)
        if len(left) == 2:
            await resume_batch("a", **FAST)
    assert left == [1, 1, 0]


async def test_faults_need_the_emulator(here: Path) -> None:
    """Else a rehearsal would be paid for."""
    with pytest.raises(UsageProblem, match="needs --emulator"):
        await run_sheet(sheet(here, "a fox"), faults="flaky", yes=True)
    with pytest.raises(UsageProblem, match="needs --emulator"):
        await resume_batch(faults="flaky", yes=True)


def test_in_another_thread(here: Path) -> None:
    """Where no signal can be received."""
    codes = []
    path = sheet(here, "a fox")
    thread = Thread(target=lambda: codes.append(asyncio.run(run_sheet(path, **FAST)).exit_code))
    thread.start()
    thread.join()
    assert codes == [ExitCode.OK]
