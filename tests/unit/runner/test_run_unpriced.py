"""Whole runs over submits whose price was unknown when they were sent: a budget must not count them as 0."""

from decimal import Decimal
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.support.night import SERIES, SINGLE, Night, night
from tests.support.virtual_time import virtual

UNANSWERED = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.HTTP, status=500, accepted=True, times=5)
PRICE = Decimal("0.04")


def singles(w: Night, rows: int) -> Path:
    """A sheet of single pictures."""
    sheet = w.sheet(rows)
    sheet.write_text(sheet.read_text().replace(f"{SERIES},", f"{SINGLE},").replace(",2\n", ",\n"))
    return sheet


async def five_without_a_price(w: Night) -> None:
    """The first night: five submits without an answer, and nobody knew the price."""
    report = await w.run(singles(w, 5))
    assert w.states() == {JobState.UNCONFIRMED: 5}
    assert report.account.spent_usd == 0
    assert len(w.service.ledger) == 5


@virtual
async def test_they_count_against_a_budget_as_soon_as_the_price_is_known(tmp_path: Path) -> None:
    """Five at four cents, and room for two more."""
    async with night(tmp_path, price_unit="second", faults=(UNANSWERED,)) as w:
        await five_without_a_price(w)
        w.service._api.settings = w.service.settings.model_copy(update={"price_unit": "image"})
        report = await w.run(singles(w, 20), budget=str(7 * PRICE))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (75, PauseReason.BUDGET)
        assert len(w.service.ledger) == 7
        assert "0.28 USD are spent or unconfirmed" in report.paused.detail


@virtual
async def test_what_is_under_way_is_reckoned_before_its_cost_comes(tmp_path: Path) -> None:
    """Its estimate makes place for its cost: nothing counts twice, and nothing less than nothing."""
    async with night(tmp_path, price_unit="second", median_seconds=600.0) as w:
        first = await w.run(singles(w, 3), deadline=5.0)
        assert (first.exit_code, w.states()) == (1, {JobState.RUNNING: 3})
        w.service._api.settings = w.service.settings.model_copy(update={"price_unit": "image"})
        report = await w.run(singles(w, 8), budget=str(8 * PRICE), deadline=3600.0, concurrency=1)
        assert (report.exit_code, w.states()) == (0, {JobState.SUCCEEDED: 8})
        assert (report.account.spent_usd, len(w.service.ledger)) == (8 * PRICE, 8)


@virtual
async def test_a_budget_is_refused_while_nobody_knows_the_price(tmp_path: Path) -> None:
    """Also where nothing else needs that price; `[prices]` is the way out."""
    async with night(tmp_path, price_unit="second", faults=(UNANSWERED,)) as w:
        await five_without_a_price(w)
        with pytest.raises(UsageProblem, match="5 submits of before may be paid for") as refused:
            await w.run(w.sheet(20, series_every=1), budget="5", prices={SERIES: "0.04"})
        assert refused.value.exit_code == 2
        assert "[prices]" in str(refused.value.hint)
        assert len(w.service.ledger) == 5
        report = await w.run(singles(w, 20), budget=str(7 * PRICE), prices={SINGLE: "0.04"})
        assert (report.exit_code, len(w.service.ledger)) == (75, 7)


@virtual
async def test_without_a_budget_nothing_is_refused(tmp_path: Path) -> None:
    """An unknown price is a convenience that is missing, and no error."""
    async with night(tmp_path, price_unit="second", faults=(UNANSWERED,)) as w:
        await five_without_a_price(w)
        assert (await w.run(singles(w, 8))).exit_code == 1
        assert len(w.service.ledger) == 8
