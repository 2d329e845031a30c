"""Decisions about images: made by key, number and hash, and kept whatever becomes of their jobs."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from jobs.review.actions import ActionNote
from jobs.review.decisions import (
    ITSELF,
    Decided,
    DecidedImage,
    DecisionSource,
    DecisionView,
    DecisionWish,
    Undecided,
    decision_on,
)
from jobs.store.page.actions import kept
from jobs.store.page.filtering import JOBS_AND_IMAGES
from jobs.store.part import StorePart, reads, writes
from jobs.store.rows import decisions_of
from jobs.store.schema import ACTION, ARTIFACT, DECISION, JOB

_AT_ONCE = 500
_OF_IMAGE = (DECISION.c.job_id == bindparam("of_job"), DECISION.c.number == bindparam("of_number"))


@dataclass(frozen=True, slots=True)
class _Looked:
    """An image of a job that may be decided about, or the job itself."""

    job_id: int
    number: int
    sha256: str | None


class ImageDecisions(StorePart):
    """What a person decided about images."""

    @writes
    def decide(
        self,
        connection: Connection,
        batch_id: int,
        wishes: Sequence[DecisionWish],
        source: DecisionSource,
        note: Callable[[Decided], ActionNote | None] = lambda _decided: None,
    ) -> Decided:
        """Decide as wished, about the sheet's jobs as they are now; the last word of several wins.

        A wish about an image that is no longer the one in its place is refused: nobody has seen that one.
        `note` makes of what was done an action to keep in the same transaction.
        """
        there = _there(connection, batch_id, list({wish.key for wish in wishes}))
        known = decisions_of(connection, list({one.job_id for found in there.values() for one in found}))
        before = {(job_id, one.number): one for job_id, found in known.items() for one in found}
        now = dict(before)
        images, refused = list[DecidedImage](), list[tuple[DecisionWish, Undecided]]()
        for wish in wishes:
            found = _meant(wish, there[wish.key])
            if isinstance(found, Undecided):
                refused.append((wish, found))
                continue
            for one in found:
                place = (one.job_id, one.number)
                was = decision_on([now[place]], one.number, one.sha256) if place in now else None
                after = self._after(was, one, wish, source)
                if after is not None:
                    now[place] = after
                elif place in now:
                    del now[place]
                images.append(DecidedImage(wish.key, one.number, one.sha256, was, after))
        _write(connection, before, now)
        decided = Decided(tuple(images), tuple(refused))
        if (action := note(decided)) is not None:
            connection.execute(insert(ACTION), kept(action) | {"done_at": self._now()})
        return decided

    @reads
    def of_batch(self, connection: Connection, batch_id: int) -> dict[str, list[DecisionView]]:
        """All decisions about the sheet's jobs, by key; those about older images too."""
        found = connection.execute(
            select(JOB.c.id, JOB.c.key)
            .where(
                JOB.c.batch_id == batch_id,
                JOB.c.current,
                JOB.c.id.in_(select(DECISION.c.job_id)),
            )
            .order_by(JOB.c.position)
        ).all()
        decided = decisions_of(connection, [row.id for row in found])
        return {row.key: decided[row.id] for row in found}

    def _after(
        self, was: DecisionView | None, one: _Looked, wish: DecisionWish, source: DecisionSource
    ) -> DecisionView | None:
        old = (None, 0, "") if was is None else (was.verdict, was.stars, was.note)
        verdict = wish.said.get("verdict", old[0])
        stars, note = wish.said.get("stars", old[1]), wish.said.get("note", old[2])
        if verdict is None and not stars and not note:
            return None
        return DecisionView(one.number, one.sha256, verdict, stars, note, self._now(), source)


def _there(connection: Connection, batch_id: int, keys: Sequence[str]) -> dict[str, list[_Looked]]:
    """What may be decided about, by key: the images of each job, else the job itself."""
    there: dict[str, list[_Looked]] = defaultdict(list)
    for first in range(0, len(keys), _AT_ONCE):
        found = connection.execute(
            select(JOB.c.key, JOB.c.id, ARTIFACT.c.number, ARTIFACT.c.sha256)
            .select_from(JOBS_AND_IMAGES)
            .where(JOB.c.batch_id == batch_id, JOB.c.current, JOB.c.key.in_(keys[first : first + _AT_ONCE]))
            .order_by(ARTIFACT.c.number)
        )
        for row in found:
            there[row.key].append(_looked(row))
    return there


def _looked(row: Any) -> _Looked:
    return _Looked(row.id, ITSELF if row.number is None else row.number, row.sha256)


def _meant(wish: DecisionWish, there: Sequence[_Looked]) -> Sequence[_Looked] | Undecided:
    """What a wish is about."""
    if not there:
        return Undecided.NO_JOB
    if wish.number is None and wish.sha256 is None:
        return there
    if wish.number is None:
        return [one for one in there if one.sha256 == wish.sha256] or Undecided.OTHER_IMAGE
    found = [one for one in there if one.number == wish.number]
    if not found:
        return Undecided.NO_IMAGE
    if wish.sha256 is not None and found[0].sha256 != wish.sha256:
        return Undecided.OTHER_IMAGE
    return found


def _write(
    connection: Connection,
    before: dict[tuple[int, int], DecisionView],
    after: dict[tuple[int, int], DecisionView],
) -> None:
    """Make the table say what is decided now."""
    gone = [{"of_job": job_id, "of_number": number} for job_id, number in before.keys() - after.keys()]
    changed = [place for place in before.keys() & after.keys() if before[place] is not after[place]]
    values = ("sha256", "verdict", "stars", "note", "decided_at", "source")
    if gone:
        connection.execute(delete(DECISION).where(*_OF_IMAGE), gone)
    if changed:
        connection.execute(
            update(DECISION).where(*_OF_IMAGE).values({name: bindparam(f"new_{name}") for name in values}),
            [
                {"of_job": job_id, "of_number": number}
                | {f"new_{name}": getattr(after[job_id, number], name) for name in values}
                for job_id, number in changed
            ],
        )
    if made := after.keys() - before.keys():
        connection.execute(
            insert(DECISION),
            [
                {"job_id": job_id, "number": number}
                | {name: getattr(after[job_id, number], name) for name in values}
                for job_id, number in sorted(made)
            ],
        )
