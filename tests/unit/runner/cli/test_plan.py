"""What `check` keeps of a sheet that streams by."""

import pytest

from jobs.problems import Problem
from runner.cli import plan as module
from runner.cli.plan import Plan
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
    told = plan.as_json("s", None, None)
    assert (told["warning_count"], len(told["warnings"])) == (10, 3)
