"""Polls that learn: the waits that service times call for, and what counts as a service time."""

import random
from collections.abc import Sequence

import pytest

from runner.limits.poll_schedule import (
    ENOUGH,
    PRICE_SECONDS,
    PRICE_SHARE,
    REMEMBERED,
    LearnedPolls,
    PollSchedule,
    Span,
    poll_schedule,
    price_of,
)

LEAST, MOST = 0.25, 5.0
MODEL = "seedream"


def made(times: Sequence[float], least: float = LEAST, most: float = MOST) -> PollSchedule:
    """The schedule of exact service times."""
    schedule = poll_schedule([Span(one, one) for one in times], least, most)
    assert schedule is not None
    return schedule


def polls_of(schedule: PollSchedule, seconds: float) -> list[float]:
    """The ages at which a job of that service time is asked about."""
    ages = [schedule.wait(0.0)]
    while ages[-1] < seconds:
        ages.append(ages[-1] + schedule.wait(ages[-1]))
    return ages


def one_after_another(polls: LearnedPolls, times: Sequence[float]) -> list[float]:
    """Watch jobs of these times, each by what the ones before taught; how late each end was noticed."""
    delays = []
    for seconds in times:
        missed = age = 0.0
        while age < seconds:
            missed, wait = age, polls.wait(MODEL, age)
            assert wait is not None
            age += wait
        polls.ended(MODEL, Span(missed, age))
        delays.append(age - seconds)
    return delays


def test_jobs_that_all_take_as_long_are_asked_about_once_then() -> None:
    """After the waits that are as long as they may be."""
    assert polls_of(made([10.0] * 50), 10.0) == pytest.approx([5.0, 10.0])


def test_two_kinds_of_jobs_are_not_asked_about_in_between() -> None:
    """Dense polls where one may end, long waits where none does."""
    dice = random.Random(1)
    times = [median * dice.uniform(0.9, 1.1) for median in [4.0] * 70 + [30.0] * 30]
    polls = polls_of(made(times), 33.0)
    assert sum(3.6 <= age <= 4.5 for age in polls) >= 2
    assert sum(6.0 <= age <= 26.0 for age in polls) <= 5
    assert sum(27.0 <= age <= 33.0 for age in polls) >= 4


def test_a_delay_weighs_more_where_jobs_are_short() -> None:
    """Else a third of a night of short jobs would go by before their ends are noticed."""
    assert price_of(12.0) == price_of(60.0) == PRICE_SECONDS
    assert price_of(2.0) == pytest.approx(PRICE_SHARE * 2.0)
    spans = [Span(tenths / 10, tenths / 10) for tenths in range(15, 36)]
    assert poll_schedule(spans, LEAST, MOST) == poll_schedule(spans, LEAST, MOST, price_of(2.5))


def test_a_dearer_poll_is_made_less_often() -> None:
    """The price is what holds polls against delay."""
    spans = [Span(number / 10, number / 10) for number in range(20, 160)]
    cheap, dear = (poll_schedule(spans, LEAST, MOST, price) for price in (0.02, 1.0))
    assert cheap is not None
    assert dear is not None
    assert len(polls_of(cheap, 15.0)) > 2 * len(polls_of(dear, 15.0))


def test_a_timer_that_fires_early_does_not_ask_twice() -> None:
    """A moment before the age that it was set for, the next poll is the one after it."""
    schedule = made([2.0] * 30 + [4.0] * 30)
    assert schedule.wait(2.0 - 0.001) == pytest.approx(2.0, abs=0.01)


def test_a_straggler_makes_nothing_coarse() -> None:
    """One job that took hours says nothing about seconds; behind the grid waits grow with the age."""
    schedule = made([2.0 + number / 100 for number in range(99)] + [10_000.0])
    assert schedule.step == LEAST / 2
    assert len([age for age in polls_of(schedule, 3.0) if age > 1.9]) >= 3
    assert schedule.wait(20.0) == pytest.approx(4.0)
    assert schedule.wait(9000.0) == MOST


def test_bounds_that_leave_no_choice_make_no_schedule() -> None:
    """Then the usual waits do."""
    assert poll_schedule([Span(1.0, 1.0)] * 30, 2.0, 2.0) is None


def test_a_span_counts_as_all_of_it() -> None:
    """Where an end may have been is where polls are worth their price."""
    schedule = poll_schedule([Span(0.0, 5.0)] * 50, LEAST, MOST)
    assert schedule is not None
    assert len(polls_of(schedule, 5.0)) >= 4


def test_nothing_is_believed_before_it_is_enough() -> None:
    """Nor of another model."""
    polls = LearnedPolls(LEAST, MOST, {})
    for _ in range(ENOUGH - 1):
        assert polls.ended(MODEL, Span(3.9, 4.0))
    assert polls.wait(MODEL, 0.0) is None
    polls.ended(MODEL, Span(3.9, 4.0))
    assert polls.wait(MODEL, 0.0) is not None
    assert polls.wait("another", 0.0) is None


def test_what_the_table_knows_counts_from_the_first_job_on() -> None:
    """Kept across nights."""
    polls = LearnedPolls(LEAST, MOST, {MODEL: [12.0] * ENOUGH, "rare": [12.0] * (ENOUGH - 1)})
    first = polls.wait(MODEL, 0.0)
    assert first is not None
    assert first > 3  # two waits lead to the 8 s from which on one may be done
    assert polls.wait("rare", 0.0) is None


def test_an_outage_is_no_service_time() -> None:
    """Nor what an earlier run left: when it was done, nobody saw."""
    polls = LearnedPolls(LEAST, MOST, {})
    for _ in range(ENOUGH):
        assert not polls.ended(MODEL, Span(0.0, 3600.0))
    assert polls.wait(MODEL, 0.0) is None


def test_a_model_that_becomes_faster_is_noticed() -> None:
    """All that is seen of it lies before the first poll, and that calls for earlier ones."""
    polls = LearnedPolls(LEAST, MOST, {MODEL: [12.0] * REMEMBERED})
    delays = one_after_another(polls, [2.0] * 300)
    assert delays[0] > 1.5
    assert max(delays[-50:]) < 0.6


def test_a_model_that_becomes_slower_is_noticed() -> None:
    """It is not asked about all the time until then."""
    polls = LearnedPolls(LEAST, MOST, {MODEL: [2.0] * REMEMBERED})
    delays = one_after_another(polls, [12.0] * 300)
    assert max(delays) <= MOST
    assert max(delays[-50:]) < 0.6
