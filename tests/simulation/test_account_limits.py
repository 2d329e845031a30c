"""Trials whose account has limits of its own: they hold through kills and outages, and everything ends."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Connection

from jobs.admission import AccountStanding, NotAdmitted, SubmitTerms
from jobs.attempts import Intent
from jobs.outcomes import Claimed
from jobs.store.accounts import admission
from jobs.store.accounts.accounts import Accounts
from tests.simulation.trial import run_trial

SEEDS = range(7000, 7012)


@contextmanager
def limited(seed: int) -> Iterator[list[tuple[datetime, int, int]]]:
    """Within, each run finds limits that the seed draws; yields the time of each intent, and what was there.

    What is there is counted by other words than the product's, right after the intent.
    """
    dice = random.Random(f"limits {seed}")
    limits: dict[str, Any] = {
        "in_flight_max": dice.choice((1, 2, 3, None)),
        "gate": dice.choice((1, None)),
        "per_minute": dice.choice((6.0, 60.0, None)),
    }
    seen: list[tuple[datetime, int, int]] = []
    enter, admit = Accounts.enter, admission.admit

    async def entered(self: Accounts, name: str, batch_id: int) -> AccountStanding:
        await self.set_limits(name, limits)
        return await enter(self, name, batch_id)

    def admitted(
        connection: Connection, claimed: Claimed, terms: SubmitTerms, clock: Callable[[], datetime]
    ) -> Intent | NotAdmitted | None:
        answer = admit(connection, claimed, terms, clock)
        if isinstance(answer, Intent):
            there = connection.exec_driver_sql(
                "SELECT count(*), coalesce(sum(state = 'submitting'), 0) FROM job"
                " WHERE state IN ('submitting', 'running')"
            ).one()
            seen.append((claimed.at, *there))
            assert limits["in_flight_max"] is None or there[0] <= limits["in_flight_max"]
            assert limits["gate"] is None or there[1] <= limits["gate"]
        return answer

    with mock.patch.object(Accounts, "enter", entered), mock.patch("jobs.store.jobs.admit", admitted):
        yield seen
    if limits["per_minute"] is not None:
        least = 60.0 / limits["per_minute"]
        times = [at for at, _, _ in seen]
        apart = [(later - at).total_seconds() for at, later in pairwise(times)]
        assert all(seconds >= least - 1e-3 for seconds in apart), (limits, min(apart))


@pytest.mark.parametrize("seed", SEEDS)
def test_limits_hold_whatever_befalls_a_run(seed: int) -> None:
    """No more at once and no faster than the account allows; nothing is paid twice, and all ends."""
    with limited(seed) as seen:
        result = run_trial(seed)
    assert len(seen) >= result.submits
