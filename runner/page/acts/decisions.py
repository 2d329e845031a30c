"""Decisions about images, many at once: as the keys of the page say them."""

from typing import Any

from jobs.review.decisions import Decided, DecidedImage, DecisionSource, DecisionWish, review_of
from runner.deciding.decisions import NoDecision, wish_of
from runner.page.acts.act import Act, Answer, Asked, NoAct

MOST_AT_ONCE = 2000


async def decide(asked: Asked) -> Answer | NoAct:
    """Decide, in one transaction; while a run is at work, at most one a second."""
    told = asked.told.get("decisions")
    if not isinstance(told, list) or len(told) > MOST_AT_ONCE:
        return NoAct(f"There is no list of decisions, or one of more than {MOST_AT_ONCE}.")
    wishes = list[DecisionWish]()
    for one in told:
        wish = wish_of(one)
        if isinstance(wish, NoDecision):
            return NoAct(wish.why)
        wishes.append(wish)
    page = asked.page
    await page.pace.turn(await page.is_at_work())
    decided = await page.store.decisions.decide(
        asked.batch.id, wishes, DecisionSource.PAGE, lambda decided: asked.noted(_answer(decided))
    )
    return _answer(decided)


DECISIONS = Act(decide, keeps_itself=True)


def _answer(decided: Decided) -> Answer:
    return {
        "decided": [_image(one) for one in decided.images],
        "refused": [
            {"key": wish.key, "number": wish.number, "sha256": wish.sha256, "why": why.value}
            for wish, why in decided.refused
        ],
    }


def _image(one: DecidedImage) -> dict[str, Any]:
    return {"key": one.key, "number": one.number, "sha256": one.sha256, **review_of(one.after)}
