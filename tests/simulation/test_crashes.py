"""Thousands of small batches, each killed one to three times: nothing is paid twice, nothing is lost.

`pytest tests/simulation/test_crashes.py -n 2 --trials 25000` searches further. A failure names the command
that replays its seed.
"""

import pytest

from tests.simulation.trial import run_trial, search_trial

IN_A_TEST = 25


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Chunks of seeds, so that processes share them."""
    if "first" in metafunc.fixturenames:
        trials = int(metafunc.config.getoption("--trials"))
        metafunc.parametrize(
            ("first", "many"),
            [(first, min(IN_A_TEST, trials - first)) for first in range(0, trials, IN_A_TEST)],
        )


@pytest.mark.timeout(300)  # of processor time a chunk takes seconds; a busy machine gives it late
def test_crash_trials(first: int, many: int) -> None:
    """Each seed is a trial of its own, in which the machine dies at least once."""
    for seed in range(first, first + many):
        result = search_trial(seed)
        assert result.crashes >= 1 or result.plan.losses, f"no crash in seed {seed}"
        assert (result.paid_twice, result.lost) == (0, 0)


FORGETS = {"median_seconds": 10.0, "request_seconds": 60.0}
"""An API that knows a request for a minute."""


@pytest.mark.parametrize("seed", [2, 10, 16, 19, 24, 27])
def test_what_the_api_has_forgotten_ends_by_a_person(seed: int) -> None:
    """A sole request that the API does not know any more is never called lost by a run alone.

    The seeds are those among the first at which it comes to that.
    """
    result = run_trial(seed, emulator=FORGETS | {"seed": seed})
    assert (result.paid_twice, result.lost) == (0, 0)
    assert "give up" in result.history.text
