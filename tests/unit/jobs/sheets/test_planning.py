"""plan(): from a sheet to jobs and problems."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.problems import Problem
from jobs.sheets import PlannedJob, open_sheet, plan

Write = Callable[[str, str | bytes], Path]
FAMILY = "bytedance/seedream-4-5"
TEXT = f"{FAMILY}/text-to-image"
SERIES = f"{FAMILY}/sequential"
OLDER = "bytedance/seedream-4-0/sequential"
COUNT = "sequential_image_generation_options"


def planned(path: Path, seed: int = 1, **arguments: str) -> list[PlannedJob]:
    """The jobs of a sheet that has no problem."""
    items = list(plan(open_sheet(path, **arguments), random.Random(seed)))
    assert [item for item in items if isinstance(item, Problem)] == []
    return [item for item in items if isinstance(item, PlannedJob)]


def problems(path: Path, **arguments: str) -> list[Problem]:
    """The problems of a sheet."""
    items = plan(open_sheet(path, **arguments), random.Random(1))
    return [item for item in items if isinstance(item, Problem)]


def places(path: Path, **arguments: str) -> list[tuple[int | None, str | None, str | None]]:
    """Row, column and value of the problems of a sheet."""
    return [(problem.row, problem.column, problem.value) for problem in problems(path, **arguments)]


def test_a_row_becomes_a_job(write: Write) -> None:
    """Everything that is loaded, as it would be sent."""
    path = write(
        "a.csv", f"id,prompt,model,size,count,note\n\np1,Generate 2 images of a pier,{SERIES},2048:2048,2,n\n"
    )
    (job,) = planned(path)
    seed = job.inputs["seed"]
    assert isinstance(seed, int)
    assert 0 <= seed < 2**31
    assert (job.position, job.row, job.key, job.model, job.pictures) == (0, 3, "p1", SERIES, 2)
    assert job.inputs == {
        "prompt": "Generate 2 images of a pier",
        "resolution": "2048x2048 (1:1)",
        COUNT: 2,
        "seed": seed,
    }
    assert job.columns == {"note": "n"}
    assert job.warnings == ()


def test_three_formats_say_the_same(write: Write) -> None:
    """The same rows have the same keys, inputs and pictures whatever they are written in."""
    sheets = [
        write("a.csv", f"prompt,model,size,count,seed\nGenerate 3 images of a pier,{SERIES},2K,,012\n"),
        write(
            "a.yaml",
            f"jobs:\n- {{prompt: Generate 3 images of a pier, model: {SERIES}, size: 2K, seed: 012}}\n",
        ),
        write(
            "a.jsonl",
            f'{{"prompt":"Generate 3 images of a pier","model":"{SERIES}","size":"2K","seed":12}}\n',
        ),
    ]
    jobs = [planned(sheet)[0] for sheet in sheets]
    assert (
        len({(job.key, job.fingerprint, str(sorted(job.inputs.items())), job.pictures) for job in jobs}) == 1
    )
    assert jobs[0].inputs["seed"] == 12


def test_a_count_left_empty_is_three_and_is_sent(write: Write) -> None:
    """In the plan, in the inputs, and for the key no other job than one that says 3."""
    path = write("a.csv", f"text,model,count\nGenerate 3 images,{OLDER},\nGenerate 3 images,{OLDER},3\n")
    first, second = planned(path)
    assert first.inputs[COUNT] == second.inputs[COUNT] == 3
    assert first.pictures == 3
    assert first.fingerprint == second.fingerprint


def test_a_drawn_seed_changes_neither_key_nor_fingerprint(write: Write) -> None:
    """The same sheet on another night is the same batch; a seed that is given does count."""
    path = write("a.csv", f"prompt,model\nGenerate 3 images,{SERIES}\n")
    one, other = planned(path, seed=1)[0], planned(path, seed=2)[0]
    assert one.inputs["seed"] != other.inputs["seed"]
    assert (one.key, one.fingerprint) == (other.key, other.fingerprint)
    given = planned(write("b.csv", f"prompt,model,seed\nGenerate 3 images,{SERIES},7\n"))[0]
    assert given.inputs["seed"] == 7
    assert given.fingerprint != one.fingerprint


def test_a_model_without_a_seed_gets_none(write: Write) -> None:
    """And makes one picture."""
    (job,) = planned(write("a.csv", f"prompt,model\na pier,{TEXT}\n"))
    assert job.inputs == {"prompt": "a pier"}
    assert job.pictures == 1


def test_keys_are_made_of_what_is_sent(write: Write) -> None:
    """Aliases, the spelling of a size and own columns do not count; identical rows are numbered."""
    path = write(
        "a.csv",
        "prompt,text,size,resolution,model,note\n"
        f"a pier,,2048x2048,,{TEXT},one\n"
        f",a pier,,2048:2048 (1:1),{TEXT},two\n"
        f"a pier,,2048x2048,,{TEXT},\n"
        f"a gull,,,,{TEXT},\n",
    )
    keys = [job.key for job in planned(path)]
    stem = keys[0]
    assert len(stem) == 16
    assert keys[1:3] == [f"{stem}-2", f"{stem}-3"]
    assert not keys[3].startswith(stem)


def test_a_row_that_moves_keeps_its_key(write: Write) -> None:
    """Neither a row that is put in above nor another order makes it a new job, which would be paid again."""
    rows = [f"a {thing},{TEXT}\n" for thing in ("pier", "gull", "boat")]
    before = planned(write("a.csv", "prompt,model\n" + "".join(rows)))
    after = planned(write("b.csv", f"prompt,model\na new one,{TEXT}\n" + "".join(reversed(rows))))
    assert [job.key for job in after[1:]] == [job.key for job in reversed(before)]


def test_an_id_is_the_key(write: Write) -> None:
    """Blanks around it do not count."""
    jobs = planned(write("a.csv", f"id,prompt,model\n p/1 ,a,{TEXT}\n,b,{TEXT}\n"))
    assert jobs[0].key == "p/1"


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ("[{id: a, prompt: x}, {id: a, prompt: y}]", "This id is already the key of line 2."),
        ("[{prompt: y, id: 'two\u2028lines'}]", "The id holds a line break"),
        (f"[{{prompt: y, id: {'x' * 201}}}]", "The id has 201 characters"),
        ("[{prompt: y, id: [a, b]}]", "An id is one text, not a list."),
    ],
)
def test_an_id_that_cannot_be_one_is_a_problem(write: Write, ids: str, message: str) -> None:
    """With its value."""
    (problem,) = problems(write("a.yaml", f"model: {TEXT}\njobs: {ids}\n"))
    assert problem.message.startswith(message)
    assert (problem.row, problem.column) == (2, "id")
    assert problem.value


def test_position_counts_jobs(write: Write) -> None:
    """From nought, in the order of the sheet."""
    path = write("a.csv", f"prompt,model\na,{TEXT}\n\n\nb,{TEXT}\n")
    assert [(job.position, job.row) for job in planned(path)] == [(0, 2), (1, 5)]


def test_the_row_s_model_wins_over_the_argument_and_that_over_the_sheet(write: Write) -> None:
    """What is nearest to the job counts."""
    path = write(
        "a.yaml", f"model: {TEXT}\njobs:\n- {{prompt: a}}\n- {{prompt: Generate 3 images, model: {SERIES}}}\n"
    )
    assert [job.model for job in planned(path)] == [TEXT, SERIES]
    assert [job.model for job in planned(path, model=SERIES)] == [SERIES, SERIES]


def test_a_sheet_without_any_model_is_told_once(write: Write) -> None:
    """In the header, or at the first job; with the models there are."""
    path = write("a.csv", "prompt\na\nb\n")
    (problem,) = problems(path)
    assert (problem.row, problem.column, problem.message) == (1, "model", "The sheet names no model.")
    assert TEXT in problem.hint
    assert len(planned(path, model=TEXT)) == 2
    assert places(write("a.jsonl", '\n{"prompt": "a"}\n{"prompt": "b"}\n')) == [(2, "model", None)]


def test_a_row_without_a_model_in_a_sheet_with_models_is_told_for_the_row(write: Write) -> None:
    """Each of them."""
    path = write("a.csv", f"prompt,model\na,{TEXT}\nb,\nc,\n")
    assert places(path) == [(3, "model", None), (4, "model", None)]


def test_an_unknown_model_is_told_where_it_stands(write: Write) -> None:
    """In a row for the row, in the sheet once."""
    (problem,) = problems(write("a.csv", f"prompt,model\na,{TEXT}x\n"))
    assert (problem.row, problem.value, problem.message) == (2, f"{TEXT}x", "There is no such model.")
    assert problem.hint == f"Did you mean {TEXT}?"
    assert places(write("a.yaml", "model: x\njobs: [{prompt: a}, {prompt: b}]")) == [(1, "model", "x")]
    assert places(write("a.yaml", "jobs:\n- {prompt: a, model: [x, y]}")) == [(2, "model", "x|y")]


def test_a_value_for_a_field_that_the_model_lacks(write: Write) -> None:
    """A problem in a row, skipped in the defaults; the hint names models that have it."""
    row = write("a.csv", f"prompt,model,count,seed\na,{TEXT},3,\n")
    (problem,) = problems(row)
    assert (problem.row, problem.column, problem.value) == (2, "count", "3")
    assert problem.message == f"{TEXT} has no input for this."
    assert SERIES in problem.hint
    assert f"{FAMILY}/edit," not in problem.hint
    (job,) = planned(
        write("a.yaml", f"model: {TEXT}\ndefaults: {{count: 3, seed: 1}}\njobs: [{{prompt: a}}]")
    )
    assert job.inputs == {"prompt": "a"}


def test_a_field_given_through_two_names_is_a_problem(write: Write) -> None:
    """Where both are filled; a mixed sheet may well have both columns."""
    path = write("a.csv", f"prompt,text,model\na,b,{TEXT}\na,,{TEXT}\n,b,{TEXT}\n")
    (problem,) = problems(path)
    assert (problem.row, problem.column, problem.value) == (2, "text", "b")
    assert problem.message == "prompt and text are two names for the same input."


def test_defaults_hold_unless_the_row_says_otherwise(write: Write) -> None:
    """By whatever name; own columns too."""
    text = (
        f"model: {TEXT}\n"
        "defaults: {size: 2K, prompt: 'a {animal}, {style}', style: noir, animal: cat}\n"
        "jobs:\n- {}\n- {resolution: 4K, animal: fox, style: }\n- {text: plain, note: n}\n"
    )
    first, second, third = planned(write("a.yaml", text))
    assert first.inputs == {"resolution": "2K", "prompt": "a cat, noir"}
    assert first.columns == {"style": "noir", "animal": "cat"}
    assert second.inputs == {"resolution": "4K", "prompt": "a fox, noir"}
    assert third.inputs == {"resolution": "2K", "prompt": "plain"}
    assert third.columns == {"style": "noir", "animal": "cat", "note": "n"}


def test_two_names_in_the_defaults_are_told_once(write: Write) -> None:
    """Not for every row that takes them."""
    text = f"model: {TEXT}\ndefaults: {{size: 2K, resolution: 4K}}\njobs: [{{prompt: a}}, {{prompt: b}}]"
    assert places(write("a.yaml", text)) == [(2, "resolution", "4K")]


def test_a_bad_default_is_told_once_where_it_stands(write: Write) -> None:
    """Ten thousand rows that take it are not ten thousand problems."""
    text = (
        f"model: {SERIES}\ndefaults:\n  count: 99\n  size: 1K\njobs:\n" + "- prompt: Generate 3 images\n" * 50
    )
    assert places(write("a.yaml", text)) == [(3, "count", "99"), (4, "size", "1K")]


def test_a_default_with_a_name_in_braces_is_told_for_its_row(write: Write) -> None:
    """What is wrong comes from the row's cell."""
    text = (
        f"model: {TEXT}\ndefaults: {{size: '{{s}}K'}}\njobs:\n- {{prompt: a, s: 2}}\n- {{prompt: a, s: 9}}\n"
    )
    assert places(write("a.yaml", text)) == [(5, "size", "9K")]
    edit = f"model: {FAMILY}/edit\ndefaults: {{images: ['{{s}}.png']}}\njobs:\n"
    edit += "- {prompt: a, s: x}\n- {prompt: a, s: y}\n"
    assert places(write("b.yaml", edit)) == [(4, "images", "x.png"), (5, "images", "y.png")]


def test_image_sets(write: Write) -> None:
    """Named by a row, alone or between addresses; each job has a list of its own."""
    text = (
        f"model: {FAMILY}/edit\nimage_sets: {{hero: [https://a.example/1.png, https://a.example/2.png]}}\n"
        "jobs:\n- {prompt: a, images: hero}\n- {prompt: b, images: [hero, https://a.example/3.png]}\n"
    )
    first, second = planned(write("a.yaml", text))
    assert first.inputs["images"] == ["https://a.example/1.png", "https://a.example/2.png"]
    assert second.inputs["images"] == [*first.inputs["images"], "https://a.example/3.png"]


def test_a_bad_image_set_is_told_once_where_it_stands(write: Write) -> None:
    """The rows that name it are not told about it; what else is wrong with them is."""
    text = (
        f"model: {FAMILY}/edit\nimage_sets:\n  hero:\n  - pier.png\n  none: []\n"
        "jobs:\n- {prompt: a, images: hero}\n- {prompt: b, images: 'hero|gull.png'}\n"
        "- {prompt: c, images: none}\n- {prompt: d, images: hreo}\n"
    )
    assert places(write("a.yaml", text)) == [
        (4, "hero", "pier.png"),
        (5, "none", None),
        (8, "images", "gull.png"),
        (10, "images", "hreo"),
    ]


def test_a_misspelt_column_is_told_once_and_read_as_meant(write: Write) -> None:
    """In a CSV sheet in the header; its cells are judged too, and nothing is told to be missing."""
    path = write("a.csv", f"promt,modle,szie\na,{TEXT},1K\nb,{TEXT},2K\n")
    assert places(path) == [(1, "promt", None), (1, "modle", None), (1, "szie", None), (2, "szie", "1K")]


def test_a_misspelt_name_is_told_for_each_object_that_has_it(write: Write) -> None:
    """In JSONL and YAML every job names its own columns."""
    path = write("a.jsonl", f'{{"promt": "a", "model": "{TEXT}"}}\n{{"promt": "b", "model": "{TEXT}"}}\n')
    assert places(path) == [(1, "promt", None), (2, "promt", None)]
    text = f"model: {TEXT}\ndefaults:\n  siez: 2K\njobs:\n- Prompt: a\n- note: x\n  promtp: b\n"
    assert places(write("a.yaml", text)) == [(3, "siez", None), (5, "Prompt", None), (7, "promtp", None)]


def test_a_value_that_could_not_be_read_is_not_missed_as_well(write: Write) -> None:
    """One problem for one mistake: not a second one for what is absent because of it."""
    path = write(
        "a.jsonl", f'{{"prompt": {{}}, "model": "{TEXT}", "note": {{}}}}\n{{"model": {{}}, "prompt": "a"}}\n'
    )
    assert places(path) == [(1, "prompt", None), (2, "model", None)]


def test_a_default_that_could_not_be_read_is_not_missed_in_every_row(write: Write) -> None:
    """It is told where it stands."""
    text = f"defaults:\n  model: {TEXT}\n  prompt: {{}}\njobs:\n- size: 2K\n- size: 4K\n"
    assert places(write("a.yaml", text)) == [(3, "prompt", None)]


def test_a_seed_is_drawn_only_where_none_is_given(write: Write) -> None:
    """So that a seed that is added to one row changes that row alone."""
    rows = [f"Generate 3 images,{SERIES},", f"Generate 3 images,{SERIES},5", f"Generate 3 images,{SERIES},"]
    drawn = [job.inputs["seed"] for job in planned(write("a.csv", "prompt,model,seed\n" + "\n".join(rows)))]
    rng = random.Random(1)
    assert drawn == [rng.randrange(2**31), 5, rng.randrange(2**31)]


def test_what_is_missing_is_named_by_the_common_word(write: Write) -> None:
    """Whatever the model's own page calls it."""
    path = write("a.csv", f"model,size\n{OLDER},\n{FAMILY}/edit,2K\n")
    assert places(path) == [(1, "prompt", None), (1, "images", None)]
    path = write("a.yaml", f"jobs:\n- model: {OLDER}\n- model: {FAMILY}/edit\n")
    assert places(path) == [(2, "prompt", None), (3, "images", None), (3, "prompt", None)]


def test_a_column_that_the_sheet_lacks_is_told_once(write: Write) -> None:
    """At the header, with the first model that needs it; a cell that is left empty is told in its row."""
    lines = [f"{model},\n" for model in (TEXT, OLDER) for _twice in "ab"]
    (problem,) = problems(write("a.csv", "Model,size\n" + "".join(lines)))
    assert (problem.row, problem.column, problem.hint) == (1, "prompt", "Add a column prompt.")
    assert problem.message == f"The sheet has no such column, which {TEXT} needs."
    path = write("a.csv", f"model,Prompt\n{TEXT},\n{TEXT},a\n{TEXT},\n")
    assert places(path) == [(2, "Prompt", None), (4, "Prompt", None)]


def test_a_header_may_be_written_by_hand(write: Write) -> None:
    """With capitals, spaces and hyphens: the same jobs, with the same keys; own columns stay as they are."""
    rows = f"one,Generate 2 {{Mood}} images,{SERIES},2048x2048,2,dim\n,Generate 2 images,{SERIES},2K,2,\n"
    plainly = planned(write("a.csv", f"id,prompt,model,image_size,count,Mood\n{rows}"))
    byhand = planned(write("b.csv", f"ID,Prompt,MODEL, Image-Size ,Count,Mood\n{rows}"))
    told = [(job.key, job.fingerprint, job.inputs["prompt"], job.columns) for job in byhand]
    assert told == [(job.key, job.fingerprint, job.inputs["prompt"], job.columns) for job in plainly]
    assert byhand[0].columns == {"Mood": "dim"}


def test_a_heading_that_two_columns_claim_is_a_slip(write: Write) -> None:
    """Nobody knows which of them is meant."""
    assert places(write("a.csv", f"model,prompt,Prompt\n{TEXT},a,b\n")) == [(1, "Prompt", None)]
    assert places(write("a.csv", f"model,Prompt,PROMPT\n{TEXT},a,b\n"))[:2] == [
        (1, "Prompt", None),
        (1, "PROMPT", None),
    ]


def test_warnings_are_sentences_of_the_job(write: Write) -> None:
    """They stop nothing."""
    (job,) = planned(write("a.csv", f"prompt,model,count,x\nGenerate 5 images {{x}},{SERIES},3,\n"))
    assert job.warnings == (
        "{x} in prompt is an empty cell: nothing is put in its place.",
        "The prompt speaks of 5, but at most 3 are asked for. "
        "The model follows the prompt up to this number: write the same in both.",
    )


def test_everything_wrong_is_told_at_once(write: Write) -> None:
    """Across rows and within one, in the order of the sheet, with what stands there."""
    path = write(
        "a.csv",
        f"id,prompt,model,size,count,seed\na,,{SERIES},1K,20,x\na,ok,{TEXT},2K,,,extra\na,ok,{TEXT},2K,,\n",
    )
    assert places(path) == [
        (2, "prompt", None),
        (2, "count", "20"),
        (2, "size", "1K"),
        (2, "seed", "x"),
        (3, None, "extra"),
        (4, "id", "a"),
    ]


def test_a_sheet_emptied_meanwhile_is_a_problem_not_a_crash(write: Write) -> None:
    """Between opening and planning the file is the user's."""
    path = write("a.csv", f"prompt,model\na,{TEXT}\n")
    sheet = open_sheet(path)
    path.write_text("prompt,model\n")
    (problem,) = plan(sheet, random.Random(1))
    assert isinstance(problem, Problem)
    assert problem.message == "The sheet has no job."
    path.unlink()
    (gone,) = plan(sheet, random.Random(1))
    assert isinstance(gone, Problem)


def test_a_plan_can_be_made_twice(write: Write) -> None:
    """`run` plans what `check` planned; the same draws give the same jobs."""
    sheet = open_sheet(write("a.csv", f"prompt,model\nGenerate 3 images,{SERIES}\n"))
    first: list[Any] = list(plan(sheet, random.Random(5)))
    assert first == list(plan(sheet, random.Random(5)))
