"""The store's door, as far as it is about what a run would do: looked at before anything is paid."""

from collections.abc import Sequence

from jobs.row_change import RowChange
from jobs.sheets.planned import PlannedJob
from jobs.store import comparing, outlook
from jobs.store.database import Database
from jobs.views import Warned


class Foresight:
    """What a sheet comes to, what is odd about it, how long it takes. A part of `Store`."""

    database: Database

    async def compare(self, batch_id: int, jobs: Sequence[PlannedJob]) -> list[RowChange]:
        """What loading these jobs of a sheet now would do with each; nothing is written."""
        return await self.database.read(lambda c: comparing.compare(c, batch_id, jobs))

    async def repeats(self, batch_id: int) -> dict[str, tuple[int, int]]:
        """By model: queued jobs that send what another job of the sheet sends too, and their pictures."""
        return await self.database.read(lambda c: outlook.repeats(c, batch_id))

    async def to_be_warned_of(self, batch_id: int, limit: int) -> Warned:
        """The warnings of what nobody agreed to yet."""
        return await self.database.read(lambda c: outlook.warned(c, batch_id, limit))

    async def pace(self, origin: str) -> float | None:
        """Jobs a minute, as measured before on this database at this API."""
        return await self.database.read(lambda c: outlook.pace(c, origin))
