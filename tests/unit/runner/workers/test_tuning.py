"""How fast and for how much: a flag beats `tune` beats the environment and the file."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.views import BatchView
from runner.settings import load_settings
from runner.workers.tuning import Tuning, apply_tuning, tuning_for
from tests.support.tables import NIGHT
from tests.support.virtual_time import virtual
from tests.support.world import world


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no settings of this machine."""
    for name in list(os.environ):
        if name.startswith("NIGHTSHEET_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tuned(**values: Any) -> BatchView:
    """A batch that `tune` has left these with."""
    return BatchView(1, "night", "/night.csv", "https://api.example", NIGHT, None, **values)


def test_without_a_word_there_is_no_limit_but_eight_in_flight() -> None:
    """The defaults of the README."""
    assert tuning_for(load_settings({}), tuned()) == Tuning(8, None, None)


TUNED = {"concurrency": 3, "rate": 12.0, "budget": Decimal(5)}
SAID = {"concurrency": 16, "rate": 60.0, "budget": Decimal(9)}


def test_tune_beats_the_environment_and_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was said of this batch, and they of all."""
    (here / "nightsheet.toml").write_text("concurrency = 16\nbudget = 9\n")
    monkeypatch.setenv("NIGHTSHEET_RATE", "60")
    assert tuning_for(load_settings({}), tuned()) == Tuning(**SAID)  # type: ignore[arg-type]
    assert tuning_for(load_settings({}), tuned(**TUNED)) == Tuning(**TUNED)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_flag_beats_tune(name: str) -> None:
    """That one alone: what this line does not say stays as it was tuned."""
    got = tuning_for(load_settings({name: SAID[name]}), tuned(**TUNED))
    assert got == Tuning(**(TUNED | {name: SAID[name]}))  # type: ignore[arg-type]


def test_a_flag_that_says_what_is_usual_is_a_flag_all_the_same() -> None:
    """`--concurrency 8` is not nothing."""
    assert tuning_for(load_settings({"concurrency": 8}), tuned(concurrency=3)).concurrency == 8


def test_a_budget_of_nothing_is_a_budget() -> None:
    """Zero is not none, neither tuned nor said."""
    assert tuning_for(load_settings({}), tuned(budget=Decimal(0))).budget == 0
    assert tuning_for(load_settings({"budget": Decimal(0)}), tuned(budget=Decimal(5))).budget == 0


@virtual
async def test_a_run_that_is_on_keeps_another_pace(tmp_path: Path) -> None:
    """At once, and what is spent stays spent."""
    async with world(tmp_path, "a", slots=8, rate=60, budget=Decimal(1)) as w:
        assert w.run.limits.budget.reserve(Decimal("0.9"))
        assert not w.run.limits.budget.reserve(Decimal("0.2"))
        apply_tuning(w.run, Tuning(2, None, Decimal(2)))
        assert (w.run.queue.slots.total_tokens, w.run.limits.throttle.rate) == (2, None)
        assert w.run.limits.budget.reserve(Decimal("0.2"))
        assert w.run.limits.budget.committed == Decimal("1.1")


@virtual
async def test_submits_leave_at_the_new_rate(tmp_path: Path) -> None:
    """Two a minute at first, then thirty."""
    async with world(tmp_path, "a", rate=2) as w:
        left: list[float] = []

        async def leave(times: int) -> None:
            for _ in range(times):
                async with w.run.limits.throttle.admit(1):
                    left.append(w.clock.monotonic())

        await leave(2)
        apply_tuning(w.run, Tuning(8, 30.0, None))
        await leave(3)
        assert left == pytest.approx([0, 30, 60, 62, 64])


@virtual
async def test_fewer_slots_end_nothing_that_is_in_flight(tmp_path: Path) -> None:
    """It is paid for: the next one waits until enough have come back."""
    async with world(tmp_path, "a", slots=4) as w:
        holders = [object() for _ in range(4)]
        for holder in holders:
            w.run.queue.slots.acquire_on_behalf_of_nowait(holder)
        apply_tuning(w.run, Tuning(2, None, None))
        assert w.run.queue.slots.borrowed_tokens == 4
        for holder in holders[:3]:
            w.run.queue.slots.release_on_behalf_of(holder)
        w.run.queue.slots.acquire_on_behalf_of_nowait(object())
        assert w.run.queue.slots.available_tokens == 0
