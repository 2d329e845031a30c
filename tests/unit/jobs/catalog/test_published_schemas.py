"""The schemas against the pages they come from, word for word (copied into `pages/` from the model pages)."""

import json
from pathlib import Path

import pytest

from jobs.catalog.registry import MODELS

PAGES = Path(__file__).with_name("pages")


@pytest.mark.parametrize(
    ("model_id", "page"),
    [
        ("bytedance/seedream-4-5/edit-sequential", "seedream-4-5-edit-sequential.json"),
        ("bytedance/seedream-4-5/text-to-image", "seedream-4-5-text-to-image.json"),
        ("bytedance/seedream-4-5/sequential", "seedream-4-5-sequential.json"),
        ("bytedance/seedream-4-0/sequential", "seedream-4-0-sequential.json"),
    ],
)
def test_the_schema_is_the_pages(model_id: str, page: str) -> None:
    """Titles, descriptions, enums, defaults, limits and validations: nothing added, nothing left out."""
    published = json.loads((PAGES / page).read_text(encoding="utf-8"))
    ours = MODELS[model_id].input_schema()
    assert ours == published
    assert list(ours["properties"]) == list(published["properties"])


def test_edit_requires_images_not_image_urls() -> None:
    """The page requires `image_urls`, a property it does not have; bodies that work send `images`."""
    schema = MODELS["bytedance/seedream-4-5/edit"].input_schema()
    sibling = MODELS["bytedance/seedream-4-5/edit-sequential"].input_schema()
    assert schema["required"] == ["images", "prompt"]
    assert list(schema["properties"]) == ["images", "prompt", "resolution"]
    assert schema["properties"]["images"]["validations"] == sibling["properties"]["images"]["validations"]
    assert schema["properties"]["images"]["maxItems"] == 14


def test_the_schema_is_a_copy() -> None:
    """Whoever serves or prints a schema may change it without changing the catalogue."""
    spec = MODELS["bytedance/seedream-4-5/edit-sequential"]
    schema = spec.input_schema()
    schema["properties"]["images"]["validations"][0]["validation_value"] = 99
    schema["properties"]["images"]["default"].clear()
    fresh = spec.input_schema()
    assert fresh["properties"]["images"]["validations"][0]["validation_value"] == 10
    assert len(fresh["properties"]["images"]["default"]) == 3
