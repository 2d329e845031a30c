"""How soon a request that waits at the API can begin, by the places that the API tells."""

from collections import defaultdict, deque
from typing import NamedTuple

_REMEMBERED = 8


class _Told(NamedTuple):
    place: int
    at: float


class QueuePace:
    """The pace of the API's queue, by model: how fast places are passed on. Times are monotonic."""

    def __init__(self) -> None:
        self._told: dict[int, _Told] = {}
        self._places_a_second: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def told(self, model: str, job_id: int, place: int, at: float) -> float:
        """The API told a job's place, 1 being the next. The least seconds until it begins, 0 if unknown.

        By the fastest pace seen lately: what is told too long would delay a job that is done.
        """
        before, self._told[job_id] = self._told.get(job_id), _Told(place, at)
        paces = self._places_a_second[model]
        if before is not None and place < before.place and at > before.at:
            paces.append((before.place - place) / (at - before.at))
        return max(0, place - 1) / max(paces) if paces else 0.0

    def forget(self, job_id: int) -> None:
        """The job waits no longer."""
        self._told.pop(job_id, None)
