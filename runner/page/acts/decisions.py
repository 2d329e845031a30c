"""Decisions about images, many at once: as the keys of the page say them."""

from typing import Any

from jobs.decisions import (
    MOST_NOTE,
    MOST_STARS,
    Decided,
    DecidedImage,
    DecisionSource,
    DecisionView,
    DecisionWish,
    Said,
    Verdict,
)
from runner.page.acts.act import Act, Answer, Asked, NoAct

MOST_AT_ONCE = 2000
_FIELDS = {"key", "number", "sha256", "verdict", "stars", "note"}


async def decide(asked: Asked) -> Answer | NoAct:
    """Decide, in one transaction; while a run is at work, at most one a second."""
    told = asked.told.get("decisions")
    if not isinstance(told, list) or len(told) > MOST_AT_ONCE:
        return NoAct(f"There is no list of decisions, or one of more than {MOST_AT_ONCE}.")
    wishes = list[DecisionWish]()
    for one in told:
        wish = wish_of(one)
        if isinstance(wish, NoAct):
            return wish
        wishes.append(wish)
    page = asked.page
    await page.pace.turn(await page.is_at_work())
    decided = await page.store.decisions.decide(
        asked.batch.id, wishes, DecisionSource.PAGE, lambda decided: asked.noted(_answer(decided))
    )
    return _answer(decided)


DECISIONS = Act(decide, keeps_itself=True)


def wish_of(told: Any) -> DecisionWish | NoAct:
    """A decision as it was told; what is not said stays as it was."""
    if not isinstance(told, dict) or not isinstance(told.get("key"), str):
        return NoAct("A decision has a key.")
    if others := told.keys() - _FIELDS:
        return NoAct(f"A decision has no {sorted(others)[0]!r}.")
    number, sha256 = told.get("number"), told.get("sha256")
    if not (number is None or _is_number(number, 1 << 31)) or not isinstance(sha256, str | None):
        return NoAct("A number is that of an image, and sha256 its hash.")
    said = Said()
    if "verdict" in told:
        verdict = told["verdict"]
        if verdict is not None and verdict not in [*Verdict]:
            return NoAct(f"A verdict is one of {', '.join(Verdict)}, or null.")
        said["verdict"] = None if verdict is None else Verdict(verdict)
    if "stars" in told:
        if not _is_number(told["stars"], MOST_STARS):
            return NoAct(f"Stars are a number from 0 to {MOST_STARS}.")
        said["stars"] = told["stars"]
    if "note" in told:
        if not isinstance(told["note"], str) or len(told["note"]) > MOST_NOTE:
            return NoAct(f"A note is a text of at most {MOST_NOTE} characters.")
        said["note"] = told["note"]
    return DecisionWish(told["key"], said, number, sha256)


def _is_number(told: Any, most: int) -> bool:
    return isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= most


def _answer(decided: Decided) -> Answer:
    return {
        "decided": [_image(one) for one in decided.images],
        "refused": [
            {"key": wish.key, "number": wish.number, "sha256": wish.sha256, "why": why.value}
            for wish, why in decided.refused
        ],
    }


def _image(one: DecidedImage) -> dict[str, Any]:
    return {"key": one.key, "number": one.number, "sha256": one.sha256, **_said(one.after)}


def _said(decision: DecisionView | None) -> dict[str, Any]:
    if decision is None:
        return {"verdict": None, "stars": 0, "note": ""}
    verdict = None if decision.verdict is None else decision.verdict.value
    return {"verdict": verdict, "stars": decision.stars, "note": decision.note}
