"""A shell completes the names of batches."""

import pytest

from tests.unit.runner.cli.world import World, job


def completed(world: World, line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What bash is told for the last word of a line."""
    monkeypatch.setenv("_NIGHTSHEET_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    ran = world.run()
    assert (ran.code, ran.err) == (0, "")
    return ran.out.split()


@pytest.mark.parametrize("verb", ["status", "resume", "audit", "export", "retry", "review", "cancel", "jobs"])
def test_batches_are_completed(world: World, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """Of every command that is about one."""
    world.load(job(0, "a"), name="monday")
    world.load(job(0, "a"), name="morning")
    world.load(job(0, "a"), name="night")
    assert completed(world, f"nightsheet {verb} mo", monkeypatch) == ["monday", "morning"]
    assert completed(world, f"nightsheet {verb} ", monkeypatch) == ["monday", "morning", "night"]


def test_the_database_that_the_line_names_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is told of one that is not there, or of settings that do not do."""
    world.load(job(0, "a"), name="monday")
    world.database.rename(world.folder / "other.db")
    assert completed(world, "nightsheet status mo", monkeypatch) == []
    assert completed(world, "nightsheet status --db other.db mo", monkeypatch) == ["monday"]
    (world.folder / "nightsheet.toml").write_text("nonsense = 1")
    assert completed(world, "nightsheet status --db other.db mo", monkeypatch) == []
    assert not world.database.exists()
