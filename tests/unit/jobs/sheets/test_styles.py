"""A file of styles: what `{prompt}` stands for in it, and which of its rows are no job."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from jobs.problems import Problem, as_sentence
from jobs.sheets import PlannedJob, SheetSource, Survey, open_sheet, plan

Write = Callable[[str, str | bytes], Path]
TEXT = "bytedance/seedream-4-5/text-to-image"
STYLES = (
    "\ufeffname,prompt,negative_prompt\r\n"
    "None,,\r\n"
    'Film,"{prompt}, 35mm film, grain","cartoon"\r\n'
    'Middle,"photo of {prompt}, {prompt} again, soft",\r\n'
    "Alone,{prompt},\r\n"
    'No place,"film noir, high contrast",\r\n'
    "Negative,,ugly\r\n"
)


def planned(sheet: Path, subject: str | None = None) -> tuple[list[PlannedJob], list[Problem], list[str]]:
    """Jobs, problems, and what is said of the sheet as a whole."""
    survey = Survey()
    opened = open_sheet(SheetSource(sheet, subject=subject), model=TEXT)
    items = list(plan(opened, random.Random(1), survey=survey))
    return (
        [item for item in items if isinstance(item, PlannedJob)],
        [item for item in items if isinstance(item, Problem)],
        [as_sentence(one) for one in survey.warnings(opened)],
    )


def prompts(jobs: list[PlannedJob]) -> list[object]:
    return [job.inputs["prompt"] for job in jobs]


def test_a_subject_goes_where_the_style_has_it_and_else_before_it(write: Write) -> None:
    """As the programs that keep such files do."""
    jobs, problems, told = planned(write("styles.csv", STYLES), "a fox, asleep")
    assert problems == []
    assert prompts(jobs) == [
        "a fox, asleep, 35mm film, grain",
        "photo of a fox, asleep, a fox, asleep again, soft",
        "a fox, asleep",
        "a fox, asleep, film noir, high contrast",
    ]
    assert [job.warnings for job in jobs] == [(), (), (), ()]
    assert told[0] == "2 rows are left out, because they have no words to send: 2, 7"
    assert "negative_prompt" in told[1]


def test_without_a_subject_a_style_is_its_own_words(write: Write) -> None:
    """Said of each that has a place for one."""
    jobs, problems, told = planned(write("styles.csv", STYLES))
    assert problems == []
    assert prompts(jobs) == ["35mm film, grain", "photo of, again, soft", "film noir, high contrast"]
    assert [any("--subject" in text for text in job.warnings) for job in jobs] == [True, True, False]
    assert told[0] == "3 rows are left out, because they have no words to send: 2, 5, 7"


def test_rows_left_out_are_counted_and_the_first_named(write: Write) -> None:
    """A file of headings alone has no job."""
    _jobs, problems, told = planned(write("styles.csv", "name,prompt,negative_prompt\n" + "---,,\n" * 9))
    assert [problem.message for problem in problems] == ["The sheet has no job."]
    assert told[0] == "9 rows are left out, because they have no words to send: 2, 3, 4, 5, 6, 7, 8, 9, ..."
    _jobs, _problems, told = planned(write("one.csv", "name,prompt,negative_prompt\n---,,\nInk,ink,\n"))
    assert told[0] == "1 row is left out, because it has no words to send: 2"


@pytest.mark.parametrize(
    "header", ["id,prompt,negative_prompt", "name,prompt", "name,prompt,negative_prompt,seed"]
)
def test_other_sheets_are_no_styles(write: Write, header: str) -> None:
    """Where a prompt is missing, one was meant."""
    row = ",".join(["a", *[""] * header.count(",")])
    sheet = write("a.csv", f"{header}\n{row}\n")
    _jobs, problems, _told = planned(sheet)
    assert [problem.column for problem in problems] == ["prompt"]
    with pytest.raises(UsageProblem, match="no file of styles"):
        planned(sheet, "a fox")


def test_a_cell_that_cannot_be_read_stays_a_problem(write: Write) -> None:
    """It is not taken for a heading."""
    _jobs, problems, _told = planned(
        write("a.jsonl", '{"name": "a", "prompt": {"b": 1}, "negative_prompt": ""}\n'), "a fox"
    )
    assert [problem.column for problem in problems] == ["prompt"]


def test_another_subject_is_another_row(write: Write) -> None:
    """What is sent is what counts."""
    sheet = write("styles.csv", STYLES)
    one, other = planned(sheet, "a fox")[0], planned(sheet, "an owl")[0]
    assert {job.fingerprint for job in one}.isdisjoint(job.fingerprint for job in other)
