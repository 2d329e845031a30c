"""Opening a sheet."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import NoSheet, SheetProblems, UsageProblem
from jobs.sheets import SheetSource, open_sheet

Write = Callable[[str, str | bytes], Path]
EDIT = "bytedance/seedream-4-5/edit"
TEXT = "bytedance/seedream-4-5/text-to-image"


def test_a_missing_sheet_is_its_own_error(tmp_path: Path) -> None:
    """A script tells a wrong path from a wrong sheet."""
    with pytest.raises(NoSheet, match="There is no sheet") as caught:
        open_sheet(tmp_path / "gone.csv")
    assert caught.value.exit_code == 66


@pytest.mark.parametrize("name", ["a.xls", "a", "a.md"])
def test_an_unknown_ending_is_refused_with_the_known_ones(write: Write, name: str) -> None:
    """The hint lists what can be read."""
    with pytest.raises(SheetProblems) as caught:
        open_sheet(write(name, "prompt\na\n"))
    (problem,) = caught.value.problems
    assert problem.message.startswith("Nightsheet does not read files that end in ")
    assert problem.hint.startswith("Sheets end in .csv, .tsv, ")
    assert "--format" in problem.hint


def test_a_folder_or_a_pipe_is_no_sheet(tmp_path: Path) -> None:
    """A pipe could be read only once, and might never end."""
    folder = tmp_path / "a.csv"
    folder.mkdir()
    pipe = tmp_path / "b.csv"
    os.mkfifo(pipe)
    for path in (folder, pipe):
        with pytest.raises(SheetProblems) as caught:
            open_sheet(path)
        assert caught.value.problems[0].message == "This is a folder or a device, not a file."
        assert ("check - --batch" in caught.value.hint) is (path == pipe)


def test_a_path_that_cannot_be_looked_up_is_told(tmp_path: Path) -> None:
    """The system's own word for it."""
    with pytest.raises(SheetProblems) as caught:
        open_sheet(tmp_path / ("x" * 5000 + ".csv"))
    assert caught.value.problems[0].message == "The file cannot be read: File name too long."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "id,prompt,model\n"),
        ("a.csv", "id,prompt,model\n\n,,\n"),
        ("a.yaml", ""),
        ("a.yaml", "jobs: []\n"),
        ("a.jsonl", ""),
        ("a.jsonl", "\n \n"),
    ],
)
def test_a_sheet_without_a_job_is_refused(write: Write, name: str, text: str) -> None:
    """Exit code 65: nothing loaded, nothing paid."""
    with pytest.raises(SheetProblems) as caught:
        open_sheet(write(name, text))
    assert caught.value.exit_code == 65
    (problem,) = caught.value.problems
    assert "no job" in problem.message or "does not begin with a name" in problem.message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", ""),
        ("a.csv", "x;y\n1;2\n"),
        ("a.json", "[{"),
        ("a.xlsx", "x"),
        ("a.parquet", "x"),
        ("a.yaml", "a: *x"),
        ("a.yaml", "jbos:\n- a"),
    ],
)
def test_an_unreadable_sheet_is_refused_with_its_problems(write: Write, name: str, text: str) -> None:
    """All of them, where no row can be read."""
    path = write(name, text)
    with pytest.raises(SheetProblems, match="cannot be read as a sheet") as caught:
        open_sheet(path)
    assert caught.value.problems
    assert all(problem.file == str(path) for problem in caught.value.problems)


def test_the_batch_is_named_by_argument_sheet_or_file(write: Write) -> None:
    """In this order."""
    path = write("monday.yaml", "batch: tuesday\njobs: [{prompt: a}]")
    assert open_sheet(path, batch="wednesday").batch == "wednesday"
    assert open_sheet(path).batch == "tuesday"
    assert open_sheet(write("monday.csv", "prompt\na\n")).batch == "monday"


def test_a_batch_name_in_the_sheet_that_is_none_is_a_problem(write: Write) -> None:
    """Told with its line; the rows are judged all the same."""
    sheet = open_sheet(write("a.yaml", "jobs: [{prompt: a}]\nbatch: a/b\n"))
    (problem,) = sheet.problems
    assert (problem.row, problem.column, problem.value) == (2, "batch", "a/b")
    long = open_sheet(write("x" * 101 + ".csv", "prompt\na\n"))
    assert [(problem.row, problem.column) for problem in long.problems] == [(None, "batch")]
    assert "--batch" in long.problems[0].hint


def test_a_batch_argument_that_is_no_name_is_a_usage_problem(write: Write) -> None:
    """The sheet is not to blame."""
    path = write("a.csv", "prompt\na\n")
    for name in ("", "a/b"):
        with pytest.raises(UsageProblem):
            open_sheet(path, batch=name)


def test_the_model_of_the_sheet_and_the_argument_that_wins(write: Write) -> None:
    """None where rows have to name one."""
    path = write("a.yaml", f"model: {TEXT}\njobs: [{{prompt: a}}]")
    assert open_sheet(path).model == TEXT
    assert open_sheet(path, model=EDIT).model == EDIT
    assert open_sheet(write("a.csv", "prompt\na\n")).model is None


def test_an_unknown_model_argument_is_a_usage_problem(write: Write) -> None:
    """With the one that was meant."""
    with pytest.raises(UsageProblem, match="There is no such model: seedream-4-5/edit") as caught:
        open_sheet(write("a.csv", "prompt\na\n"), model="seedream-4-5/edit")
    assert caught.value.hint == f"Did you mean {EDIT}?"


def test_an_unknown_model_of_the_sheet_is_a_problem_unless_the_argument_wins(write: Write) -> None:
    """Told once, where it stands."""
    path = write("a.yaml", "model: dall-e\njobs: [{prompt: a}]")
    (problem,) = open_sheet(path).problems
    assert (problem.row, problem.column, problem.value) == (1, "model", "dall-e")
    assert problem.hint.startswith("Models: bytedance/")
    assert open_sheet(path, model=TEXT).problems == ()


def test_what_is_said_about_a_sheet_wins_over_its_ending(write: Write) -> None:
    """The format, and the encoding by any of its names."""
    path = write("a.txt", f"prompt;model\nM\u00fcller;{TEXT}\n".encode("cp1252"))
    sheet = open_sheet(SheetSource(path, "csv", "Windows-1252"))
    assert sheet.batch == "a"
    (row,) = sheet.opened.rows()
    assert "M\u00fcller" in str(row)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"format": "excel"}, "One of: csv, "),
        ({"encoding": "cp125"}, "Did you mean cp125"),
        ({"encoding": "utf-7"}, "One of: utf-8, "),
        ({"encoding": "hex"}, "One of: utf-8, "),
        ({"encoding": "\0"}, "One of: utf-8, "),
    ],
)
def test_what_is_said_and_does_not_exist_is_a_usage_problem(
    write: Write, said: dict[str, Any], hint: str
) -> None:
    """With what there is. Encodings that can make half a character are not among it."""
    with pytest.raises(UsageProblem) as caught:
        open_sheet(SheetSource(write("a.csv", "prompt\na\n"), **said))
    assert hint in caught.value.hint


def test_standard_input_needs_a_name_for_its_batch(write: Write) -> None:
    """By argument or in the document; a copy's own name says nothing."""
    path = write("sheet", f"prompt,model\na,{TEXT}\n")
    with pytest.raises(UsageProblem, match="needs a name for its batch") as caught:
        open_sheet(SheetSource(path, spooled=True))
    assert "--batch" in caught.value.hint
    sheet = open_sheet(SheetSource(path, spooled=True), batch="tonight")
    assert (sheet.name, sheet.place, sheet.batch) == ("standard input", "standard input", "tonight")
    path.write_text("batch: tuesday\njobs: [{prompt: a}]")
    assert open_sheet(SheetSource(path, spooled=True)).batch == "tuesday"


def test_a_batch_remembers_the_file_itself(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the way to it was written."""
    path = write("a.csv", "prompt\na\n")
    monkeypatch.chdir(path.parent)
    assert open_sheet(Path("a.csv")).place == str(path.resolve())


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.csv", {"worksheet": "x"}), ("a.xlsx", {"encoding": "cp1252"}), ("a.parquet", {"worksheet": "x"})],
)
def test_what_has_no_meaning_for_a_format_is_a_usage_problem(
    write: Write, name: str, said: dict[str, Any]
) -> None:
    """It is not passed over: another sheet may have been meant."""
    with pytest.raises(UsageProblem, match="has no meaning") as caught:
        open_sheet(SheetSource(write(name, "prompt\na\n"), **said))
    assert "It is for " in caught.value.hint
