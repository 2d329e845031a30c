"""What a search means in SQL: jobs and their images, and the conditions on them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from jobs.catalog.registry import MODELS
from jobs.review.decisions import ITSELF
from jobs.review.search import OLDER, UNDECIDED, Search, SearchField, SearchTerm, rows_of, stars_of
from jobs.store.rows import IMAGES_OF, NEWEST, TWIN_ATTEMPT
from jobs.store.schema import ARTIFACT, ATTEMPT, DECISION, JOB, TWIN
from jobs.store.sql.expressions import LikeInAnyCase, json_entries, json_member

JOBS_AND_IMAGES: FromClause = (
    JOB.outerjoin(ATTEMPT, NEWEST)
    .outerjoin(TWIN, TWIN.c.id == JOB.c.same_as)
    .outerjoin(
        TWIN_ATTEMPT, and_(TWIN_ATTEMPT.c.job_id == TWIN.c.id, TWIN_ATTEMPT.c.number == TWIN.c.attempts)
    )
    .outerjoin(ARTIFACT, ARTIFACT.c.attempt_id == IMAGES_OF)
    .outerjoin(
        DECISION,
        and_(DECISION.c.job_id == JOB.c.id, DECISION.c.number == func.coalesce(ARTIFACT.c.number, ITSELF)),
    )
)
"""Each job once for each image of its newest submit, or of the job that was sent instead; once for none. With
what was decided about it, or about an older image in its place."""

IS_DECIDED = DECISION.c.id.is_not(None)
HOLDS = and_(IS_DECIDED, DECISION.c.sha256.is_not_distinct_from(ARTIFACT.c.sha256))
"""Whether a decision is about the image that is there."""
VERDICT = case((HOLDS, DECISION.c.verdict))
STARS = case((HOLDS, DECISION.c.stars), else_=0)

PROMPT = func.coalesce(
    *(
        json_member(JOB.c.inputs, name)
        for name in sorted({spec.vocabulary["prompt"] for spec in MODELS.values()})
    ),
    "",
)
IS_WARNED = func.json_array_length(JOB.c.warnings) > 0

_OWN = json_entries(JOB.c.columns, "own")


def conditions(batch_id: Any, search: Search) -> list[ColumnElement[Any]]:
    """The conditions for the tiles of a batch's sheet that a search finds.

    All words have to occur; of the values of one field, one has to fit; none of those that are not wanted.
    """
    fields = defaultdict[tuple[SearchField, str], list[ColumnElement[Any]]](list)
    found: list[ColumnElement[Any]] = [JOB.c.batch_id == batch_id, JOB.c.current]
    for term in search:
        fits = func.coalesce(_fits(term), literal(False))
        if not term.wanted:
            found.append(not_(fits))
        elif term.field is SearchField.WORD:
            found.append(fits)
        else:
            fields[term.field, term.name].append(fits)
    return [*found, *(or_(*several) for several in fields.values())]


def value_of(field: SearchField, name: str) -> ColumnElement[Any]:
    """What a tile has of a field, as it is typed in a search; null for nothing."""
    match field:
        case SearchField.STATE:
            return JOB.c.state
        case SearchField.KIND:
            return JOB.c.error_kind
        case SearchField.MODEL:
            return JOB.c.model
        case SearchField.SIZE:
            return cast(ARTIFACT.c.width, String) + "x" + cast(ARTIFACT.c.height, String)
        case SearchField.WARNED:
            return case((IS_WARNED, "yes"))
        case SearchField.VERDICT:
            return func.coalesce(VERDICT, UNDECIDED)
        case SearchField.STARS:
            return STARS
        case SearchField.COLUMN:
            return _own(name)
        case SearchField.WORD | SearchField.ROW:
            raise ValueError(f"{field} has no values to choose from")


def _own(name: str) -> ColumnElement[Any]:
    """The value of a column of the user's own. A plain name is a path, which takes a third less; one with
    quotes or blanks is looked for among all."""
    if name.isascii() and name.replace("_", "").isalnum():
        return json_member(JOB.c.columns, name)
    return select(_OWN.c.value).where(_OWN.c.key == name).scalar_subquery()


def _fits(term: SearchTerm) -> ColumnElement[Any]:
    match term.field:
        case SearchField.WORD:
            own = exists(select(literal(1)).select_from(_OWN).where(_like(_OWN.c.value, term.value)))
            return or_(_like(JOB.c.key, term.value), _like(PROMPT, term.value), own)
        case SearchField.MODEL:
            return _like(JOB.c.model, term.value)
        case SearchField.ROW:
            first, last = rows_of(term.value)
            return and_(JOB.c.row >= first, true() if last is None else JOB.c.row <= last)
        case SearchField.VERDICT if term.value == OLDER:
            return and_(IS_DECIDED, not_(HOLDS))
        case SearchField.STARS:
            return STARS.between(*stars_of(term.value))
        case SearchField.WARNED:
            return IS_WARNED if term.value == "yes" else not_(IS_WARNED)
        case SearchField.COLUMN:
            return _is(value_of(term.field, term.name), term.value)
        case _:
            return value_of(term.field, term.name) == term.value


def _like(text: ColumnElement[Any], word: str) -> ColumnElement[Any]:
    """Whether `word` occurs in `text`, in any case. SQLite knows the case of ASCII letters alone."""
    return or_(*(LikeInAnyCase(text, literal(f"%{_escaped(spelt)}%")) for spelt in _spellings(word)))


def _is(text: ColumnElement[Any], value: str) -> ColumnElement[Any]:
    return or_(*(LikeInAnyCase(text, literal(_escaped(spelt))) for spelt in _spellings(value)))


def _spellings(word: str) -> Iterable[str]:
    return [word] if word.isascii() else sorted({word, word.lower(), word.upper(), word.title()})


def _escaped(word: str) -> str:
    return "".join(f"\\{letter}" if letter in "%_\\" else letter for letter in word)
