"""Gap: a sleep, or a clock that was set, is noticed by the two clocks coming apart."""

from datetime import UTC, datetime, timedelta

import pytest

from runner.limits.clock_jump import ClockJumpDetector, sentence


class _Clocks:
    def __init__(self) -> None:
        self.wall = datetime(2026, 11, 21, tzinfo=UTC)
        self.steady = 100.0

    def now(self) -> datetime:
        return self.wall

    def cpu(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return self.steady

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


def test_time_that_passes_is_no_gap() -> None:
    clocks, gaps = _Clocks(), list[float]()
    gap = ClockJumpDetector(clocks, gaps.append)
    for seconds in (1, 3600, 86_400):
        clocks.pass_by(seconds)
        gap.look()
    assert gaps == []


@pytest.mark.parametrize("jump", [7 * 3600, -365 * 86_400, 10 * 365 * 86_400])
def test_a_jump_is_told_once(jump: int) -> None:
    clocks, gaps = _Clocks(), list[float]()
    gap = ClockJumpDetector(clocks, gaps.append)
    clocks.wall += timedelta(seconds=jump)
    gap.look()
    clocks.pass_by(10)
    gap.look()
    assert gaps == [jump]


def test_small_corrections_are_not_told() -> None:
    clocks, gaps = _Clocks(), list[float]()
    gap = ClockJumpDetector(clocks, gaps.append)
    clocks.wall += timedelta(seconds=29)
    gap.look()
    assert gaps == []


def test_sentences() -> None:
    assert "7 h 12 min are missing" in sentence(7 * 3600 + 12 * 60)
    assert "set back by 45 s" in sentence(-45)
