"""How soon a job begins that waits at the API."""

from runner.limits.queue_pace import QueuePace

MODEL = "seedream"


def test_nothing_is_known_of_the_first_place() -> None:
    """One look at a queue tells no pace."""
    assert QueuePace().told(MODEL, 1, 40, 0.0) == 0.0


def test_places_that_were_passed_on_tell_the_pace() -> None:
    """Ten in five seconds: nineteen more take ten, nearly. The next one to begin has nothing to wait for."""
    pace = QueuePace()
    pace.told(MODEL, 1, 30, 0.0)
    assert pace.told(MODEL, 1, 20, 5.0) == 9.5
    assert pace.told(MODEL, 2, 1, 5.0) == 0.0
    assert pace.told("another", 3, 20, 5.0) == 0.0


def test_the_fastest_pace_lately_counts() -> None:
    """A job that is done must not wait for a poll that came late."""
    pace = QueuePace()
    pace.told(MODEL, 1, 30, 0.0)
    pace.told(MODEL, 1, 20, 1.0)
    assert pace.told(MODEL, 1, 11, 91.0) == 1.0


def test_a_pace_is_forgotten_after_a_while() -> None:
    """A burst of long ago would make every wait short."""
    pace = QueuePace()
    pace.told(MODEL, 1, 100, 0.0)
    pace.told(MODEL, 1, 50, 1.0)
    for number in range(1, 9):
        wait = pace.told(MODEL, 1, 50 - number, 1.0 + number * 2)
    assert wait == (42 - 1) * 2


def test_a_queue_that_stands_or_grows_tells_nothing() -> None:
    """And a job that began is forgotten."""
    pace = QueuePace()
    pace.told(MODEL, 1, 5, 0.0)
    assert pace.told(MODEL, 1, 5, 3.0) == 0.0
    assert pace.told(MODEL, 1, 9, 4.0) == 0.0
    pace.forget(1)
    pace.forget(1)
    assert pace.told(MODEL, 1, 2, 9.0) == 0.0
