"""Column names: known ones, those of other models, slips of the pen, and the user's own."""

import pytest

from jobs.catalog.registry import MODELS
from jobs.sheets.rows.column_names import fields_of, known_inputs, known_names, probable_name, word_for

COUNT = "sequential_image_generation_options"


def test_every_field_and_every_common_word_is_known() -> None:
    """Whatever a model's page calls an input, and whatever we call it for all of them."""
    fields = {field for spec in MODELS.values() for field in spec.fields}
    assert set(known_names()) == fields | {
        "prompt",
        "size",
        "count",
        "images",
        "seed",
        "optimize",
        "id",
        "model",
        "again",
    }


def test_names_of_both_families_mean_the_same() -> None:
    """`text` is the other family's prompt, `image_size` its resolution."""
    words = known_inputs()
    assert words["text"] == words["prompt"] == "prompt"
    assert words["image_size"] == words["resolution"] == words["size"] == "size"
    assert words[COUNT] == words["count"] == "count"


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (
            "bytedance/seedream-4-0/sequential",
            {
                "prompt": "text",
                "text": "text",
                "size": "image_size",
                "resolution": "image_size",
                "count": COUNT,
            },
        ),
        (
            "bytedance/seedream-4-5/sequential",
            {"prompt": "prompt", "text": "prompt", "image_size": "resolution", "size": "resolution"},
        ),
    ],
)
def test_a_model_s_field_for_each_name(model: str, names: dict[str, str]) -> None:
    """Common words, its own names and the other family's names lead to the model's own field."""
    fields = fields_of(MODELS[model])
    assert {name: fields[name] for name in names} == names


def test_a_model_has_no_field_for_what_it_lacks() -> None:
    """Single pictures have no count, no seed and, from words, no references."""
    fields = fields_of(MODELS["bytedance/seedream-4-5/text-to-image"])
    assert not {"count", COUNT, "seed", "images", "optimize"} & set(fields)


def test_the_word_for_a_field() -> None:
    """A problem names the common word; a field without one its own name."""
    spec = MODELS["bytedance/seedream-4-0/sequential"]
    assert word_for(spec, "text") == "prompt"
    assert word_for(spec, "unheard_of") == "unheard_of"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("promt", "prompt"),
        ("pormpt", "prompt"),
        ("Prompt", "prompt"),
        ("PROMPT", "prompt"),
        (" prompt", "prompt"),
        ("image size", "image_size"),
        ("Image-Size", "image_size"),
        ("modell", "model"),
        ("cuont", "count"),
        ("counts", "count"),
        ("image", "images"),
        ("optimise", "optimize"),
        ("sequential_image_generation_option", COUNT),
        ("siz", "size"),
        ("sede", "seed"),
        ("szie", "size"),
        ("seeds", "seed"),
        ("ids", "id"),
        ("ID", "id"),
    ],
)
def test_a_slip_of_the_pen_is_recognised(written: str, meant: str | None) -> None:
    """Distance 2 or less, capitals and separators aside; 1 for the short names."""
    assert probable_name(written) == meant


@pytest.mark.parametrize(
    "name",
    ["note", "notes", "sets", "sku", "tag", "tags", "no", "name", "title", "style", "mood", "code", "scene"],
)
def test_an_own_column_is_nobody_s_slip(name: str) -> None:
    """Words that people call their own columns are far enough from every known name."""
    assert probable_name(name) is None
