"""A job that is short of money waits for the others to end, but not for one that waits for its slot."""

from pathlib import Path

from jobs.outcomes import Accepted
from tests.support.tables import ESTIMATE, claimed
from tests.support.virtual_time import virtual
from tests.support.world import world


@virtual
async def test_who_waits_for_our_slot_is_not_waited_for(tmp_path: Path) -> None:
    """Found by the simulation: one slot, held by a job without money; its neighbour's links had run out."""
    async with world(tmp_path, "a", "b", slots=1) as w:
        source = w.run.queue.jobs
        first, second = await source.next(), await source.next()
        assert first is not None
        assert second is not None
        assert await w.store.jobs.claim(claimed(first.id, w.clock.now(), ESTIMATE))
        assert await w.store.jobs.apply(Accepted(first.id, "req-1", w.clock.now()))
        assert await source.others_end(second.id), "the first has a slot, and may turn out cheaper"
        source.give(await w.running("a"))
        assert not await source.others_end(second.id)
