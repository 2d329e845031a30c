"""What `check` keeps of a sheet that streams by."""

from decimal import Decimal
from typing import Any

import pytest

from jobs.problems import Problem
from jobs.row_change import NEW, RowChange
from jobs.states import JobState
from runner.cli.reports.plans import plan as module
from runner.cli.reports.plans.plan import Plan
from runner.cli.reports.plans.plan_text import difference, identical
from tests.unit.runner.cli.world import SERIES, TEXT, job


def test_jobs_are_counted_by_model_and_rows_by_their_line() -> None:
    """A family is one row, however many jobs it is."""
    plan = Plan("b")
    for position, model in ((0, SERIES), (0, TEXT), (1, TEXT)):
        plan.add(job(position, f"k{position}", model=model))
    plan.add(Problem("f", 1, None, None, "m"))
    assert plan.work == {SERIES: (1, 2), TEXT: (2, 4)}
    assert (plan.rows, plan.jobs, plan.pictures, len(plan.problems)) == (2, 3, 6, 1)


@pytest.mark.parametrize(("many", "keys"), [(0, ""), (1, "0"), (3, "012"), (4, "0123"), (9, "0128")])
def test_the_first_jobs_and_the_last_are_samples(many: int, keys: str) -> None:
    """None of them twice."""
    plan = Plan("b")
    for position in range(many):
        plan.add(job(position, str(position)))
    assert "".join(sample.key for sample in plan.samples) == keys


def test_all_warnings_are_counted_and_not_all_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million jobs may each have one."""
    monkeypatch.setattr(module, "LISTED", 3)
    plan = Plan("b")
    for position in range(10):
        plan.add(job(position, str(position), warnings=("w",)))
    told = plan.as_json("s", {})
    assert (told["warning_count"], len(told["warnings"])) == (10, 3)


def test_what_is_to_be_sent_is_told_from_what_is_done() -> None:
    """Against the batch: new, changed, left, done, gone; and the price of what is left alone."""
    plan = Plan("b", known=True, held=5)
    changes = [
        NEW,
        RowChange("changed", JobState.QUEUED, known=True),
        RowChange("unchanged", JobState.QUEUED, known=True),
        RowChange("unchanged", JobState.SUCCEEDED, known=True),
        RowChange("unchanged", JobState.FAILED, known=True),
    ]
    for position, change in enumerate(changes):
        plan.add(job(position, f"k{position}"), change)
    assert plan.to_send == {SERIES: (3, 6)}
    prices = {SERIES: Decimal("0.04")}
    assert difference(plan, prices) == (
        "To send: 3 jobs (1 new, 1 changed, 1 left from before), at most 6 pictures, for $0.12 to $0.24."
        " 1 done, 1 failed, 1 gone."
    )
    told = plan.as_json("s", prices)
    assert told["price"] == {"low_usd": 0.12, "high_usd": 0.24}
    assert (told["difference"]["gone"], told["difference"]["done"]) == (1, 1)
    nothing = Plan("b", known=True, held=1)
    nothing.add(job(0, "a"), changes[3])
    assert difference(nothing, {}) == "Nothing to send. 1 done."


def test_rows_that_say_the_same_are_pointed_out() -> None:
    """Model, inputs and seed; only those that would be sent, and not the first."""
    plan = Plan("b")
    same: dict[str, Any] = {"fingerprint": "f", "inputs": {"prompt": "p", "seed": 7}}
    for position in range(3):
        plan.add(job(position, f"k{position}", **same))
    plan.add(job(3, "seed", fingerprint="f", inputs={"prompt": "p", "seed": 8}))
    plan.add(job(4, "paid", **same), RowChange("unchanged", JobState.SUCCEEDED, known=True))
    assert plan.repeats == {SERIES: (2, 4)}
    assert identical(plan.repeats, {SERIES: Decimal("0.04")}, plan.repeated) == (
        "2 jobs are identical to another row (same model, inputs and seed), and would be paid"
        " for $0.08 to $0.16, unless one is sent for all with --dedupe: k1 in row 3, k2 in row 4."
    )


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_what_brings_nothing_is_repeated_by_nothing(state: JobState) -> None:
    """One for all would be this one all the same."""
    plan = Plan("b", known=True, held=1)
    plan.add(job(0, "ended", fingerprint="f"), RowChange("unchanged", state, known=True))
    plan.add(job(0, "next", fingerprint="f"))
    assert (plan.to_send, plan.repeats) == ({SERIES: (1, 2)}, {})


def test_with_dedupe_one_is_reckoned_for_all() -> None:
    """Not after one that brought nothing; what is linked already is not counted again."""
    plan = Plan("b", known=True, held=2, dedupe=True)
    same: dict[str, Any] = {"fingerprint": "f", "inputs": {"prompt": "p", "seed": 7}}
    plan.add(job(0, "failed", **same), RowChange("unchanged", JobState.FAILED, known=True))
    for position in range(1, 4):
        plan.add(job(position, f"k{position}", **same))
    plan.add(job(4, "waits", **same), RowChange("unchanged", JobState.QUEUED, known=True, waits=True))
    assert (plan.to_send, plan.repeats, plan.waiting) == ({SERIES: (1, 2)}, {SERIES: (2, 4)}, 1)
    prices = {SERIES: Decimal("0.04")}
    assert difference(plan, prices) == (
        "To send: 1 job (3 new, less 2 that are identical), at most 2 pictures, for $0.04 to $0.08."
        " 1 failed, 1 waiting for an identical job."
    )
    assert identical(plan.repeats, prices, plan.repeated, dedupe=True) == (
        "2 jobs are identical to another row (same model, inputs and seed), and get its result: not sent,"
        " not paid: k2 in row 4, k3 in row 5."
    )
    told = plan.as_json("s", prices)
    assert (told["to_send"]["jobs"], told["identical"]["linked"]) == (1, True)
    assert told["price"] == {"low_usd": 0.04, "high_usd": 0.08}
