"""Before anything is sent: prices, the budget, consent, and what a setting allows to be sent again."""

from decimal import Decimal
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from jobs.failures import Failure, FailureKind
from jobs.outcomes import LeftUnconfirmed
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.workload import Amount, Workload
from runner.planning.approval import agree, check_budget, prices_now
from runner.planning.consent import Ask
from runner.planning.resubmits import allowed_resubmits, resubmit_allowed
from runner.providers.base import CallFailed, NoSuchModel, Priced, Stopped
from runner.settings import Settings
from tests.support.tables import MODEL, ORIGIN, SHEET, claimed, rows
from tests.support.virtual_time import virtual
from tests.support.world import World, world

WORK = Workload({MODEL: Amount(2, 2)})


def jobs_of(*models: str) -> Workload:
    """A job of each, with one image."""
    return Workload({model: Amount(1, 1) for model in models})


async def prices(w: World) -> dict[str, Decimal]:
    batch = await w.store.batches.get(w.run.batch.id)
    return await prices_now(w.provider, w.store, batch, w.run.limits.health, w.run.limits.brake, WORK)


@virtual
async def test_prices_are_what_the_api_says_now(tmp_path: Path) -> None:
    """Kept for the next time; what it does not say stays as it was."""
    async with world(tmp_path, "a") as w:
        w.provider.says("price", Priced(Decimal("0.04")))
        assert await prices(w) == {MODEL: Decimal("0.04")}
        for odd in (Priced(None), NoSuchModel("gone"), CallFailed("busy", answered=True)):
            w.provider.says("price", odd)
            assert await prices(w) == {MODEL: Decimal("0.04")}
        assert (await w.store.batches.get(w.run.batch.id)).prices == {MODEL: Decimal("0.04")}


@virtual
async def test_an_outage_is_ridden_out_first(tmp_path: Path) -> None:
    """And a token that is refused is found out."""
    async with world(tmp_path, "a", ask_first=True) as w:
        w.provider.says("price", CallFailed("no answer"), CallFailed("no answer"), Priced(Decimal("0.04")))
        assert await prices(w) == {MODEL: Decimal("0.04")}
        assert w.clock.monotonic() > 1
    (folder := tmp_path / "token").mkdir()
    async with world(folder, "a", ask_first=True) as w:
        w.provider.says("price", Stopped(PauseReason.TOKEN, "expired"))
        assert await prices(w) == {}
        assert [stop.reason for stop in w.stops] == [PauseReason.TOKEN]


def test_a_budget_needs_every_price() -> None:
    """A limit that nothing can be held against is none."""
    nothing = Workload()
    check_budget(None, jobs_of("a"), jobs_of("b"), {})
    check_budget(Decimal(5), jobs_of("a"), nothing, {"a": Decimal("0.04"), "b": Decimal(1)})
    with pytest.raises(UsageProblem, match=r"has none for b, c\. Nothing was sent"):
        check_budget(Decimal(5), jobs_of("a", "b", "c"), nothing, {"a": Decimal("0.04")})


def test_a_budget_needs_the_price_of_what_was_sent_before() -> None:
    """It counted as nothing, and a budget of 0.20 USD let 0.60 be spent."""
    sent, prices = jobs_of("b", "c"), {"a": Decimal("0.04"), "c": Decimal("0.04")}
    with pytest.raises(UsageProblem, match=r"none for b\. 1 submit of before may be paid for") as refused:
        check_budget(Decimal(5), jobs_of("a"), sent, prices)
    assert refused.value.hint is not None
    assert "[prices]" in refused.value.hint
    check_budget(Decimal(5), jobs_of("a"), sent, prices | {"b": Decimal("0.04")})


@virtual
async def test_agreement_is_asked_for_what_is_new_and_recorded(tmp_path: Path) -> None:
    """Going on later asks nothing; an unknown price is said to be unknown."""
    async with world(tmp_path, "a") as w:
        asked: list[Ask] = []

        async def yes(ask: Ask) -> bool:
            asked.append(ask)
            return True

        await agree(w.store, w.run.batch, yes, {MODEL: Decimal("0.04")})
        assert asked == []
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows("a", "b", "c"))
        await agree(w.store, w.run.batch, yes, {MODEL: Decimal("0.04")})
        await agree(w.store, w.run.batch, yes, {})
        assert asked == [Ask("night", 2, 2, 2, Decimal("0.08"), Decimal("0.08"))]
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows("a", "b", "c", "d"))
        await agree(w.store, w.run.batch, yes, {})
        assert (asked[-1].low_usd, asked[-1].high_usd) == (None, None)


@virtual
async def test_a_no_is_a_no(tmp_path: Path) -> None:
    """Nothing may be claimed afterwards."""
    async with world(tmp_path) as w:
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows("a"))

        async def no(_ask: Ask) -> bool:
            return False

        with pytest.raises(UsageProblem) as refused:
            await agree(w.store, w.run.batch, no, {})
        assert refused.value.exit_code == 2
        assert await w.run.queue.jobs.next() is None


@virtual
async def test_what_a_setting_allows_is_queued_again(tmp_path: Path) -> None:
    """So many over all runs, and not so many each time."""
    async with world(tmp_path, "a", "b", "c") as w:
        for key in ("a", "b", "c"):
            job = await w.queued(key)
            await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
            unconfirmed = Failure(FailureKind.UNCONFIRMED, "silence")
            await w.store.jobs.apply(LeftUnconfirmed(job.id, unconfirmed, w.clock.now()))
        settings = Settings(resubmit_unconfirmed=2)
        for _ in range(2):
            shown = await allowed_resubmits(w.store, w.run.batch, settings)
            assert await resubmit_allowed(w.store, w.run.batch, settings, shown, w.clock.now()) == 0
            assert list((await w.states()).values()).count(JobState.UNCONFIRMED) == 1
        more = Settings(resubmit_unconfirmed=9)
        shown = await allowed_resubmits(w.store, w.run.batch, more)
        assert await resubmit_allowed(w.store, w.run.batch, more, shown, w.clock.now()) == 6
        assert set((await w.states()).values()) == {JobState.QUEUED}
