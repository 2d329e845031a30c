"""What a picture is made from."""

import pytest
from pydantic import JsonValue

from jobs.catalog.registry import MODELS
from runner.emulator.pictures.recipe import Recipe, parse_size, prompt_of, recipe
from runner.emulator.settings import EmulatorSettings
from tests.unit.runner.emulator.world import OLD, SEQUENTIAL, SINGLE

EDIT = "bytedance/seedream-4-5/edit-sequential"
SETTINGS = EmulatorSettings()


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("2K", (2048, 2048)),
        ("4K", (4096, 4096)),
        ("2304x1728 (4:3)", (2304, 1728)),
        ("2560:1440 (16:9)", (2560, 1440)),
        ("1440x2560", (1440, 2560)),
        ("large", (2048, 2048)),
        (None, (2048, 2048)),
    ],
)
def test_sizes(value: JsonValue, size: tuple[int, int]) -> None:
    """Labels are left aside."""
    assert parse_size(value) == size


def test_every_size_of_every_model_is_understood() -> None:
    """None falls back by accident."""
    for spec in MODELS.values():
        for choice in spec.fields[spec.vocabulary["size"]].choices:
            width, height = parse_size(choice)
            assert str(choice).startswith((f"{width}x{height} ", f"{width}:{height} ")) or choice in (
                "2K",
                "4K",
            )


def test_each_model_has_its_own_names() -> None:
    """4.0 says `text` and `image_size`; what is absent takes the page's default."""
    made = recipe(OLD, {"text": "sun", "seed": 7}, 1, 3, SETTINGS)
    assert made == Recipe(OLD, "sun", 7, 1, 3, (2560, 1440))
    assert recipe(SEQUENTIAL, {"prompt": "x", "resolution": "1664x2496 (2:3)"}, 0, 1, SETTINGS).size == (
        1664,
        2496,
    )
    assert recipe(SINGLE, {"prompt": "x"}, 0, 1, SETTINGS).seed is None
    assert prompt_of(SINGLE, {}).startswith("A hyper-realistic")


def test_an_unknown_model_still_gets_a_picture() -> None:
    """An old state may hold one."""
    assert recipe("gone/model", {"prompt": "x"}, 0, 1, SETTINGS) == Recipe(
        "gone/model", "x", None, 0, 1, (2048, 2048)
    )
    assert prompt_of("gone/model", {"prompt": 3}) == ""


def test_references_go_by_their_last_segment() -> None:
    """Without query; inline ones by their type."""
    images: JsonValue = [
        "https://h.example/a/hero%20shot.png?sig=1",
        "https://h.example/b/",
        "https://h.example",
        "data:image/png;base64,AAA",
        7,
    ]
    made = recipe(EDIT, {"prompt": "x", "images": images}, 0, 1, SETTINGS)
    assert made.references == ("hero shot.png", "b", "h.example", "inline image/png")
    assert recipe(EDIT, {"images": "https://h.example/one.png"}, 0, 1, SETTINGS).references == ("one.png",)


def test_pixels_are_scaled_and_never_vanish() -> None:
    """1/16 of 2048 is 128."""
    made = recipe(SINGLE, {"prompt": "x"}, 0, 1, EmulatorSettings(picture_scale=1 / 16))
    assert made.pixels == (128, 128)
    assert recipe(SINGLE, {"prompt": "x"}, 0, 1, EmulatorSettings(picture_scale=1e-9)).pixels == (1, 1)
