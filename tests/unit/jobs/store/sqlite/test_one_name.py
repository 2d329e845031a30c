"""A database under two names has two locks and two logs: it is refused before it is opened."""

from pathlib import Path

import pytest

from jobs.errors import CannotWrite
from jobs.store.sqlite.one_name import check_one_name, kind_of_mount


def mounts(folder: Path, *points: str) -> Path:
    """What the kernel says of mounts, blanks and backslashes escaped as it does."""
    escaped = (point.replace("\\", r"\134").replace(" ", r"\040") for point in points)
    lines = [f"36 35 98:0 /mnt1 {point} rw,noatime master:1 - ext3 /dev/root rw\n" for point in escaped]
    path = folder / "mountinfo"
    path.write_text("".join(lines) + "odd line\n")
    return path


def test_an_ordinary_file(tmp_path: Path) -> None:
    """Its folder may well be mounted; and one that is not there yet has no name at all."""
    database = tmp_path / "night.db"
    check_one_name(database, mounts(tmp_path, str(database)))
    database.touch()
    check_one_name(database, mounts(tmp_path, str(tmp_path), "/"))
    check_one_name(database, tmp_path / "not Linux")


def test_a_file_that_is_a_mount_point(tmp_path: Path) -> None:
    """What lies beside it stays in the container."""
    database = tmp_path / "a night.db"
    database.touch()
    with pytest.raises(CannotWrite, match="is mounted by itself") as refused:
        check_one_name(database, mounts(tmp_path, "/", str(database)))
    assert "Mount the folder" in refused.value.hint


def test_a_hard_link(tmp_path: Path) -> None:
    """Whichever of its names is given."""
    database, other = tmp_path / "night.db", tmp_path / "other.db"
    database.touch()
    other.hardlink_to(database)
    for path in (database, other):
        with pytest.raises(CannotWrite, match=r"has 2 names \(hard links\)"):
            check_one_name(path)


def test_the_kind_of_a_mount(tmp_path: Path) -> None:
    """That of the innermost mount point, and of the later one where two lie on one."""
    lines = [
        "36 35 98:0 / / rw - ext4 /dev/root rw",
        r"37 36 0:41 / /mnt/my\040drive rw,noatime master:1 - autofs systemd-1 rw",
        r"38 37 0:42 / /mnt/my\040drive rw shared:2 - nfs4 host:/share rw",
        "odd line",
    ]
    told = tmp_path / "mountinfo"
    told.write_text("\n".join(lines))
    assert kind_of_mount(Path("/mnt/my drive/a/n.db"), told) == "nfs4"
    assert kind_of_mount(Path("/mnt/my/n.db"), told) == "ext4"
    assert kind_of_mount(Path("/n.db"), tmp_path / "not Linux") == ""
