"""The sample sheets: people copy from them, so each does what it says."""

import random
from pathlib import Path

import pytest

from jobs.catalog.registry import MODELS
from jobs.problems import Problem
from jobs.sheets import PlannedJob, open_sheet, plan
from jobs.sheets.readers.registry import SUFFIXES

SAMPLES = Path(__file__).parents[2] / "sample_batches"
SOUND = ("first-night.csv", "storyboard.yaml", "all-models.yaml")


def planned(name: str) -> list[PlannedJob | Problem]:
    """All that a sample's plan holds."""
    return list(plan(open_sheet(SAMPLES / name), random.Random(1)))


def test_every_sample_is_tested_here() -> None:
    """A sheet that is added is either sound, or broken on purpose."""
    sheets = {path.name for path in SAMPLES.iterdir() if path.suffix in SUFFIXES}
    assert sheets == {*SOUND, "broken.csv"}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_sample_runs_as_it_is(name: str) -> None:
    """No problem, no warning, and an id that names each job's pictures."""
    jobs = planned(name)
    assert [job for job in jobs if isinstance(job, Problem)] == []
    assert [job.warnings for job in jobs if isinstance(job, PlannedJob) and job.warnings] == []
    assert all(job.key.strip("0123456789abcdef") for job in jobs if isinstance(job, PlannedJob))


def test_the_first_night_is_small() -> None:
    """Eight jobs and seventeen pictures, by three models: a demonstration of less than a minute."""
    jobs = [job for job in planned("first-night.csv") if isinstance(job, PlannedJob)]
    assert (len(jobs), sum(job.pictures for job in jobs), len({job.model for job in jobs})) == (8, 17, 3)


def test_the_storyboard_uses_its_defaults_sets_and_braces() -> None:
    """Each page takes what holds for all, unless it says otherwise."""
    assert open_sheet(SAMPLES / "storyboard.yaml").batch == "storyboard"
    jobs = {job.key: job for job in planned("storyboard.yaml") if isinstance(job, PlannedJob)}
    assert [job.pictures for job in jobs.values()] == [2, 2, 3, 1]
    assert "gouache on rough paper" in str(jobs["page-01"].inputs["prompt"])
    assert "charcoal with a single red" in str(jobs["page-04"].inputs["prompt"])
    assert jobs["page-01"].inputs["images"] != jobs["page-02"].inputs["images"]


def test_all_models_are_there() -> None:
    """One job for each model of the catalogue."""
    assert {job.model for job in planned("all-models.yaml") if isinstance(job, PlannedJob)} == set(MODELS)


def test_the_broken_sheet_breaks_in_each_row() -> None:
    """One mistake in the header and in every row, each told where it is; nothing may be loaded."""
    items = planned("broken.csv")
    assert [item for item in items if isinstance(item, PlannedJob)] == []
    found = [(item.row, item.column) for item in items if isinstance(item, Problem)]
    assert found == [
        (1, "promt"),
        (2, "size"),
        (3, "count"),
        (4, "id"),
        (5, "prompt"),
        (6, "model"),
        (7, "count"),
        (8, "images"),
        (9, "images"),
        (10, "size"),
        (11, "seed"),
        (12, None),
        (13, None),
        (14, "model"),
    ]
