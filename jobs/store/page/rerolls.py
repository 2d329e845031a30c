"""Pictures that are marked for a re-roll, and the sheets that have them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from jobs.review.decisions import Verdict
from jobs.review.rerolls import MadeReroll, MarkedReroll
from jobs.store.page.filtering import HOLDS, JOBS_AND_IMAGES
from jobs.store.part import StorePart, reads, writes
from jobs.store.schema import DECISION, JOB, REROLL


class Rerolls(StorePart):
    """What is to be made once more."""

    @reads
    def marked(self, connection: Connection, batch_id: int) -> list[MarkedReroll]:
        """Every picture of the sheet that is marked for a re-roll, in the sheet's order."""
        found = connection.execute(
            select(
                *(JOB.c.id, JOB.c.key, DECISION.c.number, DECISION.c.decided_at),
                *(REROLL.c.sheet, REROLL.c.made_at),
            )
            .select_from(
                JOBS_AND_IMAGES.outerjoin(
                    REROLL, and_(REROLL.c.job_id == DECISION.c.job_id, REROLL.c.number == DECISION.c.number)
                )
            )
            .where(JOB.c.batch_id == batch_id, JOB.c.current, DECISION.c.verdict == Verdict.REROLL, HOLDS)
            .order_by(JOB.c.position, JOB.c.id, DECISION.c.number)
        )
        return [MarkedReroll(*row) for row in found]

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
        meanwhile."""
        now = self._now()
        for one in made:
            where = and_(REROLL.c.job_id == one.marked.job_id, REROLL.c.number == one.marked.number)
            before = connection.execute(select(REROLL.c.made_at).where(where)).scalar_one_or_none()
            if before != one.marked.made_at:
                return False
        for one in made:
            where = and_(REROLL.c.job_id == one.marked.job_id, REROLL.c.number == one.marked.number)
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
