"""Suggestions for a misspelt name, choice or size. Pure functions over text."""

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_SIZE = re.compile(
    r"([0-9]{1,6})\s*[x:\u00d7*]\s*([0-9]{1,6})\s*(?:\(\s*([0-9]+\s*:\s*[0-9]+)\s*\))?", re.IGNORECASE
)
_LONGEST = 100  # characters; comparing longer texts would take long, and find nothing


def edit_distance(one: str, other: str) -> int:
    """How many letters to insert, delete, replace or swap with a neighbour to turn one into the other."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        current = [i]
        for j, right in enumerate(other, 1):
            steps = min(above[j] + 1, current[j - 1] + 1, above[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and right == one[i - 2]:
                steps = min(steps, before[j - 2] + 1)
            current.append(steps)
        before, above = above, current
    return above[-1]


def closest(word: str, names: Iterable[str]) -> str | None:
    """The name that is most similar to `word`, ignoring case; None if none is similar."""
    if len(word) > _LONGEST:
        return None
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.strip().lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


@lru_cache(maxsize=512)
def match_choice(text: str, choices: tuple[str, ...]) -> str | None:
    """The choice that `text` is another spelling of, or None.

    `2048x2048`, `2048:2048` and `2048 X 2048 (1:1)` all mean `2048x2048 (1:1)`, and `2k` means `2K`. A label,
    if given, must agree: `2048x2048 (16:9)` contradicts itself and means nothing.
    """
    if len(text) > _LONGEST:
        return None
    wanted = _spelling(text)
    for choice in choices:
        width_height, label = _spelling(choice)
        if width_height == wanted[0] and wanted[1] in ("", label):
            return choice
    return None


def nearest_choice(text: str, choices: tuple[str, ...]) -> str | None:
    """The choice that was probably meant: another spelling, the same shape, or similar letters."""
    if len(text) > _LONGEST:
        return None
    return match_choice(text, choices) or _same_shape(text, choices) or closest(text, choices)


def _spelling(text: str) -> tuple[str, str]:
    size = _SIZE.fullmatch(text.strip())
    if size is None:
        return text.strip().lower(), ""
    width, height, label = size.groups()
    return f"{int(width)}x{int(height)}", "".join((label or "").split())


def _same_shape(text: str, choices: Sequence[str]) -> str | None:
    """The choice nearest to the shape in `text`, such as `1920x1080` or `16:9`."""
    wanted = _sides(text)
    if wanted is None:
        return None

    def how_far(sides: tuple[int, int]) -> tuple[float, int]:
        shape = abs(math.log(sides[0] / sides[1]) - math.log(wanted[0] / wanted[1]))
        return round(shape, 2), abs(sides[0] * sides[1] - wanted[0] * wanted[1])

    sized = [(choice, sides) for choice in choices if (sides := _sides(choice))]
    if not sized:
        return None
    best, sides = min(sized, key=lambda pair: how_far(pair[1]))
    return best if how_far(sides)[0] < 0.15 else None


def _sides(text: str) -> tuple[int, int] | None:
    size = _SIZE.fullmatch(text.strip())
    if size is None:
        return None
    width, height = int(size.group(1)), int(size.group(2))
    return (width, height) if width and height else None
