"""A person's pause, and its end. A pause for money or by a guard is ended by a command alone."""

from runner.deciding import pausing
from runner.page.acts.act import Act, Answer, Asked
from runner.page.status import paused_told


async def _pause(asked: Asked) -> Answer:
    paused = await pausing.hold(asked.page.store, asked.batch, "Paused on the page.")
    return {"paused": paused_told(paused)}


async def _go_on(asked: Asked) -> Answer:
    await pausing.go_on(asked.page.store, asked.batch)
    return {"paused": None}


PAUSE = Act(_pause)
RESUME = Act(_go_on)
