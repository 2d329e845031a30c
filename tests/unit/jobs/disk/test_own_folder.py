"""A folder of an export: whole or not at all, and only in the place of one that an export wrote."""

import os
from pathlib import Path

import pytest

from jobs.disk.own_folder import LIST, own_folder
from jobs.errors import CannotWrite, UsageProblem


def write(target: Path, text: str = "one") -> None:
    """An export of three files, one of them a link."""
    with own_folder(target, "test") as part:
        (part / "inner").mkdir()
        (part / "inner" / "a.txt").write_text(text)
        (part / "b.txt").write_text("b")
        (part / "c").symlink_to("b.txt")


def beside(target: Path) -> list[str]:
    """What else is in its folder."""
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_it_takes_its_place_whole(tmp_path: Path) -> None:
    """With its list, in folders that did not exist."""
    target = tmp_path / "new" / "out"
    write(target)
    assert sorted(path.name for path in target.iterdir()) == [LIST, "b.txt", "c", "inner"]
    assert beside(target) == []


def test_one_of_ours_and_an_empty_one_are_replaced(tmp_path: Path) -> None:
    """Nothing of the old one is left."""
    target = tmp_path / "out"
    target.mkdir()
    write(target)
    write(target, "another")
    assert (target / "inner" / "a.txt").read_text() == "another"
    assert beside(target) == []


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """And no half of the new one."""
    target = tmp_path / "out"
    write(target)

    def fail() -> None:
        with own_folder(target, "test") as part:
            (part / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (target / "inner" / "a.txt").read_text() == "one"
    assert beside(target) == []


def add(target: Path) -> None:
    (target / "notes.md").write_text("mine")


def add_link(target: Path) -> None:
    (target / "inner" / "more").symlink_to("a.txt")


def add_linked_folder(target: Path) -> None:
    (target / "more").symlink_to(target / "inner", target_is_directory=True)


def change(target: Path) -> None:
    (target / "inner" / "a.txt").write_text("mine, longer")


def take_away(target: Path) -> None:
    (target / "b.txt").unlink()


def swap(target: Path) -> None:
    (target / "b.txt").rename(target / "mine.txt")


def another_list(target: Path) -> None:
    (target / LIST).write_text('{"nightsheet": "test"}\n["../secret", 3]\n')


def no_list(target: Path) -> None:
    (target / LIST).write_text("hello")


def anothers_list(target: Path) -> None:
    (target / LIST).write_text('{"other": "program"}\n')


@pytest.mark.parametrize(
    "touch", [anothers_list, add, add_link, add_linked_folder, change, take_away, swap, another_list, no_list]
)
def test_what_somebody_touched_is_left(tmp_path: Path, touch: object) -> None:
    """One file of their own in it is enough."""
    assert callable(touch)
    target = tmp_path / "out"
    write(target)
    touch(target)
    before = sorted(path.name for path in target.rglob("*"))
    with pytest.raises(UsageProblem, match="added or changed"):
        write(target)
    assert sorted(path.name for path in target.rglob("*")) == before
    assert beside(target) == []


def test_what_is_put_there_meanwhile_is_left(tmp_path: Path) -> None:
    """An export takes minutes: it looks again before it replaces."""
    target = tmp_path / "out"
    write(target)

    def meanwhile() -> None:
        with own_folder(target, "test"):
            add(target)

    with pytest.raises(UsageProblem):
        meanwhile()
    assert (target / "notes.md").read_text() == "mine"


@pytest.mark.parametrize("kind", ["foreign", "file", "link"])
def test_what_is_not_ours_is_refused(tmp_path: Path, kind: str) -> None:
    """A folder of pictures, a file, a link to a folder of ours."""
    target = tmp_path / "out"
    if kind == "foreign":
        target.mkdir()
        add(target)
    elif kind == "file":
        target.write_text("x")
    else:
        write(tmp_path / "real")
        target.symlink_to("real")
    with pytest.raises(UsageProblem, match="Nothing was written"):
        write(target)


def test_the_disks_refusal_is_one(tmp_path: Path) -> None:
    """In words, with what to do."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite, match="cannot be written"):
        write(tmp_path / "file" / "out")


def test_a_refused_rename_puts_the_old_one_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two renames there is no folder of that name."""
    target = tmp_path / "out"
    write(target)
    real, calls = os.rename, []

    def rename(one: Path, other: Path, **more: object) -> None:
        calls.append(other)
        if len(calls) == 2:
            raise OSError(5, "no")
        real(one, other)

    monkeypatch.setattr(Path, "rename", lambda one, other: rename(one, other))
    with pytest.raises(CannotWrite):
        write(target, "another")
    assert (target / "inner" / "a.txt").read_text() == "one"
    assert beside(target) == []
