"""Keep other words for a picture that is made once more, for the next sheet of re-rolls. It pays nothing."""

from typing import Any

from jobs.review.rerolls import MOST_VARIANTS, NEW_SEED, SAME_SEED, Rewording
from runner.page.acts.act import Act, Answer, Asked, NoAct
from runner.page.panels.reword import form

_NAMES = frozenset({"action", "key", "number", "prompt", "seed", "variants", "cells"})
_LONGEST_SEED = 19
_MOST_CELLS = 50


async def _reword(asked: Asked) -> Answer | NoAct:
    """Without any words they are the same again."""
    from runner.deciding.rewording import forget_words, reword  # reads sheets: not for each page

    page, batch, told = asked.page, asked.batch, asked.told
    key, number = told.get("key"), told.get("number")
    if not isinstance(key, str) or type(number) is not int or not 0 <= number < 1 << 31:
        return NoAct("A picture is named by its key and its number.")
    if unknown := told.keys() - _NAMES:
        return NoAct(f"A re-roll has no {min(unknown)!r}.")
    await page.pace.turn(await page.is_at_work())
    if told.get("prompt") is None:
        await forget_words(page.store, batch, key, number)
        return {"typed": None, "advice": []}
    words = _words(told)
    if isinstance(words, NoAct):
        return words
    found, advice = await reword(page.store, batch, key, number, words)
    return form(found, batch) | {"advice": advice}


def _words(told: dict[str, Any]) -> Rewording | NoAct:
    prompt, seed, variants = told["prompt"], told.get("seed", NEW_SEED), told.get("variants", 1)
    cells = told.get("cells", {})
    if not isinstance(prompt, str) or not isinstance(seed, str):
        return NoAct("Prompt and seed are texts.")
    is_number = seed.isascii() and seed.isdigit() and len(seed) <= _LONGEST_SEED
    if seed not in (NEW_SEED, SAME_SEED) and not is_number:
        return NoAct(f"A seed is {NEW_SEED}, {SAME_SEED} or a number.")
    if type(variants) is not int or not 1 <= variants <= MOST_VARIANTS:
        return NoAct(f"Variants are 1 to {MOST_VARIANTS}.")
    if not isinstance(cells, dict) or len(cells) > _MOST_CELLS:
        return NoAct("Cells have a column and a text each.")
    if not all(isinstance(text, str) for text in cells.values()):
        return NoAct("Cells have a column and a text each.")
    return Rewording(prompt, str(int(seed)) if is_number else seed, variants, tuple(cells.items()))


REWORD = Act(_reword)
