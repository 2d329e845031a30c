"""Families in documents, from the sheet to its jobs: what is read, what is told, what their keys are."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.problems import Problem
from jobs.sheets import PlannedJob, open_sheet, plan
from jobs.sheets.families import members

Write = Callable[[str, str | bytes], Path]
FAMILY = "bytedance/seedream-4-5"
SINGLE, SERIES = f"{FAMILY}/text-to-image", f"{FAMILY}/sequential"
HEAD = f"model: {SINGLE}\n"


def planned(path: Path) -> list[PlannedJob]:
    """The jobs of a sheet that has no problem."""
    items = list(plan(open_sheet(path), random.Random(1)))
    assert [item for item in items if isinstance(item, Problem)] == []
    return [item for item in items if isinstance(item, PlannedJob)]


def told(path: Path) -> list[tuple[int | None, str | None, str]]:
    """Row, column and message of every problem."""
    items = plan(open_sheet(path), random.Random(1))
    return [(item.row, item.column, item.message) for item in items if isinstance(item, Problem)]


def keys(path: Path) -> list[str]:
    return [job.key for job in planned(path)]


def test_a_matrix_makes_a_job_of_every_combination(write: Write) -> None:
    """Variables are inputs where they are called so, and columns of the user's own where not."""
    text = HEAD + (
        "jobs:\n- id: zoo\n  prompt: A {animal} in {style}\n  note: n\n"
        "  matrix: {animal: [fox, owl], style: [ink, oil], size: [2K, 4K]}\n- prompt: b\n"
    )
    jobs = planned(write("a.yaml", text))
    assert len(jobs) == 9
    assert jobs[1].key == "zoo-fox-4K-ink"
    assert jobs[1].inputs == {"prompt": "A fox in ink", "resolution": "4K"}
    assert jobs[1].columns == {"note": "n", "animal": "fox", "style": "ink"}
    assert [job.row for job in jobs] == [3] * 8 + [7]
    assert [job.position for job in jobs] == list(range(9))


def test_a_model_and_pictures_may_vary(write: Write) -> None:
    """As in a row of their own; a set of pictures by its name, or a list in the list."""
    text = (
        "image_sets: {hero: [https://a.example/1.png]}\njobs:\n- prompt: Generate 3 images\n  matrix:\n"
        f"    model: [{FAMILY}/edit, {FAMILY}/edit-sequential]\n"
        "    images: [hero, [hero, https://a.example/2.png]]\n"
    )
    jobs = planned(write("a.yaml", text))
    assert [(job.model.rpartition("/")[2], len(str(job.inputs["images"]).split(","))) for job in jobs] == [
        ("edit", 1),
        ("edit", 2),
        ("edit-sequential", 1),
        ("edit-sequential", 2),
    ]


def test_what_is_said_beside_the_jobs_holds_for_all_that_say_nothing(write: Write) -> None:
    """A job with a family of its own has that one."""
    text = HEAD + (
        "matrix: {animal: [fox, owl]}\nrepeat: 2\njobs:\n- {id: a, prompt: '{animal}'}\n"
        "- {id: b, prompt: '{animal}', matrix: {animal: [bear]}}\n"
    )
    assert keys(write("a.yaml", text)) == ["a-fox", "a-fox-2", "a-owl", "a-owl-2", "b-bear"]


def test_a_family_without_jobs_is_one(write: Write) -> None:
    """A sheet of three lines may be a night."""
    write("ideas.txt", "A fox\n\nAn owl\n")
    path = write("a.yaml", HEAD + "prompts: ideas.txt\nmatrix: {size: [2K, 4K]}\n")
    jobs = planned(path)
    assert [(job.inputs["prompt"], job.inputs["resolution"]) for job in jobs] == [
        ("A fox", "2K"),
        ("A fox", "4K"),
        ("An owl", "2K"),
        ("An owl", "4K"),
    ]
    same = {"model": SINGLE, "prompts": "ideas.txt", "matrix": {"size": ["2K", "4K"]}}
    assert keys(write("a.json", json.dumps(same))) == [job.key for job in jobs]


def test_jobs_without_an_id_have_the_keys_that_they_have_as_rows(write: Write) -> None:
    """However they are written."""
    rows = "".join(
        f"A {animal} in {style},{SINGLE}\n" for animal in ("fox", "owl") for style in ("ink", "oil")
    )
    text = HEAD + (
        "jobs:\n- prompt: A {animal} in {style}\n  matrix: {animal: [fox, owl], style: [ink, oil]}\n"
    )
    assert keys(write("a.yaml", text)) == keys(write("a.csv", "prompt,model\n" + rows))


def test_seeds_are_drawn_or_listed(write: Write) -> None:
    """Drawn for each repetition, and no part of the key; listed, a job for each."""
    head = f"model: {SERIES}\njobs:\n- prompt: Generate 3 images\n  "
    drawn = planned(write("a.yaml", head + "repeat: 3\n"))
    assert len({str(job.inputs["seed"]) for job in drawn}) == 3
    assert [job.key for job in drawn] == [drawn[0].key, f"{drawn[0].key}-2", f"{drawn[0].key}-3"]
    listed = planned(write("a.yaml", head + "seeds: [7, 11]\n  id: s\n"))
    assert [(job.key, job.inputs["seed"]) for job in listed] == [("s-seed7", 7), ("s-seed11", 11)]
    assert len(planned(write("a.yaml", head + "seeds: [7, 11]\n  repeat: 2\n"))) == 2


def test_keys_stay_when_a_matrix_grows(write: Write) -> None:
    """What was paid for is not paid again."""

    def sheet(matrix: str, repeat: int) -> set[str]:
        text = f"jobs:\n- {{id: z, prompt: '{{a}} {{b}}', matrix: {{{matrix}}}, repeat: {repeat}}}\n"
        return set(keys(write("a.yaml", HEAD + text)))

    before = sheet("a: [x, y], b: [1]", 1)
    assert before < sheet("b: [0, 1, 2], a: [w, x, y]", 3)


def test_defaults_by_model(write: Write) -> None:
    """Before those for all; the job's own come before both."""
    text = (
        "defaults: {size: 2K, style: ink}\nmodel_defaults:\n"
        f"  {SINGLE}: {{resolution: 4K, style: oil}}\n  {SERIES}: {{count: 5}}\n"
        f"jobs:\n- {{prompt: 'Generate 5 images, {{style}}', matrix: {{model: [{SINGLE}, {SERIES}]}}}}\n"
        f"- {{prompt: x, model: {SINGLE}, size: 2304x1728}}\n"
    )
    single, series, own = planned(write("a.yaml", text))
    assert (single.inputs["resolution"], single.inputs["prompt"]) == ("4K", "Generate 5 images, oil")
    assert (series.inputs["resolution"], series.pictures, series.columns) == ("2K", 5, {"style": "ink"})
    assert own.inputs["resolution"] == "2304x1728 (4:3)"


def test_slips_in_defaults_by_model_are_told_once(write: Write) -> None:
    """Where they stand."""
    text = HEAD + (
        "model_defaults:\n"
        f"  {SINGLE}x: {{}}\n"
        f"  {SINGLE}:\n    count: 3\n    siez: 2K\n    repeat: 2\n"
        "jobs: [{prompt: a}, {prompt: b}]\n"
    )
    assert told(write("a.yaml", text)) == [
        (3, "model_defaults", "There is no such model."),
        (7, "repeat", "This makes many jobs of one, and is no default."),
        (6, "siez", "There is no such column."),
        (5, "count", f"{SINGLE} has no input for this."),
    ]
    assert told(write("a.yaml", HEAD + "model_defaults: 2K\njobs: [{prompt: a}]"))[0][:2] == (
        2,
        "model_defaults",
    )


def test_what_is_wrong_with_all_of_a_family_is_told_once(write: Write) -> None:
    """What is wrong with a value of a variable, on the line of the variable and for each value."""
    text = HEAD + (
        "jobs:\n- prompt: '{a}'\n  szie: 1K\n  matrix:\n    a: [x, y, z]\n    size: [1K, 2K, 3K]\n"
        "- matrix: {a: [x, y]}\n  count: 3\n"
    )
    assert told(write("a.yaml", text)) == [
        (4, "szie", "There is no such column."),
        (7, "size", "This is not one of the model's choices."),
        (7, "size", "This is not one of the model's choices."),
        (9, "count", f"{SINGLE} has no input for this."),
        (8, "prompt", "This model needs a value here, and there is none."),
    ]


def test_a_prompt_of_a_file_is_told_in_its_file(write: Write) -> None:
    """With its own line."""
    ideas = write("ideas.txt", "fine\n{prompt} again\n")
    items = list(plan(open_sheet(write("a.yaml", HEAD + "prompts: ideas.txt\n")), random.Random(1)))
    (problem,) = [item for item in items if isinstance(item, Problem)]
    assert (problem.file, problem.row, problem.column) == (str(ideas.resolve()), 2, "prompt")


def test_a_file_of_prompts_that_breaks_off_meanwhile_is_told(write: Write) -> None:
    """Between being counted and being read it is the user's."""
    write("ideas.txt", "a\n")
    sheet = open_sheet(write("a.yaml", HEAD + "prompts: ideas.txt\n"))
    write("ideas.txt", b"\xff\n")
    (problem,) = plan(sheet, random.Random(1))
    assert isinstance(problem, Problem)
    assert "UTF-8" in problem.message


@pytest.mark.parametrize(
    ("family", "column", "message"),
    [
        ("matrix: [a]", "matrix", "The matrix is names, each with a list of values."),
        ("matrix: {a: []}", "a", "The list of values is empty."),
        ("matrix: {a: [{b: c}]}", "a", "An object cannot stand here: a text, a number or a list is needed."),
        ("matrix: {id: [a]}", "id", "An id is one job's own name: it cannot vary by itself."),
        ("matrix: {repeat: [2]}", "repeat", "This name has a meaning of its own here."),
        ("matrix: {note: [a]}", "note", "This is a value of the job and a variable of its family."),
        ("seeds: [1, 1]", "seeds", "A seed appears twice here: the same job would be paid twice."),
        ("seeds: {a: b}", "seeds", "Seeds are a list of whole numbers."),
        ("matrix: {seed: [1]}, seeds: [2]", "seeds", "The seeds are given here and as a variable."),
        ("matrix: {a: [1]}, zip: {a: [2]}", "a", "This stands in the matrix and in the zip."),
        ("zip: {a: [1, 2], b: [3]}", "zip", "The lists differ in length: a has 2, b has 1."),
        ("repeat: 0", "repeat", "A whole number from 1 to 10,000 is needed here."),
        ("repeat: [2]", "repeat", "A whole number from 1 to 10,000 is needed here."),
        ("repeat: 3, seeds: [1, 2]", "repeat", "There are 2 seeds for 3 jobs."),
        ("include: a", "include", "include is a list."),
        ("include: [{id: x}]", "id", "An id is one job's own name: it cannot vary by itself."),
        ("include: [{a: x, seeds: 1}]", "seeds", "This name has a meaning of its own here."),
        ("exclude: [a]", "exclude", "An entry is names, each with a value."),
        (
            "matrix: {animal: [a]}, exclude: [{animla: a}]",
            "animla",
            "No variable has this name, so nothing is excluded.",
        ),
        ("matrix: {a: [x]}, exclude: [{a: x}]", "exclude", "Everything is excluded: no job is left."),
        ("prompts: {a: b}", "prompts", "Prompts are a list of texts, or the name of a text file."),
        ("prompts: [[a], b]", "prompts", "A prompt is one text."),
        ("prompts: none.txt", "prompts", "There is no such file in the sheet's folder."),
    ],
)
def test_slips_in_a_family_are_told(write: Write, family: str, column: str, message: str) -> None:
    """Where they stand, and the sheet is read on."""
    text = HEAD + f"jobs:\n- {{prompt: a, note: n, {family}}}\n- size: 1K\n"
    found = told(write("a.yaml", text))
    assert (3, column, message) in found
    assert (4, "size", "This is not one of the model's choices.") in found


def test_a_family_that_is_too_large_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without going through it; the rest of the job is judged by its first member."""
    monkeypatch.setattr("jobs.sheets.families.parse.MOST_JOBS", 7)
    text = HEAD + "jobs:\n- prompt: '{a}{b}'\n  size: 1K\n  matrix: {a: [1, 2], b: [1, 2]}\n  repeat: 2\n"
    assert told(write("a.yaml", text)) == [
        (3, None, "This comes to 8 jobs, at most 7 are made of one."),
        (4, "size", "This is not one of the model's choices."),
    ]
    assert members.MOST_JOBS >= 1_000_000
