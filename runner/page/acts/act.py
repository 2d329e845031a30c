"""An act of the page: what was asked, and what comes of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.review.actions import ActionNote
from runner.page.page import Page

if TYPE_CHECKING:
    from jobs.views import BatchView

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NoAct:
    """Why what was asked is no act: it is answered with 400, and nothing was done."""

    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for an act. Guard and key have been passed."""

    page: Page
    batch: "BatchView"
    kind: str
    told: dict[str, Any]
    """The request's JSON."""
    action_id: str | None

    def noted(self, answer: Answer) -> ActionNote | None:
        """What is to be kept of it: that it was done, and the answer to whoever asks again."""
        if self.action_id is None:
            return None
        return ActionNote(self.action_id, self.batch.id, self.kind, self.told, answer)


@dataclass(frozen=True, slots=True)
class Act:
    """What is done. It may raise UsageProblem, which is told with 409: nothing was done."""

    do: Callable[[Asked], Awaitable[Answer | NoAct]]
    keeps_itself: bool = False
    """Whether it keeps what is `noted` in its own transaction."""
