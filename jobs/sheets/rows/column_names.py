"""Column names: which are known, which field of a model each stands for, and which are misspelt."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from jobs.catalog.registry import MODELS, family, suggest
from jobs.catalog.spec import ModelSpec
from jobs.sheets.rows.ordinary_words import ORDINARY
from jobs.suggestions import did_you_mean, edit_distance

ID = "id"
MODEL = "model"
IMAGES = "images"
AGAIN = "again"
"""Text that makes a row another one than the same row without it. It is never sent."""
FAMILY_PARTS = ("matrix", "zip", "include", "exclude", "repeat", "seeds", "prompts")
"""Names that a document reserves for families: they are no columns in it."""
PROMPT = "prompt"
ALSO_PROMPTS = frozenset(
    ("prompts", "caption", "captions", "prompt_text", "text_prompt", "positive_prompt", "image_prompt")
)
"""Headings of a table that mean the prompt where no column has a name for it."""


@cache
def known_inputs() -> Mapping[str, str]:
    """Every name that an input may have in a sheet, over all models, with the common word for it.

    `text`, `prompt` -> `prompt`. A field without a common word stands for itself.
    """
    words: dict[str, str] = {}
    for spec in MODELS.values():
        words |= {name: name for name in spec.fields if name not in words}
        words |= {field: word for word, field in spec.vocabulary.items()}
        words |= {word: word for word in spec.vocabulary}
    return words


def fields_of(spec: ModelSpec) -> Mapping[str, str]:
    """The model's own field for each name that a sheet may use for it, other models' names included."""
    own = {name: name for name in spec.fields}
    shared = {name: spec.vocabulary[word] for name, word in known_inputs().items() if word in spec.vocabulary}
    return shared | own


def word_for(spec: ModelSpec, field: str) -> str:
    """The common word for a model's field, or the field's own name where it has none."""
    return next((word for word, meant in spec.vocabulary.items() if meant == field), field)


@cache
def known_names() -> tuple[str, ...]:
    """Every name with a meaning: inputs, `id`, `model`, `again`."""
    return (ID, MODEL, AGAIN, *known_inputs())


def plain(name: str) -> str:
    """A name written by hand in the spelling of known names: `Image Size`, `imageSize` are `image_size`."""
    if not name.islower():
        name = _HUMP.sub(" ", name).lower()
    return "_".join(name.replace("-", " ").split())


_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")


@lru_cache(maxsize=4096)
def probable_name(name: str) -> str | None:
    """The known name that an unknown one probably stands for, or None: then it is the user's own column.

    Edit distance 2 or less, capitals, spaces and hyphens aside. A name of four letters or fewer is only
    compared at distance 1: at 2, half the short words there are would be near `id`, `seed`, `size` or `text`
    (`no`, `sku`, `tag`, `name`, `sets`), and they are what people call their own columns. So is every other
    word of its own, and nearly everything of two or three letters: `id` has no slip but its plural.
    """
    written = plain(name)
    for known in known_names() if written not in ORDINARY else ():
        if known == ID:
            if written in (ID, "ids"):
                return ID
            continue
        most = 1 if min(len(known), len(written)) <= 4 or known == AGAIN else 2
        if abs(len(known) - len(written)) <= most and edit_distance(known, written) <= most:
            return known
    return None


def is_heading(name: str) -> bool:
    """Whether a heading is, nearly is, or may be one with a meaning."""
    return name in known_names() or plain(name) in ALSO_PROMPTS or probable_name(name) is not None


def unknown_model(model: str) -> tuple[str, str]:
    """A sentence for a model id that is not known, and a hint at the one that was meant."""
    if models := family(model):
        return "This names a family of models, not one of them.", f"One of: {', '.join(models)}."
    return "There is no such model.", did_you_mean(suggest(model), f"Models: {', '.join(MODELS)}.")
