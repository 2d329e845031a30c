"""`decide`: from words of the command line to what is to be said about which images."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.errors import UsageProblem
from jobs.review.decisions import MOST_STARS, DecisionWish, Said, Verdict
from jobs.review.search import Search, SearchProblem, parse_search

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView

ALL = "all"
"""In place of a key: every picture that the search finds."""
_NUMBERED = re.compile(r"(.+):(\d{1,9})")
_STARRED = re.compile(rf"(.+)=([0-{MOST_STARS}])", re.DOTALL)
_NOTHING: Said = {"verdict": None, "stars": 0, "note": ""}


@dataclass(frozen=True, slots=True)
class DecisionWords:
    """What was typed: KEY, KEY:N or `all`."""

    accept: Sequence[str] = ()
    reject: Sequence[str] = ()
    reroll: Sequence[str] = ()
    clear: Sequence[str] = ()
    stars: Sequence[str] = ()
    """Each with =STARS."""
    search: str = ""


async def wishes_from(words: DecisionWords, store: "Store", batch: "BatchView") -> list[DecisionWish]:
    """What the words mean. What is said of one picture comes after what is said of all that its job has, and
    that after what is said of `all`.

    Raises:
        UsageProblem: a word has no meaning, or one is given two verdicts.
    """
    said = [
        *((word, Said(verdict=Verdict.ACCEPTED)) for word in words.accept),
        *((word, Said(verdict=Verdict.REJECTED)) for word in words.reject),
        *((word, Said(verdict=Verdict.REROLL)) for word in words.reroll),
        *((word, _NOTHING) for word in words.clear),
    ]
    seen = set[str]()
    for word, _ in said:
        if word in seen:
            raise UsageProblem(f"{word!r} is given two verdicts. Nothing was decided.")
        seen.add(word)
    said += [_starred(word) for word in words.stars]
    of_all = [one for word, one in said if word == ALL]
    if words.search and not of_all:
        raise UsageProblem(
            "--search says which pictures `all` stands for, and nothing is said of `all`.",
            hint=f"For instance: `nightsheet decide --search 'stars:>3' --accept {ALL}`",
        )
    found = await store.tiles.names(batch.id, await _search(words.search, store, batch)) if of_all else []
    wishes = [DecisionWish(name.key, one, name.number, name.sha256) for one in of_all for name in found]
    named = [await _wish(word, one, store, batch) for word, one in said if word != ALL]
    return [*wishes, *sorted(named, key=lambda wish: wish.number is not None)]


def _starred(word: str) -> tuple[str, Said]:
    found = _STARRED.fullmatch(word)
    if found is None:
        raise UsageProblem(f"--stars {word} is not KEY=STARS, from 0 to {MOST_STARS}. Nothing was decided.")
    return found[1], Said(stars=int(found[2]))


async def _search(text: str, store: "Store", batch: "BatchView") -> Search:
    search = parse_search(text, (await store.jobs.columns(batch.id)).own)
    if isinstance(search, SearchProblem):
        raise UsageProblem(f"{search.message} Nothing was decided.", hint=search.hint)
    return search


async def _wish(word: str, said: Said, store: "Store", batch: "BatchView") -> DecisionWish:
    """Keys may hold a colon and a number themselves: the whole word is a key, if there is such a job."""
    found = _NUMBERED.fullmatch(word)
    if found is None or await store.jobs.by_key(batch.id, word) is not None:
        return DecisionWish(word, said)
    return DecisionWish(found[1], said, int(found[2]))
