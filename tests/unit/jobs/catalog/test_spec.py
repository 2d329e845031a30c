"""ModelSpec.check: what may be sent, and every problem at once."""

from typing import Any

import pytest

from jobs.catalog.registry import MODELS
from jobs.catalog.spec import InputKind

SEQUENTIAL = MODELS["bytedance/seedream-4-5/sequential"]
TEXT_TO_IMAGE = MODELS["bytedance/seedream-4-5/text-to-image"]
EDIT = MODELS["bytedance/seedream-4-5/edit"]
EDIT_SEQUENTIAL = MODELS["bytedance/seedream-4-5/edit-sequential"]
OLDER = MODELS["bytedance/seedream-4-0/sequential"]
COUNT = "sequential_image_generation_options"
GOOD: dict[str, dict[str, Any]] = {
    SEQUENTIAL.model_id: {"prompt": "Generate 3 images of a pier.", COUNT: 3},
    TEXT_TO_IMAGE.model_id: {"prompt": "A pier."},
    EDIT.model_id: {"prompt": "Add a heron.", "images": ["https://a.example/1.png"]},
    EDIT_SEQUENTIAL.model_id: {
        "prompt": "Generate 2 images of a heron.",
        "images": ["https://a.example/1.png"],
        COUNT: 2,
    },
    OLDER.model_id: {"text": "Generate 3 images of a pier."},
}


@pytest.mark.parametrize("model_id", GOOD)
def test_the_least_that_a_page_requires_is_enough(model_id: str) -> None:
    """The required inputs pass without a warning, and nothing is added: absent fields are not sent."""
    checked = MODELS[model_id].check(GOOD[model_id])
    assert checked.inputs == GOOD[model_id]
    assert checked.problems == checked.warnings == ()


@pytest.mark.parametrize(
    ("model_id", "field"), [(model_id, field) for model_id, good in GOOD.items() for field in good]
)
def test_each_required_field_is_missed(model_id: str, field: str) -> None:
    """Without one required field there is nothing to send, and the field is named."""
    checked = MODELS[model_id].check({name: value for name, value in GOOD[model_id].items() if name != field})
    assert checked.inputs is None
    assert [(found.field, found.value) for found in checked.problems] == [(field, None)]
    assert "there is none" in checked.problems[0].message


@pytest.mark.parametrize(
    ("model_id", "field", "choice"),
    [
        (spec.model_id, field.name, choice)
        for spec in MODELS.values()
        for field in spec.fields.values()
        for choice in field.choices
    ],
)
def test_every_choice_of_a_page_is_taken_as_it_is_written(
    model_id: str, field: str, choice: str | int
) -> None:
    """Every value of every enum passes, and is sent unchanged."""
    checked = MODELS[model_id].check({**GOOD[model_id], field: choice})
    assert checked.problems == ()
    assert checked.inputs is not None
    assert checked.inputs[field] == choice


@pytest.mark.parametrize("value", [0, 16, -1, "3", 3.0, True, None, [3]])
def test_a_count_is_a_whole_number_from_1_to_15(value: object) -> None:
    """Nothing that only looks like a count is sent: not `true` for 1, not 3.0 for 3."""
    checked = SEQUENTIAL.check({"prompt": "A pier.", COUNT: value})
    assert checked.inputs is None
    (found,) = checked.problems
    assert (found.field, found.value) == (COUNT, value)
    assert found.message == "A whole number from 1 to 15 is needed here."


@pytest.mark.parametrize("value", ["7", 7.0, True, None])
def test_a_seed_is_a_whole_number(value: object) -> None:
    """A seed of another type is a problem."""
    (found,) = SEQUENTIAL.check({**GOOD[SEQUENTIAL.model_id], "seed": value}).problems
    assert found.message == "A whole number is needed here."


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_seed_beyond_64_bits_cannot_be_sent(value: int) -> None:
    """No reader of JSON keeps such a number; one less is let through."""
    (found,) = SEQUENTIAL.check({**GOOD[SEQUENTIAL.model_id], "seed": value}).problems
    assert found.message == "This number is too large to be sent."
    nearer = value - 1 if value > 0 else value + 1
    assert SEQUENTIAL.check({**GOOD[SEQUENTIAL.model_id], "seed": nearer}).problems == ()


@pytest.mark.parametrize("model_id", GOOD)
@pytest.mark.parametrize("blank", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_a_problem(model_id: str, blank: str) -> None:
    """A prompt without a letter would be paid for all the same."""
    spec = MODELS[model_id]
    (found,) = spec.check({**GOOD[model_id], spec.vocabulary["prompt"]: blank}).problems
    assert (found.field, found.message) == (spec.vocabulary["prompt"], "The prompt is empty.")


@pytest.mark.parametrize("model_id", GOOD)
def test_half_a_character_cannot_be_sent(model_id: str) -> None:
    """A lone surrogate has no UTF-8 form: it is told here, not met while submitting."""
    spec = MODELS[model_id]
    (found,) = spec.check({**GOOD[model_id], spec.vocabulary["prompt"]: "a \ud800 b"}).problems
    assert "half a character" in found.message


def test_a_prompt_that_is_no_text_is_a_problem() -> None:
    """Numbers and lists are not turned into text."""
    (found,) = TEXT_TO_IMAGE.check({"prompt": 5}).problems
    assert (found.value, found.message) == (5, "Text is needed here.")


def test_images_that_are_no_list_are_a_problem() -> None:
    """One address alone is not a list."""
    (found,) = EDIT.check({"prompt": "x", "images": "https://a.example/1.png"}).problems
    assert found.message == "A list of https addresses is needed here."


def test_an_unknown_field_names_the_one_that_was_meant() -> None:
    """A near miss is suggested."""
    (found,) = TEXT_TO_IMAGE.check({"prompt": "x", "resolutoin": "2K"}).problems
    assert (found.field, found.value) == ("resolutoin", "2K")
    assert found.message == "bytedance/seedream-4-5/text-to-image has no such input."
    assert found.hint == "Did you mean resolution?"


def test_an_unknown_field_that_is_like_none_gets_the_list() -> None:
    """Without a near miss, all inputs of the model are named."""
    (found,) = TEXT_TO_IMAGE.check({"prompt": "x", "zzz": 1}).problems
    assert found.hint == "Its inputs are prompt, resolution."


def test_an_unknown_choice_names_the_nearest_and_lists_all() -> None:
    """The published spelling is the only one that is sent; the one that was meant is suggested."""
    (found,) = OLDER.check({"text": "A pier.", COUNT: 1, "image_size": "2048x2048"}).problems
    assert found.message == "This is not one of the model's choices."
    assert found.hint.startswith("Did you mean 2048:2048 (1:1)? One of: 2048:2048 (1:1), 2304:1728 (4:3),")


@pytest.mark.parametrize("value", ["enormous", 7])
def test_an_unknown_choice_that_is_like_none_gets_the_list(value: object) -> None:
    """Without a near miss, all choices are listed."""
    (found,) = OLDER.check({"text": "A pier.", COUNT: 1, "optimize_prompt_options": value}).problems
    assert found.hint == "One of: fast, standard."


def test_every_problem_is_told_at_once() -> None:
    """One look at the answer is enough to mend a row."""
    checked = EDIT_SEQUENTIAL.check({"prompt": " ", "images": [], "resolution": "1K", "seed": "x", "sede": 1})
    assert checked.inputs is None
    assert [found.field for found in checked.problems] == [
        "images",
        "prompt",
        "resolution",
        "seed",
        COUNT,
        "sede",
    ]


def test_the_prompt_of_seedream_4_0_has_at_most_600_characters() -> None:
    """The one machine-readable limit: 600 pass, 601 do not."""
    prompt = "Generate 3 images of " + "a" * 579
    assert OLDER.check({"text": prompt}).problems == ()
    (found,) = OLDER.check({"text": prompt + "a"}).problems
    assert found.message == "The text has 601 characters, the model takes at most 600."


def test_one_to_fourteen_images() -> None:
    """Fourteen references pass, none and fifteen do not."""
    pictures = [f"https://a.example/{number}.png" for number in range(15)]
    assert EDIT.check({"prompt": "x", "images": pictures[:14]}).problems == ()
    (none,) = EDIT.check({"prompt": "x", "images": []}).problems
    assert none.message == "0 pictures are given, the model takes at least 1."
    (many,) = EDIT.check({"prompt": "x", "images": pictures}).problems
    assert many.message == "15 pictures are given, the model takes at most 14."


def test_each_bad_image_is_told_with_its_address() -> None:
    """A list with two bad addresses has two problems, each with its own value and what to do."""
    checked = EDIT.check(
        {"prompt": "x", "images": ["a.png", "https://a.example/1.png", "http://b.example/2.png", 3]}
    )
    assert [found.value for found in checked.problems] == ["a.png", "http://b.example/2.png", 3]
    assert all("https" in found.hint for found in checked.problems[:2])


def test_what_is_returned_is_a_copy() -> None:
    """The inputs may be added to without changing what was judged."""
    values = dict(GOOD[TEXT_TO_IMAGE.model_id])
    checked = TEXT_TO_IMAGE.check(values)
    assert checked.inputs is not None
    checked.inputs["seed"] = 1
    assert "seed" not in values


@pytest.mark.parametrize(
    ("spec", "inputs", "pictures"),
    [
        (TEXT_TO_IMAGE, {"prompt": "x"}, 1),
        (EDIT, {"prompt": "x", "images": ["https://a.example/1.png"]}, 1),
        (SEQUENTIAL, {"prompt": "x", COUNT: 7}, 7),
        (OLDER, {"text": "x"}, 3),
        (OLDER, {"text": "x", COUNT: 15}, 15),
    ],
)
def test_the_most_pictures_to_expect(spec: Any, inputs: dict[str, Any], pictures: int) -> None:
    """The count, the page's default where none is sent, one where the model makes single pictures."""
    assert spec.expected_images(inputs) == pictures


def test_which_models_have_a_seed() -> None:
    """Only the series models expose one."""
    assert {model_id for model_id, spec in MODELS.items() if spec.has_seed} == {
        SEQUENTIAL.model_id,
        EDIT_SEQUENTIAL.model_id,
        OLDER.model_id,
    }


def test_fields_say_what_the_page_says() -> None:
    """InputKind, requirement, choices and default of each input, in the page's order."""
    fields = OLDER.fields
    assert list(fields) == ["text", "image_size", "seed", COUNT, "optimize_prompt_options"]
    assert [field.kind for field in fields.values()] == [
        InputKind.TEXT,
        InputKind.TEXT,
        InputKind.WHOLE_NUMBER,
        InputKind.WHOLE_NUMBER,
        InputKind.TEXT,
    ]
    assert [name for name, field in fields.items() if field.required] == ["text"]
    assert (fields["seed"].default, fields[COUNT].default) == (None, 3)
    assert fields["optimize_prompt_options"].words == ("fast", "standard")
    assert fields[COUNT].words == ()
    assert EDIT.fields["images"].kind is InputKind.LIST
