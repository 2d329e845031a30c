"""The registry: which models there are, and which one was meant."""

import pytest

from jobs.catalog.registry import MODELS, find, suggest
from jobs.catalog.spec import ModelSpec


def test_the_five_models_are_there() -> None:
    """Exactly the models whose pages are known, under the API's own ids."""
    assert set(MODELS) == {
        "bytedance/seedream-4-5/edit-sequential",
        "bytedance/seedream-4-5/text-to-image",
        "bytedance/seedream-4-5/sequential",
        "bytedance/seedream-4-5/edit",
        "bytedance/seedream-4-0/sequential",
    }
    assert all(spec.model_id == model_id for model_id, spec in MODELS.items())


def test_a_model_is_found_by_its_exact_id_only() -> None:
    """A short or sloppy id is never taken for a model: it would be paid for."""
    assert find("bytedance/seedream-4-5/edit") is MODELS["bytedance/seedream-4-5/edit"]
    assert find("seedream-4-5/edit") is None
    assert find("bytedance/seedream-4-5/edit ") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("seedream-4.5/edit", "bytedance/seedream-4-5/edit"),
        ("text-to-image", "bytedance/seedream-4-5/text-to-image"),
        ("Bytedance/Seedream_4_5/Edit Sequential", "bytedance/seedream-4-5/edit-sequential"),
        ("bytedance/seedream-4-5/sequental", "bytedance/seedream-4-5/sequential"),
        ("sequential", None),
        ("flux", None),
        ("", None),
    ],
)
def test_the_model_that_was_meant_is_suggested(written: str, meant: str | None) -> None:
    """An unambiguous ending or a near miss suggests a model; `sequential` alone could be two."""
    assert suggest(written) == meant


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.model_id)
def test_vocabulary_names_fields_that_exist(spec: ModelSpec) -> None:
    """Every common word stands for an input of the model, and every model has a prompt and a size."""
    assert set(spec.vocabulary.values()) <= set(spec.fields)
    assert {"prompt", "size"} <= set(spec.vocabulary)
