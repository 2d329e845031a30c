"""What is written beside the manifests when a run ends."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from jobs.store.store import Store
from runner.cli.reports.status import BatchStatus, lines
from runner.cli.steps.standing import standing
from runner.cli.steps.summary_files import write_summaries
from runner.settings import Settings
from tests.unit.runner.cli.world import (
    World,
    accepted,
    done,
    fetch_failed,
    fetched,
    job,
    remote_failed,
    unanswered,
)

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)


def bad_night(world: World) -> None:
    """One of each that a person has to do something about."""
    world.load(*(job(position, f"k{position}") for position in range(6)))
    world.price()
    world.move("k0", accepted("r-0"), done("0.08"), fetched("1 of 2 pictures came."), estimate="0.08")
    world.picture("k0")  # it is not on disk
    world.move("k1", accepted("r-1"), done("0.08"), fetch_failed(), estimate="0.08")
    world.move("k2", accepted("r-2"), remote_failed(), estimate="0.08")
    world.move("k3", accepted("r-3"), remote_failed(FailureKind.MODERATED), estimate="0.08")
    world.move("k4", unanswered(), estimate="0.08")
    world.move("k5", estimate="0.08")  # its process was killed


def status_of(world: World) -> BatchStatus:
    async def read(store: Store) -> BatchStatus:
        return await standing(store, (await store.batches.named(None)).id, Settings(), NOW)

    return world.store(read)


def written(world: World) -> tuple[str, dict[str, object]]:
    folder = world.folder / "outputs" / "night"
    folder.mkdir(parents=True, exist_ok=True)
    files = write_summaries(status_of(world), Settings(), 1)
    assert files == (folder / "summary.md", folder / "summary.json")
    return files[0].read_text(), json.loads(files[1].read_text())


def test_it_says_what_status_says(world: World) -> None:
    """Kinds, folder, pictures, what is free, what is to decide, what to type: each sentence of `status`."""
    bad_night(world)
    text, told = written(world)
    said = [line for line, _style in lines(status_of(world), Settings())]
    said.remove("No runner is at work on it.")
    for line in said:
        why, _, command = line.strip().partition(": nightsheet")
        assert why.split("  ")[0] in text
        if command:
            assert f"    nightsheet{command}\n" in text
    assert "| failed | 3 | 1 expired, 1 moderated, 1 remote_failed |" in text
    assert "| succeeded | 1 | 1 with a warning, which is in the manifest |" in text
    assert "1 picture is no longer in it" in text
    assert "| submitting | 1 | on their way when the run was ended: perhaps paid |" in text
    assert "Give what failed another chance (1 for free, 1 for another payment):" in text
    assert "and up to $0.16 in doubt" in text
    shown = world.run("status", "--json").json
    assert {name: told[name] for name in shown} == shown
    assert [step["command"] for step in told["next"]] == [  # type: ignore[attr-defined]
        "nightsheet resume night",
        "nightsheet review night",
        "nightsheet jobs night --state failed",
        "nightsheet retry night",
        "nightsheet retry night --free",
    ]
    assert (told["exit_code"], told["ended_at"]) == (1, "2026-03-04T06:00:00Z")


def test_all_went_well(world: World) -> None:
    """Then there is nothing to type."""
    world.load(job(0, "a"))
    world.move("a", accepted("r-0"), done("0.08"), fetched(), estimate="0.08")
    text, told = written(world)
    assert "# night: 1 of 1 jobs succeeded" in text
    assert "There is nothing left to do." in text
    assert told["next"] == []


def test_names_are_no_markup(world: World) -> None:
    """A reason may come from anywhere."""
    world.load(job(0, "a"))

    async def pause(store: Store) -> None:
        batch = await store.batches.named(None)
        await store.batches.pause(batch.id, PauseReason.GUARD, "<b>*x*</b> | [y](z)\x1b")

    world.store(pause)
    assert r"\<b>\*x\*\</b> \| \[y](z)\\x1b" in written(world)[0]


def test_an_earlier_summary_is_replaced_and_nothing_else(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of the user's own, or a link, is left as it is, and that is said."""
    world.load(job(0, "a"))
    assert written(world)[0] == written(world)[0]
    folder = world.folder / "outputs" / "night"
    (folder / "summary.md").write_text("# My own notes\n")
    (folder / "summary.json").unlink()
    (folder / "summary.json").symlink_to(world.folder / "elsewhere.json")
    capsys.readouterr()
    assert write_summaries(status_of(world), Settings(), 0) == ()
    assert capsys.readouterr().err.count("is no summary of Nightsheet's: not written.") == 2
    assert (folder / "summary.md").read_text() == "# My own notes\n"
    assert not (world.folder / "elsewhere.json").exists()
    for text in ("{", "[]", "{}"):
        (folder / "summary.json").unlink()
        (folder / "summary.json").write_text(text)
        assert write_summaries(status_of(world), Settings(), 0) == ()


def test_what_cannot_be_written_ends_no_run(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is said; without a folder there was no run that wrote anything."""
    world.load(job(0, "a"))
    status = status_of(world)
    assert write_summaries(status, Settings(), 0) == ()
    assert capsys.readouterr().err == ""
    status.folder.mkdir(parents=True)

    def full(_path: Path, _mark: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.cli.steps.summary_files.AtomicFile", full)
    assert write_summaries(status, Settings(), 0) == ()
    assert "summary.md cannot be written: No space left on device." in capsys.readouterr().err
