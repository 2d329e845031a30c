"""The store's door, as far as it is about jobs that say the same."""

from collections.abc import Callable, Sequence
from datetime import datetime

from jobs.store import links
from jobs.store.database import Database
from jobs.views import Alike, LinkedJob, Links


class Sharing:
    """One is sent, and its result is shared with the others. A part of `Store`."""

    database: Database
    _now: Callable[[], datetime]

    async def alike(self, batch_id: int) -> list[list[Alike]]:
        """Jobs that send the same, two or more of a kind: what is queued, and what was sent before."""
        return await self.database.read(lambda c: links.alike(c, batch_id))

    async def link(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Have the first of each pair wait for the second's result instead of being sent."""
        await self.database.write(lambda c: links.link(c, pairs))

    async def unlink(self, batch_id: int) -> int:
        """Have what waits for another's result be sent itself, once it is agreed to; how many jobs."""
        return await self.database.write(lambda c: links.unlink(c, batch_id))

    async def settle_links(self, batch_id: int) -> int:
        """End what waits for a job that has ended; how many take the place of one that was cancelled."""
        now, heirs, ended = self._now(), 0, 1
        while ended and (await self.links(batch_id)).waiting:
            ended, more = await self.database.write(lambda c: links.settle(c, batch_id, now))
            heirs += more
        return heirs

    async def links(self, batch_id: int) -> Links:
        """How many jobs of the sheet have another's result, or wait for it."""
        return await self.database.read(lambda c: links.count(c, batch_id))

    async def linked(self, batch_id: int) -> list[LinkedJob]:
        """Every linked job, with the key of the one that was sent in its stead."""
        return await self.database.read(lambda c: links.listed(c, batch_id))
