"""The actions of the page: a double click, a tab that asks again, two tabs with one wish are one action."""

from typing import Any

from sqlalchemy import Connection, insert, select

from jobs.review.actions import ActionNote
from jobs.store.part import StorePart, reads, writes
from jobs.store.schema import ACTION


class Actions(StorePart):
    """What was done on the page."""

    @reads
    def answer(self, connection: Connection, action_id: str) -> dict[str, Any] | None:
        """What was answered to an action; None if it was not done."""
        found = connection.execute(select(ACTION.c.answer).where(ACTION.c.action_id == action_id))
        answer: dict[str, Any] | None = found.scalar_one_or_none()
        return answer

    @writes
    def keep(self, connection: Connection, action: ActionNote) -> None:
        """Keep an action that was done."""
        connection.execute(insert(ACTION), kept(action) | {"done_at": self._now()})


def kept(action: ActionNote) -> dict[str, Any]:
    """The columns of an action, but its time."""
    return {
        "action_id": action.action_id,
        "batch_id": action.batch_id,
        "kind": action.kind,
        "told": action.told,
        "answer": action.answer,
    }
