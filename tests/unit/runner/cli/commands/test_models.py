"""`nightsheet models`."""

import pytest

from jobs.catalog.registry import MODELS
from tests.unit.runner.cli.world import World

EDIT = "bytedance/seedream-4-5/edit-sequential"


def test_the_table_has_every_model(world: World) -> None:
    """By its id."""
    ran = world.run("models")
    assert ran.code == 0
    assert [model for model in MODELS if model not in ran.out] == []


def test_the_list_as_json(world: World) -> None:
    """One object a model."""
    told = world.run("models", "--json").json
    assert [one["model"] for one in told] == list(MODELS)
    assert {tuple(one) for one in told} == {("model", "title", "summary", "source", "inputs")}


def test_one_model_as_json(world: World) -> None:
    """With its inputs, and the schema of its page."""
    told = world.run("models", EDIT, "--json").json
    assert told["input_schema"] == MODELS[EDIT].input_schema()
    assert told["inputs"][3] == {
        "name": "seed",
        "word": "seed",
        "type": "integer",
        "required": False,
        "choices": [],
        "default": 54519385,
    }


@pytest.mark.parametrize("model", list(MODELS))
def test_one_model_for_a_person(world: World, model: str) -> None:
    """Every input by the word for it, with its choices, limits and default."""
    ran = world.run("models", model)
    assert ran.code == 0
    spec = MODELS[model]
    for name, field in spec.fields.items():
        assert name in ran.out
        assert all(str(choice) in ran.out for choice in field.choices)
    if model == EDIT:
        assert "count (at the API: sequential_image_generation_options): integer, required" in ran.out
        assert "at most 14" in ran.out


def test_a_near_miss_is_suggested(world: World) -> None:
    """What is paid for is never guessed, only proposed."""
    ran = world.run("models", "seedream-4-5/edit")
    assert ran.code == 2
    assert "Did you mean bytedance/seedream-4-5/edit?" in ran.err
