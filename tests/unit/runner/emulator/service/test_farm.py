"""Slots and the queue, whatever is asked when."""

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.service.farm import Farm

Step = tuple[float, float | int]


def test_works_on_as_many_as_it_has_slots() -> None:
    """Two slots: the third waits, and starts when the first ends."""
    farm = Farm(2)
    for seconds in (5.0, 9.0, 4.0):
        farm.arrive(seconds)
    assert [turn.started for turn in farm.turns] == [0.0, 0.0, None]
    assert farm.position(2) == 1
    assert farm.advance(6.0) == [0]
    assert farm.turns[2].started == 5.0
    assert farm.turns[2].ended == 9.0


def test_a_late_look_tells_the_same_as_many_early_ones() -> None:
    """Nothing depends on when the farm is looked at."""
    often, once = Farm(1), Farm(1)
    for farm in (often, once):
        for seconds in (3.0, 4.0, 5.0):
            farm.arrive(seconds)
    for moment in range(20):
        often.advance(float(moment))
    assert once.advance(19.0) == [0, 1, 2]
    assert [turn.started for turn in once.turns] == [turn.started for turn in often.turns] == [0.0, 3.0, 7.0]


def test_cancelled_requests_leave_the_queue() -> None:
    """Those behind move up, the cancelled one never starts."""
    farm = Farm(1)
    for _ in range(4):
        farm.arrive(10.0)
    assert [farm.position(number) for number in (1, 2, 3)] == [1, 2, 3]
    assert farm.cancel(2)
    assert farm.waiting == 2
    assert farm.position(3) == 2
    assert farm.advance(100.0) == [0, 1, 3]
    assert farm.turns[2].started is None
    assert farm.turns[2].ended == 0.0


def test_only_waiting_requests_can_be_cancelled() -> None:
    """Neither one at work, nor one that was cancelled before."""
    farm = Farm(1)
    farm.arrive(10.0)
    farm.arrive(10.0)
    assert not farm.cancel(0)
    assert farm.cancel(1)
    assert not farm.cancel(1)


def test_time_never_goes_back() -> None:
    """An earlier moment changes nothing."""
    farm = Farm(1)
    farm.advance(50.0)
    assert farm.advance(10.0) == []
    assert farm.now == 50.0


def test_more_slots_start_what_waits_at_once() -> None:
    """And fewer let those at work finish."""
    farm = Farm(1)
    for _ in range(4):
        farm.arrive(10.0)
    farm.resize(3)
    assert [turn.started for turn in farm.turns] == [0.0, 0.0, 0.0, None]
    farm.resize(1)
    assert farm.busy
    farm.advance(10.0)
    assert farm.turns[3].started == 10.0


arrivals = st.tuples(st.floats(0, 20), st.floats(0.1, 30))
cancels = st.tuples(st.floats(0, 20), st.integers(0, 30))


@given(slots=st.integers(1, 4), steps=st.lists(arrivals | cancels, max_size=40))
def test_never_more_at_work_than_slots_and_first_come_first_served(slots: int, steps: list[Step]) -> None:
    """At every start, at most `slots` are at work; nobody overtakes; nobody waits beside a free machine."""
    farm = Farm(slots)
    for pause, what in steps:
        farm.advance(farm.now + pause)
        if isinstance(what, int):
            if what < len(farm.turns):
                farm.cancel(what)
        else:
            farm.arrive(what)
    farm.advance(1e9)
    served = [turn for turn in farm.turns if turn.started is not None]
    starts = [turn.started or 0.0 for turn in served]
    assert starts == sorted(starts)
    assert all((turn.started is None) == (turn.cancelled is not None) for turn in farm.turns)
    ends = sorted(turn.ended or 0.0 for turn in served)
    for nth, start in enumerate(starts, start=1):
        assert nth - bisect_right(ends, start) <= slots
    assert farm.waiting == 0
    assert not farm.busy
