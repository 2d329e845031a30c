"""Pictures: their size, their sameness, their difference."""

import io
from dataclasses import replace
from typing import Literal

import pytest
from PIL import Image

from runner.emulator.chance import seeded
from runner.emulator.pictures.pictures import render
from runner.emulator.pictures.recipe import Recipe
from runner.emulator.pictures.scenes import paint

BASE = Recipe(
    "bytedance/seedream-4-5/sequential", "A lighthouse at dusk.", 7, 0, 4, (2048, 1024), scale=1 / 8
)


def _opened(made: Recipe) -> Image.Image:
    picture = Image.open(io.BytesIO(render(made)))
    picture.load()
    return picture


@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_size_and_format_are_as_asked(format: Literal["jpeg", "png"]) -> None:
    """To the pixel."""
    picture = _opened(replace(BASE, format=format))
    assert (picture.size, picture.mode, picture.format) == ((256, 128), "RGB", format.upper())


def test_a_full_sized_picture() -> None:
    """Enlarged from a small painting, and still its own size."""
    assert _opened(replace(BASE, size=(3024, 1296), scale=1.0)).size == (3024, 1296)


def test_the_same_recipe_gives_the_same_bytes() -> None:
    """Drawn twice, not remembered."""
    first = render(BASE)
    render.cache_clear()
    assert render(BASE) == first


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"seed": None},
        {"prompt": "A lighthouse at dawn."},
        {"index": 1},
        {"model": "x/y"},
        {"references": ("hero.png",)},
        {"total": 5},
    ],
)
def test_any_difference_shows(change: dict[str, object]) -> None:
    """In the picture itself."""
    assert _opened(replace(BASE, **change)).tobytes() != _opened(BASE).tobytes()  # type: ignore[arg-type]


def test_the_caption_darkens_the_lower_edge() -> None:
    """And says nothing in the sky."""
    made = replace(BASE, size=(1024, 1024), scale=1.0, format="png")
    picture = _opened(made)
    bare = paint((1024, 1024), seeded(made.model, made.prompt, made.seed, made.index, made.references))
    assert picture.crop((0, 0, 1024, 600)).tobytes() == bare.crop((0, 0, 1024, 600)).tobytes()
    card = picture.crop((60, 900, 960, 990))
    assert max(card.convert("L").tobytes()) > 180
    assert card.tobytes() != bare.crop((60, 900, 960, 990)).tobytes()


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "日本語のプロンプト、空白なし" * 30,
        "привет, مرحبا, 😀 and \x00\n\t control",
        "half a character \ud800",
        "word " * 2000,
        "unbroken" * 500,
        "café Zürich",
    ],
)
def test_any_text_can_be_written(prompt: str) -> None:
    """Or at least does no harm, on large pictures and on tiny ones."""
    for scale in (1 / 8, 1 / 64, 1e-9):
        made = replace(BASE, prompt=prompt, scale=scale, references=(prompt,))
        assert _opened(made).size == made.pixels


def test_every_scene_can_be_painted() -> None:
    """In every shape, and no two alike."""
    seen = {paint(size, seeded(number)).tobytes() for number in range(60) for size in ((64, 48), (30, 90))}
    assert len(seen) == 120
