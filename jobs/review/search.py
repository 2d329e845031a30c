"""A search over a batch, from one line of text: `fox -tram state:failed size:2048x2048 product:"red fox"`.

Words have to occur in the prompt, the key or a column of the user's own. `field:value` holds a field against
a value; of several values of a field one is enough. A minus in front turns a term round.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from jobs.failures import FailureKind
from jobs.review.decisions import MOST_STARS, Verdict
from jobs.states import JobState
from jobs.suggestions import did_you_mean, edit_distance

OWN = "col."
"""In front of a column's name that is a field's as well."""
_TERM = re.compile(r'(-?)(?:(?:"([^"]+)"|([^\s":]+)):)?(?:"([^"]*)"?|(\S+))')
"""A minus; a field, in quotation marks or without; a value, likewise."""
_SIZE = re.compile(r"(\d{1,6})\s*[x\u00d7*:]\s*(\d{1,6})", re.IGNORECASE)
_ROWS = re.compile(r"(\d{1,9})?(-)?(\d{1,9})?")
_STARS = re.compile(r"(<=|>=|<|>|)(\d)")
_NEAR = 2
_YES, _NO = "yes", "no"


class SearchField(StrEnum):
    """What a term is about. The values are what is typed."""

    WORD = "word"
    COLUMN = "column"
    VERDICT = "verdict"
    STARS = "stars"
    STATE = "state"
    KIND = "kind"
    MODEL = "model"
    SIZE = "size"
    WARNED = "warned"
    ROW = "row"


UNDECIDED, OLDER = "none", "older"
"""Instead of a verdict: none that holds; one about an older image."""
TYPED = tuple(field for field in SearchField if field not in (SearchField.WORD, SearchField.COLUMN))


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """One term. Of a column `name` is the column's."""

    field: SearchField
    value: str
    name: str = ""
    wanted: bool = True


Search = tuple[SearchTerm, ...]


@dataclass(frozen=True, slots=True)
class SearchProblem:
    """Why a text is no search, for a person."""

    message: str
    hint: str = ""


def parse_search(text: str, columns: Iterable[str]) -> Search | SearchProblem:
    """The terms of a text. `columns` are the user's own in this batch."""
    known, terms = tuple(columns), list[SearchTerm]()
    for found in _TERM.finditer(text):
        minus, quoted_name, bare_name, quoted, bare = found.groups()
        value = bare if quoted is None else quoted
        term = _term(quoted_name or bare_name or "", value, known, wanted=not minus)
        if isinstance(term, SearchProblem):
            return term
        if term.value:
            terms.append(term)
    return tuple(terms)


def _term(name: str, value: str, columns: tuple[str, ...], *, wanted: bool) -> SearchTerm | SearchProblem:
    field = name.casefold()
    if not name:
        return SearchTerm(SearchField.WORD, value, wanted=wanted)
    if field in TYPED:
        return _checked(SearchField(field), value, wanted=wanted)
    own = {column.casefold(): column for column in columns}
    column = own.get(field.removeprefix(OWN))
    if column is not None:
        return SearchTerm(SearchField.COLUMN, value, column, wanted)
    near = _nearest(field, (*TYPED, *own))
    if near is not None or field.startswith(OWN):
        return SearchProblem(
            f"There is no field {name!r}.", did_you_mean(near, "It is no column of this batch.")
        )
    return SearchTerm(SearchField.WORD, f"{name}:{value}", wanted=wanted)


def _checked(field: SearchField, value: str, *, wanted: bool) -> SearchTerm | SearchProblem:
    plain = value.strip().casefold()
    match field:
        case SearchField.STATE:
            return _one_of(field, plain, [*JobState], wanted=wanted)
        case SearchField.KIND:
            return _one_of(field, plain, [*FailureKind], wanted=wanted)
        case SearchField.WARNED:
            return _one_of(field, plain, [_YES, _NO], wanted=wanted)
        case SearchField.VERDICT:
            return _one_of(field, plain, [*Verdict, UNDECIDED, OLDER], wanted=wanted)
        case SearchField.STARS:
            stars = _STARS.fullmatch(plain)
            if stars is None or int(stars[2]) > MOST_STARS:
                return SearchProblem(f"{value!r} is no number of stars.", "Write it as stars:4 or stars:>3.")
            return SearchTerm(field, plain, wanted=wanted)
        case SearchField.SIZE:
            size = _SIZE.fullmatch(plain)
            if size is None:
                return SearchProblem(f"{value!r} is no size.", "Write it as size:2048x2048.")
            return SearchTerm(field, f"{int(size[1])}x{int(size[2])}", wanted=wanted)
        case SearchField.ROW:
            rows = _ROWS.fullmatch(plain)
            if rows is None or not (rows[1] or rows[3]):
                return SearchProblem(f"{value!r} is no row.", "Write row:7, row:100-200 or row:100-.")
            return SearchTerm(field, plain, wanted=wanted)
        case _:
            return SearchTerm(field, value.strip(), wanted=wanted)


def _one_of(field: SearchField, value: str, values: list[str], *, wanted: bool) -> SearchTerm | SearchProblem:
    if value in values:
        return SearchTerm(field, value, wanted=wanted)
    return SearchProblem(
        f"There is no {field} {value!r}.",
        did_you_mean(_nearest(value, values), f"It is one of {', '.join(values)}."),
    )


def _nearest(name: str, names: Iterable[str]) -> str | None:
    if len(name) > 40:
        return None
    near = sorted(
        (distance, str(other)) for other in names if (distance := edit_distance(name, other)) <= _NEAR
    )
    return near[0][1] if near else None


def stars_of(value: str) -> tuple[int, int]:
    """The fewest and the most stars of a term about stars."""
    found = _STARS.fullmatch(value)
    assert found is not None
    sign, stars = found[1], int(found[2])
    match sign:
        case "<":
            return 0, stars - 1
        case "<=":
            return 0, stars
        case ">":
            return stars + 1, MOST_STARS
        case ">=":
            return stars, MOST_STARS
        case _:
            return stars, stars


def rows_of(value: str) -> tuple[int, int | None]:
    """The first and the last row of a term about rows; None is no end."""
    first, dash, last = value.partition("-")
    if not dash:
        return int(first), int(first)
    return int(first or 0), int(last) if last else None
