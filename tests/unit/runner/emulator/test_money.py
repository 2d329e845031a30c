"""The balance under every reading of what is billed."""

from decimal import Decimal
from typing import Any

import pytest

from runner.emulator.service.draws import draw
from tests.unit.runner.emulator.world import TOKEN, World


def test_the_cost_is_taken_at_acceptance() -> None:
    """Pictures asked for times the price; the balance endpoint tells it in dollars and millionths."""
    world = World()
    world.series(15)
    assert world.service.balance_usd == Decimal("999.4")
    assert world.service.balance(token=TOKEN).body == {
        "balance_usd": 999.4,
        "balance_microdollars": 999_400_000,
        "currency": "USD",
    }


def test_without_balance_nothing_is_accepted() -> None:
    """400002, until somebody pays in."""
    world = World(balance_usd=Decimal("0.05"))
    world.accepted()
    refused = world.submit()
    assert (refused.status, refused.body["error_code"]) == (400, 400002)
    assert len(world.service.ledger) == 1
    world.service.set_balance(Decimal(2))
    assert world.service.balance_usd == 2
    world.accepted()
    assert World(balance_usd=Decimal(-1), price_usd={}).submit().body["error_code"] == 400002


@pytest.mark.parametrize(("choice", "left"), [("free", "999.96"), ("billed", "999.92")])
def test_cancelled_requests_are_free_or_billed(choice: str, left: str) -> None:
    """As the settings choose."""
    world = World(slots=1, cancelled_cost=choice)
    world.accepted()
    second = world.accepted()
    world.cancel(second)
    assert world.service.balance_usd == Decimal(left)
    assert world.result(second, include_cost=True)["cost"] == pytest.approx(0 if choice == "free" else 0.04)


@pytest.mark.parametrize("outcome", ["failed_share", "moderated_share"])
@pytest.mark.parametrize(("choice", "left"), [("free", 1000), ("billed", Decimal("999.96"))])
def test_failed_runs_are_free_or_billed(outcome: str, choice: str, left: Decimal) -> None:
    """The money comes back when the run ends, not before."""
    shares: dict[str, Any] = {outcome: 1.0}
    world = World(failed_cost=choice, **shares)
    request_id = world.accepted()
    assert world.service.balance_usd == Decimal("999.96")
    world.clock.advance(10)
    assert world.service.balance_usd == left
    assert world.result(request_id, include_cost=True)["status"] == "failed"


@pytest.mark.parametrize("billed", ["requested", "delivered"])
def test_a_short_series_costs_what_was_asked_or_what_came(billed: str) -> None:
    """The rest is paid back at the end where the delivered number counts."""
    world = World(short_share=1.0, billed=billed)
    came = draw(world.settings, 1, 10).pictures
    assert 1 <= came < 10
    request_id = world.series(10)
    world.clock.advance(10)
    assert len(world.links(request_id)) == came
    cost = Decimal("0.04") * (10 if billed == "requested" else came)
    assert world.service.balance_usd == 1000 - cost
    assert world.result(request_id, include_cost=True)["cost"] == pytest.approx(float(cost))
