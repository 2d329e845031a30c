"""Whether the API can be reached. After an unconfirmed submit, nothing is sent until a free GET is answered.

One task probes at a time and the others wait: an outage costs one request now and then, not one a job.
"""

import random
from collections.abc import Callable
from datetime import timedelta

import anyio

from jobs.pauses import PauseReason, Wait
from runner.backoff import Backoff
from runner.clock import Clock
from runner.humanize import clock_time, duration
from runner.limits.brake import Brake
from runner.providers.base import CallFailed, Provider, Stopped

_PROBES = Backoff(first=1.0, longest=30.0)
_GOLDEN_RATIO = (5**0.5 - 1) / 2
"""Steps of this part of a circle fill it evenly, however many there are."""
_AFTER_UNCONFIRMED = Backoff(first=1.0, longest=60.0)
UNKNOWN_REQUEST_ID = "nightsheet-is-anybody-there"
"""No request has this id: an API that works answers a poll of it with a 404."""


class Health:
    """The API's health as this run sees it. `outage_limit` is in seconds; a probe asks `model`'s price.

    With `ask_first`, nothing is sent before a first probe is answered.
    """

    def __init__(
        self,
        provider: Provider,
        model: str,
        clock: Clock,
        rng: random.Random,
        brake: Brake,
        *,
        outage_limit: float,
        notice: Callable[[str], None],
        ask_first: bool = False,
    ) -> None:
        self._provider = provider
        self._model = model
        self._clock = clock
        self._rng = rng
        self._brake = brake
        self._limit = outage_limit
        self._notice = notice
        self._asking = anyio.Lock()
        self._suspect_since: float | None = clock.monotonic() if ask_first else None
        self._troubled_since: float | None = None
        self._unconfirmed = 0
        self._turn: float | None = None
        self.waiting: Wait | None = None
        """Why nothing moves at the moment."""

    @property
    def suspect(self) -> bool:
        """Whether a free GET must be answered before anything else is sent."""
        return self._suspect_since is not None

    @property
    def waiting_for(self) -> str | None:
        """Why nothing moves at the moment, for a person."""
        return None if self.waiting is None else self.waiting.detail

    @property
    def last_submit_unconfirmed(self) -> bool:
        """Whether no submit was answered since the last unconfirmed one."""
        return self._unconfirmed > 0

    def submit_unconfirmed(self) -> None:
        """Note an unconfirmed submit."""
        self._unconfirmed += 1
        self._suspect()

    def doubted_elsewhere(self) -> None:
        """Another run of the account has an unconfirmed submit: this one asks whether the API answers."""
        self._suspect()

    def answered(self) -> None:
        """Note a useful answer of the API."""
        self._troubled_since = None

    def submit_answered(self) -> None:
        """Note a readable answer to a submit."""
        self._unconfirmed = 0
        self.answered()

    def call_failed(self, failure: CallFailed) -> None:
        """Note a failed call that is not its job's fault. Pauses the batch if calls fail for too long."""
        now = self._clock.monotonic()
        if self._troubled_since is None:
            self._troubled_since = now
        if failure.certificate:
            self._brake.pause(PauseReason.OUTAGE, _refused(failure))
        elif now - self._troubled_since >= self._limit:
            self._outage(failure.reason)
        elif not failure.answered:
            self._suspect()

    def _suspect(self) -> None:
        if self._suspect_since is None:
            self._suspect_since = self._clock.monotonic()

    async def ready(self) -> None:
        """Return when the API may be called: at once, unless it is suspect."""
        while self.suspect:
            async with self._asking:
                if self.suspect:
                    await self._ask_until_answered()

    async def ready_in_turn(self, within: float) -> None:
        """Return when the API may be called, up to `within` seconds after it answers again.

        All who wait wake at once: each takes a turn of its own, so that no thundering herd follows an outage.
        """
        await self.ready()
        drawn = self._rng.random() if self._turn is None else self._turn + _GOLDEN_RATIO
        self._turn = drawn % 1.0
        await self._clock.sleep(within * self._turn)

    async def _ask_until_answered(self) -> None:
        if (
            self._unconfirmed > 1
        ):  # GETs are answered, submits are not: slow down, or every row ends like this
            self._wait("submits go unanswered")
            await self._clock.sleep(_AFTER_UNCONFIRMED.jittered(self._unconfirmed - 2, self._rng))
        tries = 0
        notified = False
        while True:
            match verdict := await self._ask():
                case None:
                    break
                case Stopped(reason=reason, message=message):
                    self._brake.pause(reason, message)
                    break
                case CallFailed():
                    waiting = self._wait(f"the API does not answer ({verdict.reason})")
                    if not notified:
                        notified = True
                        self._notice(
                            f"The API does not answer ({verdict.reason}). Asking again until "
                            f"{clock_time(waiting.until, self._clock.now())}, for up to "
                            f"{duration(self._limit)} (--outage-limit); then the batch is paused."
                        )
                    self._give_up_if_too_long(verdict)
                    await self._clock.sleep(_PROBES.jittered(tries, self._rng))
                    tries += 1
        if notified:
            self._notice("The API answers again.")
        self.waiting = None
        self._suspect_since = None

    def _wait(self, why: str) -> Wait:
        """Say why nothing moves, since when, and when the batch is paused for it."""
        assert self._suspect_since is not None
        now = self._clock.now()
        since = now - timedelta(seconds=self._clock.monotonic() - self._suspect_since)
        until = since + timedelta(seconds=self._limit)
        self.waiting = Wait("outage", f"{why}, asking until {clock_time(until, now)}", since, until)
        return self.waiting

    async def is_up(self) -> bool:
        """Probe the API once."""
        return not isinstance(await self._ask(), CallFailed)

    async def _ask(self) -> Stopped | CallFailed | None:
        """Probe once with a free request; None if it was answered, whatever the answer was.

        If the API answers but cannot report a price, the probe polls an unknown request: the API must at
        least have this endpoint to be of use.
        """
        price = await self._provider.price(self._model)
        if not isinstance(price, CallFailed):
            return price if isinstance(price, Stopped) else None
        if price.answered:
            return None
        if price.http_status is None:
            return price
        standing = await self._provider.status(UNKNOWN_REQUEST_ID)
        if isinstance(standing, Stopped):
            return standing
        if (
            isinstance(standing, CallFailed)
            and not standing.answered
            and not _is_refusal(standing.http_status)
        ):
            return price
        return None

    def _give_up_if_too_long(self, trouble: CallFailed) -> None:
        assert self._suspect_since is not None
        if trouble.certificate:
            self._brake.pause(PauseReason.OUTAGE, _refused(trouble))
        elif self._clock.monotonic() - self._suspect_since >= self._limit:
            self._outage(trouble.reason)

    def _outage(self, reason: str) -> None:
        self._brake.pause(
            PauseReason.OUTAGE, f"The API has not been reachable for {self._limit:g} s: {reason}."
        )


def _is_refusal(http_status: int | None) -> bool:
    """Whether the API understood the request and refused it. A gateway's 5xx or redirect is no refusal."""
    return http_status is not None and 400 <= http_status < 500


def _refused(trouble: CallFailed) -> str:
    return (
        f"The API's certificate is refused: {trouble.reason}. Where a company's proxy is in between, "
        "the setting ca names its authority."
    )
