"""The words of one picture that is made once more: what they were, what was typed, and the price of a row."""

from typing import TYPE_CHECKING, Any

from jobs.manifests.record import dollars
from jobs.review.rerolls import Rewording
from runner.page.page import Page

if TYPE_CHECKING:
    from jobs.views import BatchView
    from runner.deciding.rewording import Reworded


async def to_reword(page: Page, batch: "BatchView", key: str, number: int) -> dict[str, Any]:
    """What a form to change them needs."""
    from runner.deciding.rewording import reworded  # what reads sheets is not needed to show a page

    found = await reworded(page.store, batch, key, number)
    return form(found, batch) | {"key": key, "number": number}


def form(found: "Reworded", batch: "BatchView") -> dict[str, Any]:
    """A row as it is, what was typed instead, and what so many rows cost."""
    words = found.typed or Rewording(None)
    low, high = found.price(batch, words)
    return {
        "prompt": found.row.get("prompt", ""),
        "typed": None if found.typed is None else typed(found.typed),
        "has_seed": found.model.has_seed,
        "seed": found.row.get("seed"),
        "cells": [
            {"column": field.column, "value": field.value, "choices": list(field.choices)}
            for field in found.fields
        ],
        "variants": words.variants,
        "images": found.images(words),
        "low_usd": dollars(low),
        "high_usd": dollars(high),
    }


def typed(words: Rewording) -> dict[str, Any]:
    """What a person typed."""
    return {
        "prompt": words.prompt,
        "seed": words.seed,
        "variants": words.variants,
        "cells": dict(words.cells),
    }
