"""What an image is made from: known without drawing it, so that no image needs to be stored."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import JsonValue

from jobs.catalog.registry import find
from runner.emulator.settings import EmulatorSettings

_SIZE = re.compile(r"(\d+)\s*[x:*]\s*(\d+)")
_SQUARES = {"1K": 1024, "2K": 2048, "4K": 4096}
_FALLBACK = (2048, 2048)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image. Equal recipes give the same bytes; any difference is visible."""

    model: str
    prompt: str
    seed: int | None
    index: int
    """From 0."""
    total: int
    size: tuple[int, int]
    """Width and height requested, in pixels, before `scale`."""
    references: tuple[str, ...] = ()
    """Names of its reference images."""
    looks: tuple[str, ...] = ()
    """The looks of those that were fetched."""
    scale: float = 1.0
    format: Literal["jpeg", "png"] = "jpeg"
    quality: int = 85

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height as drawn."""
        return max(1, round(self.size[0] * self.scale)), max(1, round(self.size[1] * self.scale))

    @property
    def content_type(self) -> str:
        return f"image/{self.format}"


def recipe(
    model_id: str,
    body: Mapping[str, JsonValue],
    index: int,
    total: int,
    settings: EmulatorSettings,
    looks: tuple[str, ...] = (),
) -> Recipe:
    """The recipe of image `index` of a request with this `body`; absent fields take the page's defaults."""
    words, defaults = _names(model_id)
    seed = body.get(words.get("seed", "seed"))
    size = words.get("size", "resolution")
    return Recipe(
        model=model_id,
        prompt=prompt_of(model_id, body),
        seed=seed if isinstance(seed, int) else None,
        index=index,
        total=total,
        size=parse_size(body.get(size, defaults.get(size))),
        references=_references(body.get(words.get("images", "images"))),
        looks=looks,
        scale=settings.picture_scale,
        format=settings.picture_format,
        quality=settings.picture_quality,
    )


def prompt_of(model_id: str, body: Mapping[str, JsonValue]) -> str:
    """The prompt, whatever the model calls it; empty if there is none."""
    words, defaults = _names(model_id)
    field = words.get("prompt", "prompt")
    prompt = body.get(field, defaults.get(field))
    return prompt if isinstance(prompt, str) else ""


def parse_size(value: JsonValue) -> tuple[int, int]:
    """`2304x1728 (4:3)`, `2560:1440 (16:9)`, `2K` or `4K` -> width and height in pixels."""
    if not isinstance(value, str):
        return _FALLBACK
    if value in _SQUARES:
        return _SQUARES[value], _SQUARES[value]
    sides = _SIZE.match(value)
    return (int(sides[1]), int(sides[2])) if sides else _FALLBACK


@lru_cache(maxsize=64)
def _names(model_id: str) -> tuple[Mapping[str, str], Mapping[str, JsonValue]]:
    """Common word -> the model's field, and the defaults by field."""
    spec = find(model_id)
    if spec is None:
        return {}, {}
    return spec.vocabulary, {name: field.default for name, field in spec.fields.items()}


def _references(images: JsonValue) -> tuple[str, ...]:
    if isinstance(images, str):
        images = [images]
    if not isinstance(images, Sequence):
        return ()
    return tuple(_name(image) for image in images if isinstance(image, str))


def _name(address: str) -> str:
    if address.startswith("data:"):
        return "inline " + address[5:].partition(";")[0]
    return unquote(urlsplit(address).path).rstrip("/").rpartition("/")[2] or urlsplit(address).netloc
