"""Something in front of the API answers every submit: nothing is paid twice, and no id is lost."""

from unittest import mock

import pytest

from runner.providers.base import TurnedAway
from runner.providers.runcomfy.submit_answers import read_submit
from tests.simulation.gateways import night


def test_a_night_behind_gateways() -> None:
    """Most answers come after the API has accepted, in the dress of caches, gateways, firewalls, portals."""
    behind = night(1, rows=60)
    assert behind.after >= 30
    assert behind.with_id > 0
    assert behind.before > 0
    assert (behind.repeated, behind.lost) == (0, 0)


def test_who_believes_a_page_is_found_out() -> None:
    """The search has teeth: "come back later" on a page in front pays for the row again."""

    def credulous(answer: object, now: object) -> object:
        verdict = read_submit(answer, now)  # type: ignore[arg-type]
        later = getattr(answer, "status", 0) == 503 and "retry-after" in getattr(answer, "headers", {})
        return TurnedAway("later", 1.0, busy=True) if later else verdict

    with (
        mock.patch("runner.providers.runcomfy.api.read_submit", credulous),
        pytest.raises(AssertionError, match=r"I1(7)?:"),
    ):
        _some_nights()


def _some_nights() -> None:
    """A cache's page after acceptance is one answer of twenty."""
    for seed in range(1, 9):
        night(seed, rows=60)
