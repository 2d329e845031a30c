"""Whether the API is there. After a submit without an answer, nothing is sent until a free GET is answered.

One task asks at a time, so that an outage costs a request now and then and not one a job; the others wait.
"""

import random
from collections.abc import Callable

import anyio

from jobs.pauses import PauseReason
from runner.backoff import Backoff
from runner.clock import Clock
from runner.limits.brake import Brake
from runner.providers.base import CallFailed, Provider, Stopped

_PROBES = Backoff(first=1.0, longest=30.0)
_AFTER_UNCONFIRMED = Backoff(first=1.0, longest=60.0)


UNKNOWN_REQUEST_ID = "nightsheet-is-anybody-there"


class Health:
    """The API as this run sees it. `outage_limit` in seconds; `model` is any model, to ask its price.

    With `ask_first`, nothing is sent before the API has answered that question.
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
        self.waiting_for: str | None = None
        """Why nothing moves just now, in words."""

    @property
    def suspect(self) -> bool:
        """Whether a free GET has to be answered before anything else is sent."""
        return self._suspect_since is not None

    @property
    def last_submit_unconfirmed(self) -> bool:
        """Whether no submit has been answered since one was not."""
        return self._unconfirmed > 0

    def submit_unconfirmed(self) -> None:
        """A submit got no readable answer."""
        self._unconfirmed += 1
        self._suspect()

    def answered(self) -> None:
        """The API gave a useful answer."""
        self._troubled_since = None

    def submit_answered(self) -> None:
        """The API answered a submit."""
        self._unconfirmed = 0
        self.answered()

    def call_failed(self, failure: CallFailed) -> None:
        """A call failed in a way that is not its job's fault. Pauses where it has been so for too long."""
        now = self._clock.monotonic()
        if self._troubled_since is None:
            self._troubled_since = now
        if failure.certificate:
            self._brake.pause(PauseReason.OUTAGE, f"The API's certificate is refused: {failure.reason}.")
        elif now - self._troubled_since >= self._limit:
            self._outage(failure.reason)
        elif not failure.answered:
            self._suspect()

    def _suspect(self) -> None:
        if self._suspect_since is None:
            self._suspect_since = self._clock.monotonic()

    async def ready(self) -> None:
        """Return when the API may be called: at once, unless something is suspect."""
        while self.suspect:
            async with self._asking:
                if self.suspect:
                    await self._ask_until_answered()

    async def _ask_until_answered(self) -> None:
        if self._unconfirmed > 1:  # GETs are answered, submits are not: slowly, or every row ends in doubt
            self.waiting_for = "submits go unanswered"
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
                    self.waiting_for = f"the API does not answer ({verdict.reason})"
                    if not notified:
                        notified = True
                        self._notice(
                            f"The API does not answer ({verdict.reason}). Asking again until it does."
                        )
                    self._give_up_if_too_long(verdict)
                    await self._clock.sleep(_PROBES.jittered(tries, self._rng))
                    tries += 1
        if notified:
            self._notice("The API answers again.")
        self.waiting_for = None
        self._suspect_since = None

    async def is_up(self) -> bool:
        """Ask once whether the API is there."""
        return not isinstance(await self._ask(), CallFailed)

    async def _ask(self) -> Stopped | CallFailed | None:
        """One free question; None where it was answered, whatever it said.

        An API that answers, and cannot tell a price, is asked for a request that nobody has: the one endpoint
        that it must have to be of use.
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
            self._brake.pause(PauseReason.OUTAGE, f"The API's certificate is refused: {trouble.reason}.")
        elif self._clock.monotonic() - self._suspect_since >= self._limit:
            self._outage(trouble.reason)

    def _outage(self, reason: str) -> None:
        self._brake.pause(
            PauseReason.OUTAGE, f"The API has not been reachable for {self._limit:g} s: {reason}."
        )


def _is_refusal(http_status: int | None) -> bool:
    """Whether somebody understood the question and did not like it; a gateway's 5xx and redirects do not."""
    return http_status is not None and 400 <= http_status < 500
