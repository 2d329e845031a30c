"""Priorities by a column."""

import random
from pathlib import Path

from jobs.problems import Problem
from jobs.sheets import PlannedJob, open_sheet, plan

MODEL = "bytedance/seedream-4-5/text-to-image"


def planned(folder: Path, text: str, by: str | None = None) -> list[PlannedJob | Problem]:
    """What a sheet of these lines plans."""
    path = folder / "s.csv"
    path.write_text(text)
    return list(plan(open_sheet(path, model=MODEL), random.Random(1), by))


def test_higher_numbers_go_first(tmp_path: Path) -> None:
    """An empty cell is 0; the column is the user's own, and stays that."""
    jobs = planned(tmp_path, "prompt,priority\na,2.5\nb,\nc,-1\n")
    assert [(job.priority, job.columns) for job in jobs if isinstance(job, PlannedJob)] == [
        (2.5, {"priority": "2.5"}),
        (0.0, {}),
        (-1.0, {"priority": "-1"}),
    ]


def test_the_usual_column_may_say_something_else(tmp_path: Path) -> None:
    """It is a warning; in a column that was named it is a problem."""
    (job,) = planned(tmp_path, "prompt,priority\na,high\n")
    assert isinstance(job, PlannedJob)
    assert (job.priority, job.warnings) == (0.0, ("The priority high is no number: it counts as 0.",))
    (slip,) = planned(tmp_path, "prompt,rank\na,high\n", "rank")
    assert isinstance(slip, Problem)
    assert (slip.row, slip.column, slip.value) == (2, "rank", "high")


def test_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the one that was meant."""
    first, *_jobs = planned(tmp_path, "prompt,rank\na,1\n", "rang")
    assert isinstance(first, Problem)
    assert first.hint == "Did you mean rank?"
