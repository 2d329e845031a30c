"""Cells to values."""

import pytest

from jobs.catalog.registry import MODELS
from jobs.sheets.row import Cell, Row
from jobs.sheets.rows.inputs import CellProblem, GivenCell, InputValues, cells_by_field, read_values

SEQUENTIAL = MODELS["bytedance/seedream-4-5/sequential"]
OLDER = MODELS["bytedance/seedream-4-0/sequential"]
EDIT = MODELS["bytedance/seedream-4-5/edit"]
COUNT = "sequential_image_generation_options"
SETS = {"hero": ("https://a.example/1.png", "https://a.example/2.png"), "none": ()}


def given(**cells: Cell) -> dict[str, GivenCell]:
    """Cells by field, all on line 2."""
    return {name: GivenCell(name, cell, 2) for name, cell in cells.items()}


def test_two_columns_for_one_field_are_a_complaint() -> None:
    """The first counts, so that the row is judged by something."""
    row = Row(2, {"prompt": "a", "text": "b", "size": "2K"}, {"text": 3})
    read, cell_problems = cells_by_field(
        row, [("prompt", "prompt"), ("text", "prompt"), ("size", "resolution")]
    )
    assert read == {"prompt": GivenCell("prompt", "a", 2), "resolution": GivenCell("size", "2K", 2)}
    (cell_problem,) = cell_problems
    assert cell_problem.given == GivenCell("text", "b", 3)
    assert cell_problem.message == "prompt and text are two names for the same input."


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("3", 3),
        (" 3 ", 3),
        ("3.0", 3),
        ("3.", 3),
        ("+3", 3),
        ("-3", -3),
        ("003", 3),
        ("3.5", "3.5"),
        ("3e0", "3e0"),
        ("3,0", "3,0"),
        ("\u0663", "\u0663"),
        ("1_000", "1_000"),
        ("true", "true"),
        ("three", "three"),
        ("9" * 20, int("9" * 20)),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_whole_numbers(cell: str, value: object) -> None:
    """As people and spreadsheets write them; what is none is left for the check to refuse."""
    made = read_values(SEQUENTIAL, given(seed=cell), frozenset(), {}, {})
    assert made.values["seed"] == value


def test_a_size_is_understood_for_either_family() -> None:
    """Each model gets its own spelling; what is no choice stays as it is."""
    assert read_values(OLDER, given(image_size="2048x2048"), frozenset(), {}, {}).values["image_size"] == (
        "2048:2048 (1:1)"
    )
    made = read_values(SEQUENTIAL, given(resolution="2048:2048 (1:1)"), frozenset(), {}, {})
    assert made.values["resolution"] == "2048x2048 (1:1)"
    assert read_values(OLDER, given(image_size="huge"), frozenset(), {}, {}).values["image_size"] == "huge"


def test_the_count_is_the_page_s_unless_it_is_given_or_refused() -> None:
    """Three, explicitly; a model of single pictures gets none."""
    assert read_values(SEQUENTIAL, {}, frozenset(), {}, {}).values == {COUNT: 3}
    assert read_values(OLDER, given(**{COUNT: "5"}), frozenset(), {}, {}).values == {COUNT: 5}
    assert read_values(OLDER, given(**{COUNT: ("5", "6")}), frozenset(), {}, {}).values == {}
    assert read_values(EDIT, {}, frozenset(), {}, {}).values == {}


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("https://a.example/1.png", ["https://a.example/1.png"]),
        (
            "https://a.example/1.png | https://a.example/3.png",
            ["https://a.example/1.png", "https://a.example/3.png"],
        ),
        ("hero", [*SETS["hero"]]),
        ("hero|https://a.example/3.png", [*SETS["hero"], "https://a.example/3.png"]),
        (("hero", "https://a.example/a|b.png"), [*SETS["hero"], "https://a.example/a|b.png"]),
        ("https://a.example/1.png|", ["https://a.example/1.png", ""]),
        ("data:image/png", ["data:image/png"]),
    ],
)
def test_addresses_and_sets(cell: Cell, addresses: list[str]) -> None:
    """A cell is split at the bar, a list is not; a set's name stands for its addresses."""
    assert read_values(EDIT, given(images=cell), frozenset(), {}, SETS).values == {"images": addresses}


@pytest.mark.parametrize(
    ("name", "hint"), [("herro", "Did you mean hero?"), ("zzz", "The sheet has hero, none.")]
)
def test_an_unknown_set_is_a_complaint(name: str, hint: str) -> None:
    """Where the sheet has sets; the one that was meant is named."""
    made = read_values(EDIT, given(images=f"hero|{name}"), frozenset(), {}, SETS)
    (cell_problem,) = made.cell_problems
    assert cell_problem.message == f"{name} is neither an https address nor an image set of this sheet."
    assert cell_problem.hint == hint
    assert made.refused == {"images"}
    assert made.values == {}
    without = read_values(EDIT, given(images=name), frozenset(), {}, {})
    assert without.values == {"images": [name]}


def test_an_empty_set_was_told_where_it_stands() -> None:
    """No second cell_problem, and no value."""
    made = read_values(EDIT, given(images="none"), frozenset(), {}, SETS)
    assert made == InputValues(refused={"images"})


def test_a_list_where_one_value_is_needed_is_a_complaint() -> None:
    """For texts, choices and numbers alike."""
    cells = given(prompt=("a", "b"), resolution=("2K",), seed=("1", "2"))
    made = read_values(SEQUENTIAL, cells, frozenset(), {}, {})
    assert [cell_problem.message for cell_problem in made.cell_problems] == [
        "One value is needed here, not a list."
    ] * 3
    assert made.refused == {"prompt", "resolution", "seed"}
    assert made.values == {COUNT: 3}


def test_names_in_braces_are_replaced_in_every_kind_of_cell() -> None:
    """Texts, sizes, numbers, addresses, and each item of a list."""
    columns = frozenset({"n", "a", "urls"})
    cells: dict[str, Cell] = {"n": "4", "a": "fox", "urls": ("https://a.example/1.png", "hero")}
    made = read_values(
        SEQUENTIAL, given(prompt="a {a} {b}", seed="{n}2", resolution="{n}K"), columns, cells, {}
    )
    assert made.values == {"prompt": "a fox {b}", "seed": 42, "resolution": "4K", COUNT: 3}
    sources = given(images=("https://a.example/{a}.png", "{a}"))
    made = read_values(EDIT, sources, columns, cells, {"fox": ("https://a.example/9.png",)})
    assert made.values == {"images": ["https://a.example/fox.png", "https://a.example/9.png"]}
    made = read_values(EDIT, given(images="{urls}"), columns, cells, SETS)
    assert made.values == {"images": ["https://a.example/1.png", *SETS["hero"]]}


@pytest.mark.parametrize("cell", ["a pier, {prompt}", ("{prompt}",)])
def test_a_cell_cannot_stand_for_itself(cell: Cell) -> None:
    """A style pasted from another tool would be sent with its own text inside itself."""
    made = read_values(SEQUENTIAL, given(prompt=cell), frozenset({"prompt"}), {"prompt": cell}, {})
    assert [cell_problem.message for cell_problem in made.cell_problems] == [
        "{prompt} stands for this cell itself."
    ]
    assert made.refused == {"prompt"}
    assert "--subject TEXT gives one" in made.cell_problems[0].hint


def test_another_cell_that_stands_for_itself_is_no_style() -> None:
    """Only the prompt's own place is a habit of other programs."""
    made = read_values(SEQUENTIAL, given(size="{size}"), frozenset({"size"}), {"size": "2K"}, {})
    assert [cell_problem.hint for cell_problem in made.cell_problems] == ["Name another column."]


def test_a_gap_is_a_warning_and_a_cell_of_gaps_is_absent() -> None:
    """A prompt with a hole in it is sent, if anything is left of it."""
    made = read_values(SEQUENTIAL, given(prompt="a {x} pier", seed="{x} "), frozenset({"x"}), {}, {})
    assert made.values == {"prompt": "a  pier", COUNT: 3}
    assert made.warnings == [
        "{x} in prompt is an empty cell: nothing is put in its place.",
        "{x} in seed is an empty cell: nothing is put in its place.",
    ]
    listed = read_values(EDIT, given(images=("{x}",)), frozenset({"x"}), {}, {})
    assert listed.values == {"images": [""]}
    assert len(listed.warnings) == 1


def test_a_complaint_knows_its_cell() -> None:
    """Line, column and value are told from it."""
    source = GivenCell("seed", ("1", "2"), 7)
    made = read_values(SEQUENTIAL, {"seed": source}, frozenset(), {}, {})
    assert made.cell_problems == [CellProblem(source, "One value is needed here, not a list.")]
