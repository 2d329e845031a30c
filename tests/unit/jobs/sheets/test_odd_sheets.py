"""Sheets as people have them: what cannot be meant is a problem, what may be is a warning."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from openpyxl import Workbook

from jobs.problems import Problem
from jobs.sheets import PlannedJob, SheetSource, Survey, open_sheet, plan

Write = Callable[[str, str | bytes], Path]
TEXT = "bytedance/seedream-4-5/text-to-image"
SERIES = "bytedance/seedream-4-5/sequential"
EDIT = "bytedance/seedream-4-5/edit"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def planned(sheet: Path | SheetSource, model: str = TEXT) -> tuple[list[PlannedJob], list[Problem]]:
    """Jobs and problems."""
    items = list(plan(open_sheet(sheet, model=model), random.Random(1), now=NOW))
    return (
        [item for item in items if isinstance(item, PlannedJob)],
        [item for item in items if isinstance(item, Problem)],
    )


def prompts(sheet: Path) -> list[str]:
    """Of a sheet without problems."""
    jobs, problems = planned(sheet)
    assert problems == []
    return [str(job.inputs["prompt"]) for job in jobs]


NOBODY_MEANS = (
    *("#VALUE!", "#DIV/0!", "#NOM?", "#BEZUG!", "#N/A", "#ERROR!", " #REF! ", "Loading..."),
    *("NaN", "none", "NULL", "n/a", "<NA>", "undefined", "\\N", "[object Object]"),
    *("#N/A N/A", "-1.#IND", "1.#QNAN", "#NA", "k.A."),
    *("=B2", "=$C$7", "=CONCAT(A1;B1)", "=Tab!B2", "='my tab'!A1", "=1+2", '="a"&B2'),
    *("Negative prompt: blur", "negative: text, watermark", "Steps: 20, Sampler: Euler a, Seed: 7"),
    *("---", "***", "\u2014", "...", "=", "?", "\u200b", "\u2060\u200d", "\u00ad", "\x07", "\u2800"),
)


@pytest.mark.parametrize("text", NOBODY_MEANS)
def test_a_prompt_that_nobody_means_is_a_problem(write: Write, text: str) -> None:
    """In every format; it would be paid."""
    line = json.dumps({"prompt": text})
    for sheet in (write("a.jsonl", f"{line}\n"), write("a.json", f'{{"jobs": [{line}]}}')):
        jobs, problems = planned(sheet)
        assert jobs == []
        assert [(problem.row, problem.column) for problem in problems] == [(1, "prompt")]
        assert problems[0].hint


@pytest.mark.parametrize(
    "text",
    ["A", "7", "\u72d0", "\U0001f98a", "\u2603", "A null result", "None of them", "N\u00famero 3", "=)"],
)
def test_a_short_prompt_is_sent(write: Write, text: str) -> None:
    """A letter, a digit or a picture of one is enough."""
    if text == "=)":
        assert len(planned(write("a.jsonl", json.dumps({"prompt": text})))[1]) == 1
    else:
        assert prompts(write("a.jsonl", json.dumps({"prompt": text}))) == [text]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("# the second part", "comment"),
        ("// not this one", "comment"),
        ("\u201cA red barn", "does not close"),
        ("'A red barn", "does not close"),
        ("\u00abA red barn\u00bb", "stands in quotes"),
        ('A sign: ""OPEN""', "are sent as two"),
        ("Salt &amp; pepper", "HTML"),
        ("A barn --ar 16:9", "another program's option"),
        ("A barn\tat dusk", "a tab, as between the cells"),
        ("A barn at dusk, film | 2K | 3", "a bar with a size"),
        ("A barn at dusk | 1024x768", "a bar with a size"),
        ("@SUM(A1)", "formula"),
        ("s.o.", "a heading, or a gap"),
        ("1. A barn at dusk, in the rain", "item of a list"),
        ("- A barn", "item of a list"),
        ("\u2022 A barn", "item of a list"),
        ("(3) A barn", "item of a list"),
        ("/imagine a barn at dusk", "another program's command"),
        ("Prompt: a barn at dusk, film still", "label (Prompt:)"),
        ("A <b>barn</b> at dusk, film still", "<b> is HTML"),
        ("A barn<br/>at dusk, film still", "<br/> is HTML"),
        ("A ${building} at dusk, film still", "${building} is another program's placeholder"),
        ("A [BUILDING TYPE] at dusk", "[BUILDING TYPE] is another program's placeholder"),
        ("A <building> at dusk", "<building> is another program's placeholder"),
        ("A %s at dusk, film still", "%s is another program's placeholder"),
        ("A {barn|shed} at dusk, film still", "{barn|shed} is another program's choice of words"),
        ("A __building__ at dusk, film still", "__building__ is another program's choice of words"),
        ("A (red barn:1.3) at dusk, film still", "(red barn:1.3) is another program's weight"),
        ("A red barn, <lora:fog:0.8>, film still", "<lora:fog:0.8> is another program's weight"),
        ("barn::2 snow", "another program's weight"),
        ("A barn in front of #REF! at dusk", "#REF! looks like a gap"),
        ("A portrait of nan in a red barn", "nan looks like a gap"),
        ("A picture of undefined", "undefined looks like a gap"),
        ("A barn, None, at dusk, film still", "None looks like a gap"),
        ("A barn by [object Object] at dusk", "[object Object] looks like a gap"),
        ("\u300cA barn\u300d", "stands in quotes"),
        ("Grand Total", "a heading, or a gap"),
        ("caption", "a heading, or a gap"),
        ("TODO", "a heading, or a gap"),
        ("A barn\x0b at dusk", "U+000B"),
        ("A caf\ufffd at dusk", "a letter was lost"),
        ("Stra\u00c3\u0178e am Caf\u00c3\u00a9", "did you mean Stra\u00dfe am Caf\u00e9?"),
        ("=red barn at dusk", "formula"),
        ("+A1", "formula"),
        ("@$B$2", "formula"),
        *[
            (cell, "another column")
            for cell in (
                "$4.50",
                "45 %",
                "3-Mar",
                "1024*768",
                "4K",
                "12",
                "-0.5",
                "16:9",
                "2026-03-04",
                "TRUE",
                "no",
                "refs/a.jpg",
            )
        ],
        ("https://example.com/a?b=c", "another column"),
    ],
)
def test_a_prompt_that_may_be_meant_is_warned_of(write: Write, text: str, word: str) -> None:
    """It is sent, once somebody has seen the warning."""
    (job,), problems = planned(write("a.jsonl", json.dumps({"prompt": text})))
    assert problems == []
    assert len(job.warnings) == 1
    assert word in job.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "A red barn at dusk, \u201copen\u201d signs -- and snow",
        "Stra\u00dfe, caf\u00e9 \u2013 \u2019tis",
        '#1 fan & his "dog"',
        "7 samurai",
        "-30 degrees, snow",
        "+A1 poster, bold letters",
        "no people on a beach.jpg noise",
        "It's a dog's life at 7",
        "A barn (red, old) at 12:30, 3:2 crop, 100% wool",
        "Undefined shapes in a null space, none of them sharp",
        "A banana stand: ripe fruit, 50% off, price $3 [sic]",
        "A girl eating nan bread at dawn",
        "Two barns: one red, one blue -> a path",
        "9-tailed fox, 1.5 m tall",
        "A red barn | a blue shed, split screen",
    ],
)
def test_an_ordinary_prompt_is_not_warned_of(write: Write, text: str) -> None:
    """Quotes, hyphens and letters of other languages are what prompts have."""
    (job,), problems = planned(write("a.jsonl", json.dumps({"prompt": text})))
    assert (problems, job.warnings) == ([], ())


def test_what_a_name_puts_into_a_prompt_is_looked_at(write: Write) -> None:
    """An error is a problem, a word for nothing is told."""
    text = 'prompt,beast\n"A {beast} at dusk",#REF!\n"A {beast} at dusk",nan\n"A {beast} at dusk",owl\n'
    jobs, (problem,) = planned(write("a.csv", text))
    assert (problem.row, problem.column) == (2, "prompt")
    assert ["nan" in warning for warning in jobs[0].warnings] == [True, True]
    assert jobs[1].warnings == ()
    assert "{beast} in prompt is nan" in jobs[0].warnings[0]


@pytest.mark.parametrize(
    ("prompt", "warning"),
    [
        ("A {beast} at dusk", None),
        (
            "A {Beast} at dusk",
            "No column is called Beast, so {Beast} is sent as it stands. Did you mean {beast}?",
        ),
        ("A {best} at dusk", "Did you mean {beast}?"),
        ("A {building} at dusk", "No column is called building, so {building} is sent as it stands."),
        ("A {home town} at dusk", "so {home town} is sent as it stands."),
        ("A {{beast}} at dusk", "{{beast}}: only {beast} is replaced, and the rest is sent."),
        ("A ${beast} at dusk", "${beast}: only {beast} is replaced, and the rest is sent."),
        ('{"scene": "a barn"}', None),
        ("A barn {200 mm lens, f/2}", None),
    ],
)
def test_a_name_that_no_column_has_is_told(write: Write, prompt: str, warning: str | None) -> None:
    """It is sent with its braces, which a sheet of templates never means."""
    line = json.dumps({"prompt": prompt, "beast": "owl"})
    (job,), problems = planned(write("a.jsonl", f"{line}\n"))
    assert problems == []
    assert (job.warnings == ()) is (warning is None)
    assert warning is None or warning in job.warnings[0]


def test_an_id_that_is_an_error_is_a_problem(write: Write) -> None:
    """It would be the key, and name a folder."""
    _, problems = planned(write("a.csv", "id,prompt\n#REF!,A fox\n=A2,An owl\nb,An elk\n"))
    assert [(problem.row, problem.column) for problem in problems] == [(2, "id"), (3, "id")]


def test_a_seed_of_minus_one_is_told(write: Write) -> None:
    """Elsewhere it draws one."""
    (job,), _ = planned(write("a.csv", "prompt,seed,count\nOne image of a fox,-1,1\n"), SERIES)
    assert ["Leave the cell empty" in warning for warning in job.warnings] == [True]


# Headings.


@pytest.mark.parametrize("name", ["Prompts", "caption", "text", "Positive Prompt"])
def test_prompts_under_another_name(write: Write, name: str) -> None:
    """Where no column is called so."""
    assert prompts(write("a.csv", f"{name},kind\nA fox,x\n")) == ["A fox"]


def test_a_caption_beside_a_prompt_is_one_s_own(write: Write) -> None:
    """There is a column for the prompt."""
    (job,), _ = planned(write("a.csv", "prompt,caption\nA fox,x\n"))
    assert job.columns == {"caption": "x"}


def test_two_that_may_be_the_prompt_are_none(write: Write) -> None:
    """Nothing is guessed."""
    _, problems = planned(write("a.csv", "caption,captions\nA fox,x\n"))
    assert problems


@pytest.mark.parametrize(
    "name",
    ["country", "mode", "amount", "site", "uid", "idx", "pages", "round", "test", "speed", "point", "need"],
)
def test_a_word_of_its_own_is_nobody_s_slip(write: Write, name: str) -> None:
    """However near it is to a known name."""
    (job,), problems = planned(write("a.csv", f"prompt,{name}\nA fox,x\n"))
    assert problems == []
    assert job.columns == {name: "x"}


def sheet_warnings(sheet: Path | SheetSource, model: str = TEXT) -> dict[str | None, str]:
    """What a survey says of each column, in a sheet without problems."""
    opened, survey = open_sheet(sheet, model=model), Survey()
    found = list(plan(opened, random.Random(1), survey=survey))
    assert [item for item in found if isinstance(item, Problem)] == []
    return {told.column: f"{told.message} {told.hint}" for told in survey.warnings(opened)}


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *[
            (name, "a column size")
            for name in ("aspectRatio", "Gr\u00f6\u00dfe", "Taille", "Tama\u00f1o", "\u5c3a\u5bf8")
        ],
        *[
            (name, "a column count")
            for name in ("numImages", "Anzahl", "Nombre", "Cantidad", "\u6570\u91cf", "Qty")
        ],
        *[(name, "a column size") for name in ("outputResolution", "Image Res", "Photo Width")],
        *[(name, "a column count") for name in ("images_count", "Output Count", "pics", "num_of_pictures")],
        *[(name, "a column seed") for name in ("randomSeed", "Graine", "\u79cd\u5b50")],
        *[(name, "no negative prompt") for name in ("negativePrompt", "\u8d1f\u9762\u63d0\u793a\u8bcd")],
        *[(name, "no such input") for name in ("guidanceScale", "Response Format", "CFG-Scale")],
        *[(name, "leaves out no row") for name in ("skip", "Enabled", "Do not run")],
    ],
)
def test_an_input_by_the_word_of_another_program_or_language_is_told(
    write: Write, name: str, word: str
) -> None:
    """It is not sent, and the page's own size or count would be paid."""
    text = f"prompt,{name}\nGenerate 3 images of a pier,7\n"
    assert word in sheet_warnings(write("a.csv", text), SERIES)[name]


@pytest.mark.parametrize(
    "name",
    ["number", "Nummer", "word_count", "font size", "country", "title", "scene", "style", "description"],
)
def test_an_ordinary_column_is_not_told(write: Write, name: str) -> None:
    """It is the user's own."""
    assert sheet_warnings(write("a.csv", f"prompt,{name}\nA pier,7\n")) == {}


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("2048x2048", ""), True),
        (("4k", "1024 * 768 px"), True),
        (("16:9", "1:1"), True),
        (("2048x2048", "wide"), False),
        (("12:30", "16:9"), False),
        (("7", "3"), False),
    ],
)
def test_a_column_of_sizes_is_told_whatever_its_name(
    write: Write, cells: tuple[str, str], told: bool
) -> None:
    """No list has the words of all languages."""
    text = f"prompt,Masse\nA pier,{cells[0]}\nA quay,{cells[1]}\n"
    assert ("Masse" in sheet_warnings(write("a.csv", text))) is told


def test_headings_that_only_another_language_knows_are_translated(write: Write) -> None:
    """Whatever separates them; a sheet that lacks the prompt's alone is told which it may be."""
    (problem,) = open_problems(write("a.csv", "Invite;Taille;Nombre\nUn renard;2K;2\n"))
    assert problem.hint == "Rename Invite to prompt, Taille to size, Nombre to count."
    _, (problem,) = planned(write("a.csv", "id,Description,size\na,A fox,2K\n"))
    assert (problem.column, problem.hint) == ("prompt", "Rename Description to prompt.")
    _, (problem,) = planned(write("a.csv", "id,query,description\na,A fox,x\n"))
    assert problem.hint == "Add a column prompt."


def test_a_title_above_the_header_is_told(write: Write) -> None:
    """As Numbers exports it, and as people write one; a file without a header has another way."""
    for text, line in (("Table 1\nprompt,size\nA fox,2K\n", 2), ("Autumn,\n,\n id ,prompt\n", 3)):
        (problem,) = open_problems(write("a.csv", text))
        assert problem.hint == f"Line {line} looks like the header: delete what stands above it."
    (problem,) = open_problems(write("a.csv", "A fox\n" * 30 + "prompt\n"))
    assert "--format txt" in problem.hint


def test_a_camel_s_humps_are_blanks(write: Write) -> None:
    """`imageSize` is image_size."""
    (job,), problems = planned(write("a.csv", "Prompt,imageSize\nA fox,4K\n"))
    assert problems == []
    assert "4K" in job.inputs.values()
    assert job.columns == {}


def test_a_family_of_models_is_none_of_them(write: Write) -> None:
    """The hint lists all of them, instead of guessing one."""
    _, (problem,) = planned(write("a.csv", "prompt,model\nA fox,Seedream 4.5\n"))
    assert all(name in problem.hint for name in (TEXT, EDIT, SERIES))


# Cells that were cut.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,prompt,note\na,A red fox, in deep snow\n", True),
        ("prompt;note\nA red fox; in deep snow\n", True),
        ("id,prompt,note\na,A red fox,in deep snow\n", False),
        ("id, prompt, note\na, A red fox, in deep snow\n", False),
        ("id,prompt,note\na, A red fox, in deep snow\n", False),
        ("id,prompt,note\na,A red fox, 7\n", False),
        ('id,prompt,note\na,"A red fox, in deep snow",x\n', False),
        ('id,prompt,note\na,"A fox, a dog"," x"\n', False),
    ],
)
def test_a_sentence_that_a_comma_cut_is_told(write: Write, text: str, told: bool) -> None:
    """It was written without quotes, and its end went into the next column."""
    (job,), problems = planned(write("a.csv", text))
    assert problems == []
    assert any("was cut" in warning for warning in job.warnings) is told


def test_what_has_a_problem_is_not_warned_of_as_well(write: Write) -> None:
    """The same cell would be told twice."""
    jobs, problems = planned(write("a.csv", "prompt,note\n\u201cA fox, asleep\u201d,x\n"))
    assert len(problems) == 1
    assert [job.warnings for job in jobs] == [()]


# Objects in columns of one's own.


def test_own_columns_hold_anything(write: Write, tmp_path: Path) -> None:
    """As JSON text; a known name still needs a text."""
    rows = (
        '{"prompt":"A fox","meta":{"a":1.50,"b":[1,null]},"image":{"x":"y"}}\n'
        '{"prompt":"An owl","meta":"plain"}\n'
    )
    first, second = planned(write("a.jsonl", rows))[0]
    assert first.columns == {"meta": '{"a": 1.5, "b": [1, null]}', "image": '{"x": "y"}'}
    assert second.columns == {"meta": "plain"}
    (job,), _ = planned(write("a.yaml", "jobs:\n- prompt: A fox\n  meta: {a: [b, {c: d}]}\n"))
    assert job.columns == {"meta": '{"a": ["b", {"c": "d"}]}'}
    assert planned(write("b.jsonl", '{"prompt":{"a":1}}\n'))[1]
    assert planned(write("b.yaml", "jobs:\n- prompt: A fox\n  matirx: {animal: [fox]}\n"))[1]
    table = arrow.table(
        {
            "prompt": ["A fox", "An owl"],
            "meta": [{"n": 1, "day": None}, None],
            "raw": [b"x" * 10, None],
            "image": [{"bytes": b"x", "path": "a"}, None],
            "boxes": [[{"x": 1}], []],
            "score": [[0.5, 1.0], [2.0]],
        }
    )
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path)
    first, second = planned(path)[0]
    assert first.columns == {"meta": '{"n": 1, "day": null}', "boxes": '[{"x": 1}]', "score": "0.5|1"}
    assert second.columns == {"boxes": "[]", "score": "2"}
    sheet = open_sheet(path, model=TEXT)
    assert [warning.column for warning in sheet.opened.warnings] == ["raw", "image"]


# Formats by content.


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"prompt": "A fox"}\n{"prompt": "An owl"}\n'),
        ("a.json", '["A fox", "An owl"]'),
        ("a.json", '[{"prompt": "A fox"}, {"prompt": "An owl"}]'),
        ("a.jsonl", '[\n {"prompt": "A fox"},\n {"prompt": "An owl"}\n]\n'),
        ("a.ndjson", '{\n "prompts": [\n  "A fox",\n  "An owl"]\n}\n'),
        ("a.yaml", "prompts: [A fox, An owl]\n"),
        ("a.yaml", "- A fox\n- An owl\n"),
        ("a.yaml", "- prompt: A fox\n- prompt: An owl\n"),
        ("a.txt", "A fox\n\n  An owl \n"),
        ("a.txt", "A fox\r\nAn owl\r\n\x1a"),
    ],
)
def test_the_same_two_prompts(write: Write, name: str, text: str) -> None:
    """However they are written."""
    assert prompts(write(name, text)) == ["A fox", "An owl"]


def test_one_object_over_several_lines_is_one_job(write: Write) -> None:
    """With either ending; a document of one line stays a document."""
    assert prompts(write("a.jsonl", '{\n "id": "a",\n "prompt": "A fox"\n}\n')) == ["A fox"]
    assert prompts(write("a.json", '{"prompt": "A fox"}')) == ["A fox"]
    assert prompts(write("b.json", '{"prompts": ["A fox"], "batch": "x"}')) == ["A fox"]
    _, problems = planned(write("c.jsonl", '{"prompt": "A fox"\n{"prompt": "An owl"}\n'))
    assert [problem.row for problem in problems] == [1]


def test_prompts_that_are_neither_are_told_once(write: Write) -> None:
    """Without a second problem of a prompt that is missing."""
    for text, lines in (
        ("prompts: {a: b}\n", [1]),
        ("prompts:\n- [a]\n- A fox\n", [2]),
        ("prompts: [{}]\n", [1]),
    ):
        _, problems = planned(write("a.yaml", text))
        assert [problem.row for problem in problems] == lines, problems


@pytest.mark.parametrize("end", [",", "\\"])
def test_a_line_of_text_that_goes_on_is_told(write: Write, end: str) -> None:
    """Each line is a prompt, and paid."""
    jobs, _ = planned(write("a.txt", f"A red fox in snow{end}\nfilm still\n"))
    assert [len(job.warnings) for job in jobs] == [1, 0]
    assert "prompt of its own" in jobs[0].warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "jobs:\n- prompt: A fox\n",
        "defaults:\n  size: 2K\n",
        "prompt,model\nA fox,x\n",
        "id\tprompt\na\tb\n",
        '{"prompt": "A fox"}\n',
        '["a"]\n',
    ],
)
def test_a_text_file_that_looks_like_another_format_is_told(write: Write, text: str) -> None:
    """Each of its lines would be a prompt."""
    (problem,) = open_problems(write("a.txt", text))
    assert "--format " in problem.hint


def open_problems(path: Path) -> tuple[Problem, ...]:
    """Of a sheet that cannot be opened."""
    with pytest.raises(Exception, match="cannot be read as a sheet") as caught:
        open_sheet(path, model=TEXT)
    return tuple(getattr(caught.value, "problems", ()))


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("jobs:\n- prompt: A fox #1 in snow\n", [(2, "A fox")]),
        ("jobs:\n- prompt: A fox # in snow\n- prompt: 'An owl #2'\n", [(2, "A fox")]),
        ("prompts:\n- Barn #7\n- A barn # b\n", [(2, "Barn"), (3, "A barn")]),
        ("defaults: {size: 2K} # always\njobs:\n- prompt: fox # the hero\n", []),
    ],
)
def test_a_text_that_a_comment_ends_is_told(write: Write, text: str, cut: list[tuple[int, str]]) -> None:
    """YAML drops the rest of the line without a word."""
    sheet = open_sheet(write("a.yaml", text), model=TEXT)
    assert [(warning.row, warning.value) for warning in sheet.opened.warnings] == cut


# Addresses.


def test_addresses_that_are_joined_are_several(write: Write) -> None:
    """By a comma, a semicolon or a blank; a comma inside of one is its own."""
    one, two = "https://a.example/1.png", "https://a.example/w_2,h_3/2.png"
    for mark in (",", ";", ", ", "\n"):
        (job,), problems = planned(
            write("a.jsonl", json.dumps({"prompt": "A fox", "images": one + mark + two})), EDIT
        )
        assert problems == []
        assert job.inputs["images"] == [one, two]


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("https://a.example/1.pnghttps://a.example/2.png", False),
        ("https://a.example/1.png+https://a.example/2.png", False),
        ("https://a.example/1.png\\nhttps://a.example/2.png", False),
        ("https://a.example/1.png//https://b.example/2.png", False),
        ("https://a.example/fetch/https://b.example/2.png", True),
        ("https://a.example/?url=https://b.example/2.png", True),
        ("https://a.example/plain/w:300/https://b.example/2.png@png", True),
    ],
)
def test_two_addresses_that_stand_as_one_are_a_problem(write: Write, address: str, is_one: bool) -> None:
    """Nothing that a program joins them by is lost; a proxy's address has another in it."""
    jobs, problems = planned(write("a.jsonl", json.dumps({"prompt": "A fox", "images": address})), EDIT)
    assert (len(jobs), len(problems)) == ((1, 0) if is_one else (0, 1))
    assert is_one or "Two addresses" in problems[0].message


def test_what_a_list_of_addresses_left_behind_is_no_part_of_one(write: Write) -> None:
    """A comma at the end, or between two bars."""
    for mark in (",", ";", ", "):
        one = f"https://a.example/1.png{mark}"
        (job,), problems = planned(write("a.jsonl", json.dumps({"prompt": "A fox", "images": one})), EDIT)
        assert (job.inputs["images"], problems) == (["https://a.example/1.png"], [])


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("X-Amz-Date=20201101T000000Z&X-Amz-Expires=3600", True),
        ("X-Amz-Date=20261129T235959Z&X-Amz-Expires=3600", False),
        ("X-Goog-Date=20201101T000000Z&X-Goog-Expires=60", True),
        ("Expires=1600000000&Signature=x", True),
        ("Expires=1900000000&Signature=x", False),
        ("se=2021-01-01T00%3A00%3A00Z&sig=x", True),
        ("se=2031-01-01&sig=x", False),
        ("exp=1600000000000", True),
        ("q-sign-time=1600000000;1600003600", True),
        ("X-Amz-Date=yesterday&X-Amz-Expires=1", False),
        ("v=1600000000", False),
    ],
)
def test_an_address_that_has_run_out_is_told(write: Write, query: str, told: bool) -> None:
    """By its own date; it was good when its row was paid, so it is no problem."""
    row = {"prompt": "A fox", "images": f"https://a.example/1.png?{query}"}
    (job,), problems = planned(write("a.jsonl", json.dumps(row)), EDIT)
    assert problems == []
    assert any("expired on" in warning for warning in job.warnings) is told


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://cdn.discordapp.com/a/1.png?ex=5fa00000&is=1&hm=2", "expired on 2020-11-02"),
        ("https://github.com/a/b/blob/main/1.png", "a page"),
        ("https://drive.google.com/file/d/abc/view", "a page"),
        ("https://www.dropbox.com/s/abc/1.png?dl=0", "a page"),
        ("https://www.dropbox.com/s/abc/1.png?dl=1", ""),
        ("https://raw.githubusercontent.com/a/b/main/1.png", ""),
    ],
)
def test_an_address_of_a_page_is_told(write: Write, address: str, told: str) -> None:
    """The API fetches what stands there, and that is no picture."""
    (job,), _ = planned(write("a.jsonl", json.dumps({"prompt": "A fox", "images": address})), EDIT)
    assert [told in warning for warning in job.warnings] == ([True] if told else [])


# Workbooks.


def workbook(folder: Path) -> Path:
    """Two merged columns, a hidden row, a row that only a merged cell reaches, a hidden column."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["prompt", "size", "note", "count"])
    for number in range(2, 7):
        sheet.append([f"Generate an image of pier {number}" if number != 4 else None, None, None, None])
    sheet["B2"], sheet["D2"], sheet["C5"] = "4K", 1, "two columns"
    for cells in ("B2:B5", "D2:D6", "C5:D5"):
        if cells != "C5:D5":
            sheet.merge_cells(cells)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["B"].hidden = True
    path = folder / "merged.xlsx"
    book.save(path)
    return path


def test_merged_cells_hold_for_all_their_rows(tmp_path: Path) -> None:
    """But make no job of a row that has nothing else."""
    jobs, problems = planned(workbook(tmp_path), SERIES)
    assert problems == []
    assert [(job.row, job.inputs.get("resolution"), job.pictures) for job in jobs] == [
        (2, "4K", 1),
        (3, "4K", 1),
        (5, "4K", 1),
        (6, None, 1),
    ]


def test_hidden_rows_and_columns_are_told(tmp_path: Path) -> None:
    """Or left out."""
    path = workbook(tmp_path)
    jobs, _ = planned(path, SERIES)
    assert [job.row for job in jobs if any("hidden" in warning for warning in job.warnings)] == [3]
    assert [warning.column for warning in open_sheet(path, model=SERIES).opened.warnings] == ["size"]
    jobs, _ = planned(SheetSource(path, visible_only=True), SERIES)
    assert [(job.row, job.inputs.get("resolution")) for job in jobs] == [(2, "4K"), (5, "4K"), (6, None)]


def test_a_cell_merged_over_columns_is_told(tmp_path: Path) -> None:
    """It holds for the first of them."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["prompt", "note"])
    sheet.append(["A fox", None])
    sheet.append(["An owl", None])
    sheet.merge_cells("A2:B2")
    path = tmp_path / "wide.xlsx"
    book.save(path)
    assert [len(job.warnings) for job in planned(path)[0]] == [1, 0]


def test_worksheets_that_are_not_read_are_told(tmp_path: Path) -> None:
    """Unless one was named, or nobody sees them."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.append(["prompt"])
    first.append(["A fox"])
    for name in ("Tuesday", "Wednesday", "Lists"):
        book.create_sheet(name).append(["prompt"])
    book["Lists"].sheet_state = "hidden"
    path = tmp_path / "week.xlsx"
    book.save(path)
    (warning,) = open_sheet(path, model=TEXT).opened.warnings
    assert (warning.value, warning.hint) == ("Tuesday, Wednesday", "--worksheet NAME reads another one.")
    for number in range(5):
        book.create_sheet(f"More {number}")
    book.save(path)
    (warning,) = open_sheet(path, model=TEXT).opened.warnings
    assert warning.value == "Tuesday, Wednesday, More 0, More 1 and 3 more"
    named = SheetSource(path, worksheet=first.title)
    assert open_sheet(named, model=TEXT).opened.warnings == ()


def test_only_a_workbook_hides_rows(write: Write) -> None:
    """The option may have been meant for another file."""
    with pytest.raises(Exception, match="--visible-only has no meaning"):
        open_sheet(SheetSource(write("a.csv", "prompt\nA fox\n"), visible_only=True), model=TEXT)


def test_a_survey_names_what_is_not_sent(write: Write) -> None:
    """A column that a prompt names is sent, and a priority has its use."""
    survey = Survey()
    sheet = open_sheet(write("a.csv", "prompt,beast,priority,kind\nA {beast},fox,1,x\n"), model=TEXT)
    assert len(list(plan(sheet, random.Random(1), survey=survey))) == 1
    assert survey.unsent == ["kind"]
    assert list(survey.warnings(sheet)) == []
