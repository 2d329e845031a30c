"""`nightsheet run` and `nightsheet resume`: what they hand to the run, and how they close."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from jobs.errors import LockHeld, UsageProblem
from jobs.pauses import PauseReason
from jobs.sheets import SheetSource
from jobs.states import JobState
from jobs.views import Account, Pause
from runner.events.report import RunReport
from runner.lifecycle.order import LoadOptions
from runner.planning.consent import Ask, agreed_to_all
from tests.unit.runner.cli.world import NOW, World, accepted, job, refused, remote_failed, unanswered

Terminal = Callable[[str], list[str]]
ASK = Ask("night", 2, 5, 2, Decimal("0.08"), Decimal("0.2"))


def report(**more: Any) -> RunReport:
    """A run in which all went well, and what `more` says of it."""
    counts = dict.fromkeys(JobState, 0) | {JobState.SUCCEEDED: 2}
    values: dict[str, Any] = {
        "batch": "night",
        "counts": counts | more.pop("counts", {}),
        "account": Account(Decimal("0.16"), Decimal(0), 2),
        "images": 4,
        "seconds": 61.5,
        "paused": None,
        "interrupted": False,
        "overdue": 0,
        "warned": 0,
        "folder": Path("/out/night"),
        "manifests": (Path("/out/night/manifest.jsonl"),),
    }
    return RunReport(**(values | more))


class FakeRun:
    """Stands in for `runner.run`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.given: dict[str, Any] = {}
        self.answer: RunReport | Exception | None = report()
        self.ask: Ask | None = None
        self.agreed: bool | None = None
        module: Any = ModuleType("runner.run")
        module.run_sheet = self.run_sheet
        module.resume_batch = self.resume_batch
        patch.setitem(sys.modules, "runner.run", module)

    async def run_sheet(self, path: Path, load: LoadOptions, **given: Any) -> RunReport | None:
        return await self.resume_batch(path, load=load, **given)

    async def resume_batch(self, first: Any, **given: Any) -> RunReport | None:
        self.given = {"first": first, **given}
        if self.ask is not None:
            self.agreed = await given["consent"](self.ask)
        given["observer"].notice("A [bold]notice\x1b.")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    return FakeRun(monkeypatch)


def test_run_hands_over_what_was_said(world: World, night: FakeRun) -> None:
    """The sheet, the batch, the model, the settings."""
    ran = world.run(
        *("run", "a.csv", "--batch", "b", "--model", "m", "--concurrency", "3", "--budget", "1.50"),
        *("--poll-min", "0.5", "--rate", "30", "--max-attempts", "2", "--output-dir", "o", "--quiet"),
    )
    assert ran.code == 0
    given = night.given
    assert (given["first"], given["load"].batch, given["load"].model) == (
        SheetSource(Path("a.csv")),
        "b",
        "m",
    )
    settings = given["settings"]
    assert (settings.concurrency, settings.budget, settings.poll_min) == (3, Decimal("1.50"), 0.5)
    assert (settings.rate, settings.max_attempts, settings.output_dir) == (30, 2, Path("o"))
    assert given["environment"].home == world.folder


def test_flag_beats_environment_beats_file(
    world: World, night: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three reach the run."""
    (world.folder / "nightsheet.toml").write_text("concurrency = 2\nsubmit_gate = 2\nrate = 2\n")
    monkeypatch.setenv("NIGHTSHEET_SUBMIT_GATE", "3")
    monkeypatch.setenv("NIGHTSHEET_RATE", "3")
    world.run("run", "a.csv", "--rate", "4")
    settings = night.given["settings"]
    assert (settings.concurrency, settings.submit_gate, settings.rate) == (2, 3, 4)


def test_the_summary(world: World, night: FakeRun) -> None:
    """Results on standard output, the notice on standard error."""
    ran = world.run("run", "a.csv")
    assert ran.code == 0
    assert ran.out == (
        "Batch night: 2 of 2 jobs succeeded, in 62 s.\n"
        "Spent so far: $0.16 ($0.16 reported by the API) in 2 submits\n"
        "Pictures: 4 new pictures in /out/night\n"
        "Manifest: /out/night/manifest.jsonl\n"
    )
    assert ran.err.endswith(" A [bold]notice\\x1b.\n")
    assert ran.err.count("\n") == 1


def test_the_summary_as_json(world: World, night: FakeRun) -> None:
    """Nothing else is on standard output."""
    pause = Pause(PauseReason.BUDGET, "Used up.", NOW)
    night.answer = report(counts={JobState.QUEUED: 1}, paused=pause, overdue=1, warned=1)
    ran = world.run("run", "a.csv", "--json")
    assert ran.code == 75
    assert ran.json == {
        "batch": "night",
        "exit_code": 75,
        "total": 3,
        "counts": dict.fromkeys(map(str, JobState), 0) | {"succeeded": 2, "queued": 1},
        "submits": 2,
        "unconfirmed": 0,
        "pictures": 4,
        "warned": 1,
        "overdue": 1,
        "left_out": 0,
        "linked": 0,
        "waiting": 0,
        "held": 0,
        "missing_images": 0,
        "interrupted": False,
        "cost": {"spent_usd": 0.16, "told_usd": 0.16, "estimated_usd": 0.0, "in_doubt_usd": None},
        "paused": {"reason": "budget", "since": "2026-03-04T01:02:03Z", "detail": "Used up."},
        "seconds": 61.5,
        "folder": "/out/night",
        "manifests": ["/out/night/manifest.jsonl"],
    }


def test_failures_are_told_by_kind(world: World, night: FakeRun) -> None:
    """As the table has them."""
    world.load(*(job(position, f"k{position}") for position in range(3)))
    world.move("k0", refused())
    world.move("k1", refused())
    world.move("k2", accepted("r-1"), remote_failed())
    night.answer = report(counts={JobState.FAILED: 3})
    ran = world.run("run", "a.csv")
    assert ran.code == 1
    assert "  3 failed (2 refused, 1 remote_failed)\n" in ran.out


def test_without_the_table_failures_are_still_told(world: World, night: FakeRun) -> None:
    """The disk may be what failed."""
    night.answer = report(counts={JobState.FAILED: 3})
    assert "  3 failed\n" in world.run("run", "a.csv").out


@pytest.mark.parametrize("error", [LockHeld("Held.", "Wait."), UsageProblem("Not so.", "But so.")])
def test_errors_of_the_run_are_told(world: World, night: FakeRun, error: Exception) -> None:
    """With their own exit code."""
    night.answer = error
    ran = world.run("run", "a.csv")
    assert ran.code == getattr(error, "exit_code", None)
    assert ran.err.endswith(f"{error}\n{getattr(error, 'hint', '')}\n")


def test_a_closed_pipe_does_not_change_the_exit_code(
    world: World, night: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads the summary is nobody's business."""

    def closed(*_: Any) -> None:
        raise BrokenPipeError

    night.answer = report(counts={JobState.QUEUED: 1})
    monkeypatch.setattr("runner.cli.console.console.result", closed)
    monkeypatch.setattr("runner.cli.console.console.forget_output", lambda: None)
    assert world.run("run", "a.csv").code == 1


def test_what_is_in_doubt_is_told(world: World, night: FakeRun) -> None:
    """On top of what is spent, for a person and for scripts."""
    world.load(job(0, "a"), job(1, "b"))
    world.move("a", unanswered(), estimate="0.40")
    night.answer = report(counts={JobState.UNCONFIRMED: 1})
    assert "in 2 submits, and up to $0.40 in doubt\n" in world.run("run", "a.csv").out
    assert world.run("run", "a.csv", "--json").json["cost"]["in_doubt_usd"] == 0.4


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_full_disk_does_not_change_the_exit_code(
    world: World, night: FakeRun, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    """The summary is lost, and that is said; what it would have said is in the table."""
    forgotten = []

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("runner.cli.console.console.result", full)
    monkeypatch.setattr("runner.cli.console.console.as_json", full)
    monkeypatch.setattr("runner.cli.console.console.forget_output", lambda: forgotten.append(True))
    ran = world.run("run", "a.csv", *flags)
    assert (ran.code, forgotten) == (0, [True])
    assert "The summary could not be written: No space left on device." in ran.err


@pytest.mark.process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_standard_output(tmp_path: Path) -> None:
    """The real one, to the end of the process: all succeeded, so 0."""
    (tmp_path / "a.csv").write_text("id,prompt,model\na,A pier,bytedance/seedream-4-5/text-to-image\n")
    fast = ("--speed", "1000", "--poll-min", "0.01", "--quiet")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "runner.cli", "run", "a.csv", "--emulator", *fast],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[5])},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    sent, unwritten = done.stderr.splitlines()
    assert sent.endswith(" To be sent: 1 job, at most 1 picture, for $0.04.")
    assert unwritten == "The summary could not be written: No space left on device."


# -- rehearsals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [("run", "a.csv"), ("resume",)])
@pytest.mark.parametrize(
    "flags", [("--faults", "flaky"), ("--speed", "100"), ("--speed", "5", "--no-emulator")]
)
def test_a_rehearsal_needs_the_stand_in(
    world: World, night: FakeRun, verb: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    """Whoever forgot the flag would pay for a night that was to be free."""
    world.load(job(0, "a"))
    ran = world.run(*verb, *flags, "--yes")
    assert ran.code == 2
    assert f"{flags[0]}: a rehearsal needs --emulator. Nothing was sent." in ran.err
    assert night.given == {}


@pytest.mark.parametrize("where", ["environment", "file"])
def test_the_stand_in_may_be_named_elsewhere(
    world: World, night: FakeRun, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """In the environment or the file; and faults that are named there alone ask for nothing."""
    monkeypatch.setenv("NIGHTSHEET_FAULTS", "flaky")
    assert world.run("run", "a.csv", "--yes").code == 0
    if where == "environment":
        monkeypatch.setenv("NIGHTSHEET_EMULATOR", "true")
    else:
        (world.folder / "nightsheet.toml").write_text("emulator = true\n")
    assert world.run("run", "a.csv", "--speed", "100").code == 0
    assert night.given["settings"].emulator


@pytest.mark.parametrize("verb", ["run", "resume"])
def test_the_faults_name_is_checked_first(world: World, night: FakeRun, verb: str) -> None:
    """Even where nothing is left to send, and the stand-in is not started."""
    world.load(job(0, "a"))
    ran = world.run(verb, "night", "--emulator", "--faults", "cursed", "--db", "nightsheet.db")
    assert ran.code == 2
    assert "There is no fault profile 'cursed'." in ran.err
    assert night.given == {}


# -- consent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--yes", "--emulator"])
def test_nobody_is_asked(world: World, night: FakeRun, terminal: Terminal, flag: str) -> None:
    """With --yes, and for the emulator, which is free."""
    questions = terminal("n")
    world.run("run", "a.csv", flag)
    assert night.given["consent"] is agreed_to_all
    assert questions == []


@pytest.mark.parametrize(("answer", "agreed"), [("y", True), ("n", False)])
def test_a_person_is_asked(
    world: World, night: FakeRun, terminal: Terminal, answer: str, agreed: bool
) -> None:
    """Jobs, pictures and price."""
    questions = terminal(answer)
    night.ask = ASK
    world.run("run", "a.csv")
    assert questions == ["Batch night: 2 jobs, at most 5 pictures, for $0.08 to $0.20. Send them?"]
    assert night.agreed is agreed


def test_an_unknown_price_is_said(world: World, night: FakeRun, terminal: Terminal) -> None:
    """Before anybody agrees to it."""
    questions = terminal("y")
    night.ask = Ask("night", 1, 1, 1, None, None)
    world.run("run", "a.csv")
    assert questions == ["Batch night: 1 job, 1 picture, at an unknown price. Send it?"]


def test_without_a_terminal_it_is_refused(world: World, night: FakeRun) -> None:
    """Exit 2, nothing sent, and how to agree beforehand."""
    night.ask = ASK
    ran = world.run("run", "a.csv")
    assert ran.code == 2
    assert "nothing was sent" in ran.err
    assert "--yes" in ran.err
    assert night.agreed is None


# -- resume ----------------------------------------------------------------------------------------------


def test_resume(world: World, night: FakeRun) -> None:
    """The batch last run, or the one named."""
    world.load(job(0, "a"))
    assert world.run("resume").code == 0
    unnamed = night.given
    assert world.run("resume", "night", "--budget", "3").code == 0
    assert [unnamed["first"], night.given["first"]] == [None, "night"]
    assert night.given["settings"].budget == 3


def test_resume_beside_a_runner(world: World, night: FakeRun) -> None:
    """Only the pause was cleared: exit 0, and said."""
    world.load(job(0, "a"))
    night.answer = None
    ran = world.run("resume", "night")
    assert ran.code == 0
    assert "Another runner" in ran.out
    assert world.run("resume", "night", "--json").json == {
        "batch": "night",
        "exit_code": 0,
        "resumed_by": "another runner",
    }
