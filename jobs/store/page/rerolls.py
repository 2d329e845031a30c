"""Pictures that are marked for a re-roll, and the sheets that have them."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, select, update

from jobs.review.decisions import Verdict
from jobs.review.rerolls import MadeReroll, MarkedReroll, Rewording
from jobs.store.page.filtering import HOLDS, JOBS_AND_IMAGES
from jobs.store.part import StorePart, reads, writes
from jobs.store.schema import BATCH, DECISION, JOB, REROLL
from jobs.store.sql.expressions import json_items

_WORDS = (REROLL.c.prompt, REROLL.c.seed, REROLL.c.variants, REROLL.c.inputs_patch)


class Rerolls(StorePart):
    """What is to be made once more."""

    @reads
    def marked(self, connection: Connection, batch_id: int) -> list[MarkedReroll]:
        """Every picture of the sheet that is marked for a re-roll, in the sheet's order."""
        found = connection.execute(
            select(
                *(JOB.c.id, JOB.c.key, DECISION.c.number, DECISION.c.decided_at),
                *(REROLL.c.sheet, REROLL.c.made_at, *_WORDS),
            )
            .select_from(
                JOBS_AND_IMAGES.outerjoin(
                    REROLL, and_(REROLL.c.job_id == DECISION.c.job_id, REROLL.c.number == DECISION.c.number)
                )
            )
            .where(JOB.c.batch_id == batch_id, JOB.c.current, DECISION.c.verdict == Verdict.REROLL, HOLDS)
            .order_by(JOB.c.position, JOB.c.id, DECISION.c.number)
        )
        return [MarkedReroll(*row[:6], words=_words(*row[6:10])) for row in found]

    @reads
    def family(self, connection: Connection, batch: str, key: str) -> list[tuple[str, str]]:
        """Of a re-roll the job that it was made of; of any other the re-rolls made of it, the newest last.

        Each is the name of a batch and a key in it, and may not be loaded yet. A re-roll's batch has the name
        of its sheet.
        """
        keys = json_items(REROLL.c.new_keys, "made")
        found = connection.execute(
            select(BATCH.c.name, JOB.c.key, REROLL.c.sheet)
            .select_from(
                REROLL.join(JOB, JOB.c.id == REROLL.c.job_id).join(BATCH, BATCH.c.id == JOB.c.batch_id)
            )
            .where(REROLL.c.made_at.is_not(None), exists().select_from(keys).where(keys.c.value == key))
        )
        origins = [(name, origin) for name, origin, sheet in found if PurePath(sheet).stem == batch]
        if origins:
            return origins[:1]
        made = connection.execute(
            select(REROLL.c.sheet, REROLL.c.new_keys)
            .join(JOB, JOB.c.id == REROLL.c.job_id)
            .join(BATCH, BATCH.c.id == JOB.c.batch_id)
            .where(BATCH.c.name == batch, JOB.c.key == key, JOB.c.current, REROLL.c.made_at.is_not(None))
            .order_by(REROLL.c.made_at)
        )
        pairs = [(PurePath(sheet).stem, one) for sheet, new_keys in made for one in new_keys]
        return list(dict.fromkeys(pairs))

    @reads
    def words(self, connection: Connection, job_ids: Sequence[int]) -> dict[tuple[int, int], Rewording]:
        """What was typed for the next sheet, by job and number."""
        found = connection.execute(
            select(REROLL.c.job_id, REROLL.c.number, *_WORDS).where(
                REROLL.c.job_id.in_(job_ids), REROLL.c.prompt.is_not(None)
            )
        )
        typed = {(row[0], row[1]): _words(*row[2:]) for row in found}
        return {place: words for place, words in typed.items() if words is not None}

    @writes
    def reword(self, connection: Connection, job_id: int, number: int, words: Rewording | None) -> None:
        """Keep what was typed for the next sheet; None forgets it. It marks nothing."""
        where = _of(job_id, number)
        if words is None:
            connection.execute(delete(REROLL).where(where, REROLL.c.made_at.is_(None)))
            connection.execute(update(REROLL).where(where).values(prompt=None, inputs_patch={}))
            return
        values = {
            "prompt": words.prompt,
            "seed": words.seed,
            "variants": words.variants,
            "inputs_patch": dict(words.cells),
        }
        if not connection.execute(update(REROLL).where(where).values(values)).rowcount:
            connection.execute(insert(REROLL), values | {"job_id": job_id, "number": number})

    @reads
    def known_keys(self, connection: Connection, batch_id: int) -> set[str]:
        """The keys that re-rolls of this batch were given so far, in whatever sheets."""
        found = connection.execute(
            select(REROLL.c.new_keys)
            .join(JOB, JOB.c.id == REROLL.c.job_id)
            .where(JOB.c.batch_id == batch_id, REROLL.c.made_at.is_not(None))
        )
        return {str(key) for (keys,) in found for key in keys}

    @writes
    def make(self, connection: Connection, sheet: str, made: Sequence[MadeReroll]) -> bool:
        """Note that a sheet has these re-rolls; False, and nothing noted, if another one has got one of them
        meanwhile, or other words were typed. What was typed is in the sheet, and holds for no other."""
        now = self._now()
        for one in made:
            where = _of(one.marked.job_id, one.marked.number)
            before = connection.execute(select(REROLL.c.made_at, *_WORDS).where(where)).one_or_none()
            made_at, words = (None, None) if before is None else (before[0], _words(*before[1:]))
            if (made_at, words) != (one.marked.made_at, one.marked.words):
                return False
        for one in made:
            where = _of(one.marked.job_id, one.marked.number)
            values: dict[str, Any] = {
                "prompt": None,
                "seed": one.seed,
                "variants": one.variants,
                "inputs_patch": {},
                "sheet": sheet,
                "new_keys": list(one.new_keys),
                "made_at": now,
            }
            if not connection.execute(update(REROLL).where(where).values(values)).rowcount:
                connection.execute(
                    insert(REROLL), values | {"job_id": one.marked.job_id, "number": one.marked.number}
                )
        return True


def _of(job_id: int, number: int) -> ColumnElement[bool]:
    return and_(REROLL.c.job_id == job_id, REROLL.c.number == number)


def _words(
    prompt: str | None, seed: str | None, variants: int | None, cells: dict[str, str] | None
) -> Rewording | None:
    """What was typed: always with a prompt. A row without one only tells what was written before."""
    if prompt is None or seed is None or variants is None:
        return None
    return Rewording(prompt, seed, variants, tuple((cells or {}).items()))
