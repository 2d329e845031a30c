"""A person's pause, and its end. A pause for money or by a guard is ended by a command alone."""

from typing import Any

from jobs.manifests.record import moment
from jobs.views import Pause
from runner.deciding import pausing
from runner.page.acts.act import Act, Answer, Asked


async def _pause(asked: Asked) -> Answer:
    paused = await pausing.hold(asked.page.store, asked.batch, "Paused on the page.")
    return {"paused": _told(paused)}


async def _go_on(asked: Asked) -> Answer:
    await pausing.go_on(asked.page.store, asked.batch)
    return {"paused": None}


def _told(paused: Pause) -> dict[str, Any]:
    return {"reason": paused.reason.value, "detail": paused.detail, "since": moment(paused.since)}


PAUSE = Act(_pause)
RESUME = Act(_go_on)
