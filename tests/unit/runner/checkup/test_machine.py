"""The lines of a checkup about this machine. It leaves no file behind."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from runner.checkup import machine
from runner.checkup.advice import Advice, Level
from runner.checkup.machine import check_disk, check_machine, check_upload
from runner.clock import SystemClock
from runner.environment import Environment
from runner.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, on a disk of this machine as far as is known."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine, "kind_of_mount", lambda _path: "ext4")
    return tmp_path


def lines(
    folder: Path, settings: Settings | None = None, *, sqlite: tuple[int, int, int] = (3, 51, 3)
) -> dict[str, Advice]:
    around = Environment({}, folder, SystemClock(), sqlite_version=sqlite)
    return {advice.check: advice for advice in check_machine(settings or Settings(), around)}


def test_all_is_well_and_nothing_is_left_behind(here: Path) -> None:
    """Neither the output folder nor the database is made."""
    found = lines(here)
    assert [(check, advice.level) for check, advice in found.items()] == [
        ("disk", Level.OK),
        ("database", Level.OK),
        ("upload", Level.OK),
    ]
    assert "which the first run makes" in found["database"].message
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("free", "level"), [(50_000_000, Level.PROBLEM), (500_000_000, Level.WARNING), (5e9, Level.OK)]
)
def test_room_on_the_disk(here: Path, monkeypatch: pytest.MonkeyPatch, free: float, level: Level) -> None:
    """In pictures as well."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=int(free)))
    found = check_disk(here / "outputs")
    assert found.level is level
    assert f"about {int(free) // 10_000_000:,} pictures" in found.message


def test_a_file_where_the_output_folder_would_be(here: Path) -> None:
    """Nothing can be written below it."""
    (here / "outputs").write_text("x")
    assert check_disk(here / "outputs").level is Level.PROBLEM


def test_a_file_that_is_no_database(here: Path) -> None:
    """As a run would refuse it."""
    (here / "nightsheet.db").write_text("a letter")
    found = lines(here)["database"]
    assert found.level is Level.PROBLEM
    assert "cannot be read" in found.message
    assert [path.name for path in here.iterdir()] == ["nightsheet.db"]


def test_a_database_with_two_names(here: Path) -> None:
    """As a run would refuse it."""
    (here / "nightsheet.db").write_bytes(b"")
    os.link(here / "nightsheet.db", here / "other.db")
    assert lines(here)["database"].level is Level.PROBLEM


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_network_drive(here: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """It works, until the power goes."""
    monkeypatch.setattr(machine, "kind_of_mount", lambda _path: kind)
    found = lines(here)["database"]
    assert (found.level, kind in found.message) == (Level.WARNING, True)


def test_a_synchronised_folder(here: Path) -> None:
    """It may bring back what was."""
    folder = here / "Dropbox (Studio)"
    folder.mkdir()
    found = lines(here, Settings(db=folder / "n.db"))["database"]
    assert (found.level, "synchronises" in found.message) == (Level.WARNING, True)


def test_a_state_folder_that_cannot_be_written(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no second record then; a rehearsal keeps none anyhow."""
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert "no second record" in lines(here)["database"].message
    assert lines(here, Settings(emulator=True))["database"].level is Level.OK


def test_a_database_library_with_a_bug(here: Path) -> None:
    """The version is told."""
    found = lines(here, sqlite=(3, 40, 1))["database"]
    assert (found.level, "3.40.1" in found.message) == (Level.WARNING, True)


def test_uploads(here: Path) -> None:
    """Each way that there is."""
    assert check_upload(Settings()).level is Level.OK
    assert check_upload(Settings(upload="data-uri")).level is Level.WARNING
    assert check_upload(Settings(emulator=True)).level is Level.OK
    opened = check_upload(load_settings({"upload": "s3://bucket/prefix"}))
    assert (opened.level, "s3://bucket/prefix" in opened.message) == (Level.OK, True)
    assert check_upload(load_settings({"upload": "frob://bucket"})).level is Level.PROBLEM
