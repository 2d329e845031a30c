"""What is told before a run is paid."""

from decimal import Decimal
from pathlib import Path

from jobs.workload import Amount, Workload
from runner.planning.preview import preview
from tests.support.tables import MODEL, ORIGIN, SHEET, planned
from tests.support.virtual_time import virtual
from tests.support.world import world


@virtual
async def test_the_plan_comes_with_its_warnings_and_its_repetitions(tmp_path: Path) -> None:
    """And with its price, unless that stands in the question."""
    async with world(tmp_path) as w:
        sheet = [planned(str(place), place, warnings=("odd",)) for place in range(7)]
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=sheet)
        work = await w.store.preview.unagreed(w.run.batch.id)
        told: list[str] = []
        await preview(w.store, w.run.batch, work, {MODEL: Decimal("0.04")}, told.append, asked=False)
        assert told == [
            "To be sent: 7 jobs, at most 7 pictures, for $0.28.",
            "7 jobs of them with a warning:",
            *(f"  row {place + 2}: {place}: odd" for place in range(5)),
            "  and 2 more: `nightsheet check` shows them.",
            "6 jobs of the batch would send what another row sends, seed included (--dedupe sends "
            "one for all), for $0.24.",
        ]
        asked: list[str] = []
        await preview(w.store, w.run.batch, work, {}, asked.append, asked=True)
        assert asked[0] == told[1]
        assert asked[-1].endswith("at an unknown price.")


@virtual
async def test_a_batch_that_sends_one_for_all_is_not_told_to(tmp_path: Path) -> None:
    """What says the same may be left to a later run, for it sends a part only."""
    async with world(tmp_path) as w:
        sheet = [planned(str(place), place) for place in range(3)]
        batch, _ = await w.store.batches.load(
            name="night", sheet=SHEET, origin=ORIGIN, planned=sheet, dedupe=True
        )
        told: list[str] = []
        work = Workload({MODEL: Amount(1, 1)})
        await preview(w.store, batch, work, {MODEL: Decimal("0.04")}, told.append, asked=False)
        assert told == ["To be sent: 1 job, at most 1 picture, for $0.04."]
