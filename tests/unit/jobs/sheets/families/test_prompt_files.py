"""Prompts from a text file."""

from pathlib import Path

import pytest

from jobs.problems import Problem
from jobs.sheets.families.members import Prompts
from jobs.sheets.families.prompt_files import read_prompts
from jobs.sheets.source import SheetSource


def prompts(folder: Path, name: str, **said: str) -> Prompts | Problem:
    """As the sheet in this folder names them."""
    return read_prompts(SheetSource(folder / "a.yaml", **said), name, 7)  # type: ignore[arg-type]


def test_each_line_is_a_prompt(tmp_path: Path) -> None:
    """Blank ones are counted and left out; in any encoding that a sheet may have."""
    text = "a fox\r\n\r\n  M\u00fcller, at dawn \r\n"
    (tmp_path / "in").mkdir()
    for data, said in (
        (text.encode(), {}),
        (text.encode("utf-16"), {}),
        (text.encode("cp1252"), {"encoding": "cp1252"}),
    ):
        (tmp_path / "in" / "ideas.txt").write_bytes(data)
        read = prompts(tmp_path, "in/ideas.txt", **said)
        assert isinstance(read, Prompts)
        assert read.size == 2
        assert list(read.lines) == list(read.lines) == [(1, "a fox"), (3, "M\u00fcller, at dawn")]


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "in/../../secret.txt", "link.txt", "~/x"])
def test_no_file_outside_of_the_sheet_s_folder_is_read(tmp_path: Path, name: str) -> None:
    """Nor through a link: a sheet may come from somebody else, and prompts are sent away."""
    folder = tmp_path / "sheets"
    (folder / "in").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    problem = prompts(folder, name)
    assert isinstance(problem, Problem)
    assert (problem.row, problem.column) == (7, "prompts")
    assert "folder" in problem.message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.txt", "There is no such file in the sheet's folder."),
        (".", "There is no such file in the sheet's folder."),
        ("a\0b", "This cannot be the name of a file."),
        ("x" * 5000, "This cannot be the name of a file."),
        ("empty.txt", "There is no prompt in this file."),
    ],
)
def test_a_file_that_will_not_do_is_told(tmp_path: Path, name: str, message: str) -> None:
    """Where it is named."""
    (tmp_path / "empty.txt").write_text("\n \n")
    problem = prompts(tmp_path, name)
    assert isinstance(problem, Problem)
    assert (problem.file, problem.row, problem.message) == (str(tmp_path / "a.yaml"), 7, message)


def test_what_is_wrong_in_the_file_is_told_there(tmp_path: Path) -> None:
    """With its own lines."""
    path = tmp_path / "ideas.txt"
    path.write_bytes(b"a\nM\xfcller\n")
    problem = prompts(tmp_path, "ideas.txt")
    assert isinstance(problem, Problem)
    assert (problem.file, problem.row) == (str(path), 2)


def test_standard_input_has_no_folder(tmp_path: Path) -> None:
    """Least of all the one that its copy lies in."""
    (tmp_path / "ideas.txt").write_text("a")
    problem = read_prompts(SheetSource(tmp_path / "sheet", spooled=True), "ideas.txt", 1)
    assert isinstance(problem, Problem)
    assert "no folder" in problem.message
