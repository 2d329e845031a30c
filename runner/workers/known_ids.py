"""Which request_ids the API knows: the evidence about those that it does not know.

A failover answers 404 for minutes, and to everybody; another account's token does so for ever. So an unknown
id is lost only while the API knows others.
"""

import math
from collections.abc import Collection

from jobs.failures import Failure, FailureKind
from runner.clock import Clock
from runner.providers.base import UnknownId

UNKNOWN_AFTER_SECONDS = 60.0
"""A new request may take this long to be known everywhere: an earlier 404 means nothing."""
LOST_AFTER_SECONDS = 900.0
"""How long an id has to be unknown, while the API knows another or takes a submit, until it is lost."""
ENOUGH_RECOVERED = 3
"""Fewer unknown ids of an earlier run say too little about the token."""
ANOTHER_ACCOUNT = (
    "The API knows none of the requests that were under way: these are perhaps another account's"
)
"""How a pause begins, by which the next run knows it."""


class KnownIds:
    """What the API has said of ids in this run. `recovered` are the jobs that were at the API at its start.

    `account_doubted`: the batch was paused before because all of them were unknown, and a person went on.
    """

    def __init__(
        self, clock: Clock, recovered: Collection[int] = (), *, account_doubted: bool = False
    ) -> None:
        self._clock = clock
        self._recovered = frozenset(recovered)
        self._unknown: set[int] = set()
        self._one_is_known = account_doubted
        self._known_at = -math.inf

    def known(self, job_id: int) -> None:
        """The API knows the id of this job."""
        self._known_at = self._clock.monotonic()
        self._one_is_known |= job_id in self._recovered

    def submit_taken(self) -> None:
        """The API took a submit: it works, and the token is good."""
        self._known_at = self._clock.monotonic()

    def is_lost(self, unknown_since: float) -> bool:
        """Whether an id that was unknown since then (monotonic) is lost."""
        has_been_unknown = self._clock.monotonic() - unknown_since >= LOST_AFTER_SECONDS
        return has_been_unknown and self._known_at >= unknown_since

    def speak_of_another_account(self, job_id: int, *, slots: float) -> bool:
        """Note an unknown id; whether now all that an earlier run left are unknown. True once in a run.

        All that are asked at the same time: `slots` at most.
        """
        self._unknown |= {job_id} & self._recovered
        asked = min(len(self._recovered), slots)
        if self._one_is_known or len(self._unknown) < max(ENOUGH_RECOVERED, asked):
            return False
        self._one_is_known = True  # said once
        return True


def lost(verdict: UnknownId) -> Failure:
    """Why a job ends whose id the API does not know."""
    message = verdict.message.rstrip(".")
    return Failure(
        FailureKind.LOST, f"The API does not know its request_id any more: {message}.", verdict.code
    )
