"""A row put to a model."""

from dataclasses import replace

from jobs.catalog.registry import MODELS
from jobs.sheets.opened import DocumentSheet
from jobs.sheets.row import Row
from jobs.sheets.rows.columns import sort_columns
from jobs.sheets.rows.inputs import GivenCell
from jobs.sheets.rows.validate import bind_model, validate_row

TEXT = MODELS["bytedance/seedream-4-5/text-to-image"]
SERIES = MODELS["bytedance/seedream-4-5/sequential"]


def sheet(*columns: str, defaults: Row | None = None) -> DocumentSheet:
    """A sheet of these columns."""
    return DocumentSheet("a.yaml", lambda: iter(()), columns, defaults=defaults or Row(0, {}))


def test_defaults_are_fitted_to_the_model() -> None:
    """What it has no field for is skipped, what it has is known by its own name."""
    defaults = Row(2, {"size": "2K", "count": "3", "style": "noir"}, {"size": 3})
    opened = sheet("size", "count", "style", "prompt", defaults=defaults)
    columns = sort_columns(opened)
    assert bind_model(TEXT, columns, opened).defaults == {"resolution": GivenCell("size", "2K", 3)}
    assert bind_model(TEXT, columns, opened).own == {"style": "noir"}
    assert set(bind_model(SERIES, columns, opened).defaults) == {
        "resolution",
        "sequential_image_generation_options",
    }


def test_a_model_s_own_defaults_come_first() -> None:
    """By whatever name of the input; what the model lacks is a slip among them."""
    general = Row(2, {"size": "2K", "style": "noir", "mood": "calm"})
    own = Row(5, {"resolution": "4K", "count": "3", "style": "ink"}, {"count": 6})
    opened = replace(
        sheet("size", "resolution", "count", "style", "mood", defaults=general),
        model_defaults={TEXT.model_id: own},
    )
    columns = sort_columns(opened)
    bound = bind_model(TEXT, columns, opened)
    assert bound.defaults == {"resolution": GivenCell("resolution", "4K", 5)}
    assert bound.own == {"style": "ink", "mood": "calm"}
    assert bound.cells["style"] == "ink"
    (cell_problem,) = bound.cell_problems
    assert (cell_problem.given.column, cell_problem.given.line) == ("count", 6)
    assert bind_model(SERIES, columns, opened).own == {"style": "noir", "mood": "calm"}


def test_a_row_without_problems_is_what_may_be_sent() -> None:
    """By the model's own names, with its defaults; the seed is not drawn here."""
    opened = sheet("prompt", "size", "note", defaults=Row(2, {"size": "2K"}))
    columns = sort_columns(opened)
    bound = bind_model(TEXT, columns, opened)
    validated = validate_row(
        Row(5, {"prompt": "a pier", "note": "n"}), bound, columns, frozenset(columns.known), opened
    )
    assert validated.inputs == {"resolution": "2K", "prompt": "a pier"}
    assert validated.problems == ()
    assert validated.warnings == ()


def test_a_row_with_problems_has_no_inputs() -> None:
    """Each problem names the file, the line, the user's own column and the value."""
    opened = sheet("text", "seed")
    columns = sort_columns(opened)
    bound = bind_model(TEXT, columns, opened)
    validated = validate_row(
        Row(5, {"text": " ", "seed": "1"}, {"seed": 6}), bound, columns, frozenset(), opened
    )
    assert validated.inputs is None
    assert [(found.file, found.row, found.column, found.value) for found in validated.problems] == [
        ("a.yaml", 6, "seed", "1"),
        ("a.yaml", 5, "text", None),
    ]
