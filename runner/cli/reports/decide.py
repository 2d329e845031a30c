"""What `decide` did, in words and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from jobs.review.decisions import ITSELF, Decided, DecisionView, DecisionWish, Undecided, review_of
from jobs.review.search import UNDECIDED
from jobs.tiles import FacetValue
from runner.cli.console import console
from runner.humanize import count_of

_ONE_BY_ONE = 10
_WHY = {
    Undecided.NO_JOB: "the sheet has no job of this key",
    Undecided.NO_IMAGE: "its job has no such picture",
    Undecided.OTHER_IMAGE: "another picture has come since it was looked at",
}


def as_json(batch: str, decided: Decided) -> dict[str, Any]:
    """For scripts: what is decided now about all that was named, and whether that is a change."""
    return {
        "batch": batch,
        "decided": [
            {"key": one.key, "number": one.number, "sha256": one.sha256}
            | review_of(one.after)
            | {"changed": one.is_change}
            for one in decided.images
        ],
        "refused": [
            {"key": wish.key, "number": wish.number, "sha256": wish.sha256, "why": why.value}
            for wish, why in decided.refused
        ],
    }


def show(batch: str, decided: Decided, *, all_images: bool) -> None:
    """For a person: each by itself where they are few."""
    for line in _refusals(decided.refused, all_images=all_images):
        console.message(line)
    changed = [one for one in decided.images if one.is_change]
    if all_images or len(changed) <= _ONE_BY_ONE:
        for one in changed:
            was = "" if one.before is None else f" (was {_words(one.before)})"
            console.result(f"{_name(one.key, one.number)}: {_words(one.after)}{was}")
    else:
        for words, many in Counter(_words(one.after) for one in changed).most_common():
            console.result(f"{count_of(many, 'picture')}: {words}")
    if same := len(decided.images) - len(changed):
        console.result(f"{count_of(same, 'picture')}: as before.")
    if not decided.images and not decided.refused:
        console.result(f"Batch {batch}: nothing was found to decide about.")


def show_counts(batch: str, verdicts: Sequence[FacetValue]) -> None:
    """How many pictures have which verdict."""
    many = {one.value: one.tiles for one in verdicts}
    told = [f"{many.get(value, 0):,} {words}" for value, words in _VERDICTS.items()]
    console.result(f"Batch {batch}: {', '.join(told)}.")


_VERDICTS = {"accepted": "accepted", "rejected": "rejected", "reroll": "to re-roll", UNDECIDED: "undecided"}


def _refusals(refused: Sequence[tuple[DecisionWish, Undecided]], *, all_images: bool) -> Iterator[str]:
    if all_images or len(refused) <= _ONE_BY_ONE:
        yield from (f"Not decided: {_name(wish.key, wish.number)}: {_WHY[why]}" for wish, why in refused)
        return
    for why, many in Counter(why for _, why in refused).items():
        yield f"Not decided: {count_of(many, 'picture')}: {_WHY[why]}"


def _name(key: str, number: int | None) -> str:
    return key if number in (None, ITSELF) else f"{key}:{number}"


def _words(decision: DecisionView | None) -> str:
    if decision is None:
        return "undecided"
    verdict = "" if decision.verdict is None else _VERDICTS[decision.verdict.value]
    note = f'"{decision.note}"' if decision.note else ""
    return " ".join(filter(None, [verdict, "★" * decision.stars, note]))
