"""What a run leaves that dies at its very end: the next one has nothing to do, and sweeps all the same."""

from pathlib import Path

from jobs.store.open import open_store
from tests.support.night import night
from tests.support.virtual_time import virtual


@virtual
async def test_a_manifest_cut_short_is_swept(tmp_path: Path) -> None:
    """Found by the simulation: the part of a manifest lay beside the whole one for ever."""
    async with night(tmp_path) as w:
        sheet = w.sheet(1)
        await w.run(sheet)
        async with open_store(w.database, w.clock.now) as store:
            mark = (await store.batches.named("sheet")).mark
        left = tmp_path / "outputs" / "sheet" / f".manifest.jsonl.{mark}-0a1b2c3d.part"
        left.write_text("{")
        calls = len(w.transport.calls)
        await w.run(sheet)
        assert len(w.transport.calls) == calls, "it had nothing to do"
        assert not left.exists()
        assert len(w.manifest()) == 1
