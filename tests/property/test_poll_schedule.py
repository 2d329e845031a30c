"""Polls that learn, over any service times: within their bounds, and never worse than a fixed wait."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.limits.poll_schedule import PRICE_SECONDS, Span, poll_schedule

LEAST, MOST = 0.25, 5.0
LONGEST = 40.0

times = st.lists(st.floats(0.05, LONGEST), min_size=20, max_size=80)
modes = st.lists(
    st.tuples(st.floats(0.5, LONGEST), st.integers(5, 40)).map(lambda mode: [mode[0]] * mode[1]),
    min_size=1,
    max_size=4,
).map(lambda parts: [one for part in parts for one in part])
spans = st.tuples(st.floats(0.0, 60.0), st.floats(0.0, 10.0)).map(lambda two: Span(two[0], sum(two) + 0.01))


def cost(wait: Callable[[float], float], seconds: list[float]) -> tuple[float, float]:
    """Polls a job, and the mean delay."""
    polls, delay = 0, 0.0
    for one in seconds:
        age = 0.0
        while age < one:
            age += wait(age)
            polls += 1
        delay += age - one
    return polls / len(seconds), delay / len(seconds)


@settings(deadline=None, max_examples=60)
@given(times | modes)
def test_it_is_never_worse_than_two_seconds(seconds: list[float]) -> None:
    """Not by its price, and so never in polls and delay at once. The grid is an eighth of a second."""
    schedule = poll_schedule([Span(one, one) for one in seconds], LEAST, MOST)
    assert schedule is not None
    polls, delay = cost(schedule.wait, seconds)
    fixed_polls, fixed_delay = cost(lambda _age: 2.0, seconds)
    assert delay + PRICE_SECONDS * polls <= fixed_delay + PRICE_SECONDS * fixed_polls + schedule.step
    assert polls <= fixed_polls + 0.01 or delay <= fixed_delay + 0.01


@settings(deadline=None, max_examples=60)
@given(
    st.lists(spans, min_size=1, max_size=60), st.floats(0.01, 3.0), st.floats(1.0, 20.0), st.floats(0, 500)
)
def test_every_wait_is_within_its_bounds(known: list[Span], least: float, times: float, age: float) -> None:
    """Whatever is known, at any age."""
    most = least * times
    schedule = poll_schedule(known, least, most)
    if schedule is None:
        assert most < 2 * least + max(span.by for span in known) / 100
        return
    assert least <= schedule.wait(age) <= most
    assert least <= schedule.wait(0.0) <= most
