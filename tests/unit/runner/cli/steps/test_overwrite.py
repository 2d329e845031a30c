"""What `export --output` may take the place of."""

import os
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from runner.cli.steps.overwrite import check_target
from tests.unit.runner.cli.world import World, job

BESIDE = ("-wal", "-shm", "-journal", ".lock", ".spool", ".emulator", ".emulator.lock")


@pytest.fixture
def night(world: World) -> World:
    """A loaded batch, with its sheet beside it."""
    world.load(job(0, "a"), job(1, "b"))
    (world.folder / "night.csv").write_text("id,prompt\na,A pier\nb,A boat\n")
    return world


def refused(world: World, name: str) -> str:
    """Why `export --output NAME` is refused; the file is as it was."""
    path = world.folder / name
    before = path.read_bytes() if path.exists() else None
    ran = world.run("export", "--output", name)
    assert (ran.code, ran.out) == (2, "")
    assert (path.read_bytes() if path.exists() else None) == before
    assert "Nothing was written." in ran.err
    assert "Choose another name with --output" in ran.err
    return ran.err


def test_the_job_table_is_not_replaced(night: World) -> None:
    """It is all that there is of what was paid."""
    assert "is the job table" in refused(night, "nightsheet.db")
    assert night.run("status").code == 0


@pytest.mark.parametrize("ending", BESIDE)
def test_nothing_beside_the_job_table_is_replaced(night: World, ending: str) -> None:
    """Whether it is there just now or not."""
    (night.folder / f"nightsheet.db{ending}").unlink(missing_ok=True)
    assert "belongs to a job table" in refused(night, f"nightsheet.db{ending}")


def test_a_lock_of_another_table_is_not_replaced(night: World) -> None:
    """It is empty, and a runner may hold it."""
    for name in ("nightsheet-emulator.db", "nightsheet-emulator.db.lock"):
        (night.folder / name).write_bytes(b"")
    assert "belongs to a job table" in refused(night, "nightsheet-emulator.db.lock")


def test_the_sheet_is_not_replaced(night: World) -> None:
    """It is the user's own work."""
    assert "is the batch's sheet" in refused(night, "night.csv")


@pytest.mark.parametrize(
    ("link", "target"), [(os.symlink, "nightsheet.db"), (os.symlink, "night.csv"), (os.link, "night.csv")]
)
def test_links_are_seen_through(night: World, link: object, target: str) -> None:
    """By whatever name."""
    assert callable(link)
    link(night.folder / target, night.folder / "innocent.jsonl")
    assert "is the" in refused(night, "innocent.jsonl")


def test_a_second_name_of_the_table_is_refused_before(night: World) -> None:
    """No command opens it under two names."""
    os.link(night.folder / "nightsheet.db", night.folder / "innocent.jsonl")
    before = (night.folder / "innocent.jsonl").read_bytes()
    ran = night.run("export", "--output", "innocent.jsonl")
    assert (ran.code, (night.folder / "innocent.jsonl").read_bytes()) == (73, before)
    assert "2 names" in ran.err


@pytest.mark.parametrize(
    "held",
    [
        b"id,prompt\nx,y\n",
        b'{"prompt": "x"}\n',
        b'["batch", "key"]\n',
        b'{"batch": "x"\n',
        b"SQLite format 3\x00",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_stranger_is_not_replaced(night: World, held: bytes) -> None:
    """Another sheet, a note, a picture: to replace it, one deletes it."""
    (night.folder / "mine.csv").write_bytes(held)
    told = refused(night, "mine.csv")
    assert "is there already, and is no manifest of Nightsheet's." in told
    assert "or delete that file first" in told


@pytest.mark.parametrize("name", ["m.jsonl", "m.csv"])
def test_a_manifest_is_replaced(night: World, name: str) -> None:
    """As often as one likes, in either format."""
    assert night.run("export", "--output", name).code == 0
    first = (night.folder / name).read_bytes()
    night.load(job(0, "a"))
    assert night.run("export", "--output", name).code == 0
    assert (night.folder / name).read_bytes() != first
    assert night.run("export", "--output", name, "--format", "jsonl").code == 0


def test_an_empty_file_is_replaced(night: World) -> None:
    """The manifest of a batch without jobs is one."""
    (night.folder / "m.jsonl").write_bytes(b"")
    assert night.run("export", "--output", "m.jsonl").code == 0


@pytest.mark.skipif(os.name == "nt", reason="needs a device")
def test_a_device_is_written_to(night: World) -> None:
    """There is nothing to replace."""
    assert night.run("export", "--output", "/dev/null").code == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    """Nobody knows what it is."""
    closed = tmp_path / "closed"
    closed.write_text("x")
    closed.chmod(0)
    with pytest.raises(UsageProblem, match="no manifest"):
        check_target(closed, tmp_path / "db", tmp_path / "s.csv")


def test_a_loop_of_links_is_left_to_the_writing(tmp_path: Path) -> None:
    """Which says that it cannot be written."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    check_target(loop, tmp_path / "db", tmp_path / "s.csv")
