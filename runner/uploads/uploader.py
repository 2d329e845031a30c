"""From a job's inputs to the bytes that are sent: local images get a URL, or go inside the request.

All of it happens before the submit edge and outside its shield: nothing of it is paid for, so it may be
retried, cancelled, or left to the next run. An image is uploaded once by its content, however many rows
name it; one that is in the store already, perhaps from an earlier run, is not uploaded again.
"""

import json
import random
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from jobs.catalog.image_urls import content_named, is_of_this_machine, why_not
from jobs.catalog.registry import find
from jobs.pauses import PauseReason
from jobs.payload import payload
from jobs.sheets.images.way import Way
from jobs.store.store import Store
from jobs.views import QueuedJob, ReferenceView
from runner.backoff import Backoff
from runner.clock import Clock
from runner.limits.brake import Brake
from runner.uploads.local_file import read_again
from runner.uploads.object_store import Bucket, Hitch, Refusal, judged

T = TypeVar("T")

MARGIN_SECONDS = 3600.0
"""A signature outlives a job's longest wait by this much, so that several rows can share it."""
LONGEST_SECONDS = 7 * 24 * 3600.0
"""No store signs for longer."""

_TRIES = Backoff(first=1.0, longest=30.0)
_CALL_SECONDS = 60.0
_SLOWEST = 50_000.0
"""Bytes a second below which an upload counts as stuck: four at once reach that on an uplink of 2 Mbit/s."""
_KEPT = 4096
_AT_ONCE = 4
_MARK = '"picture:sha256:'


@dataclass(frozen=True, slots=True)
class Sendable:
    """The request body for a job. Its links, if any, work until `good_until`."""

    body: bytes
    good_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """It cannot be sent as planned; `reason` is for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Link:
    url: str
    good_until: datetime | None


class _Unsent(Exception):
    """An image has changed since it was planned."""


@dataclass(slots=True)
class Uploader:
    """One for each run. `bucket` is set if `way` is a store. `deadline` is a job's longest wait at the API,
    `outage_limit` how long an outage of the store is tolerated, both in seconds."""

    store: Store
    clock: Clock
    rng: random.Random
    brake: Brake
    notice: Callable[[str], None]
    deadline: float
    outage_limit: float
    here: bool = False
    """Whether the API is on this machine, as in a rehearsal: then it fetches from this machine."""
    way: Way = Way.REFUSE
    bucket: Bucket | None = None
    _links: OrderedDict[str, _Link] = field(default_factory=OrderedDict)
    _under_way: dict[str, anyio.Event] = field(default_factory=dict)
    _threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_AT_ONCE))
    _uploads: set[str] = field(default_factory=set)
    """Paths that a thread is uploading to, though perhaps nobody waits for it any more."""
    _troubled_since: float | None = None

    def at_once(self, job: QueuedJob) -> Sendable | None:
        """The request body for a job that surely has no local image; None where it may have."""
        return None if _MARK in job.inputs else Sendable(job.inputs.encode())

    async def ready(self, job: QueuedJob) -> Sendable | Unfit | None:
        """The request body for a job; None if the batch was paused over it.

        Waits during an outage of the store. A job without local images is ready at once.
        """
        if (sendable := self.at_once(job)) is not None:
            return sendable
        spec = find(job.model)
        images = None if spec is None else spec.vocabulary.get("images")
        inputs = json.loads(job.inputs)
        named = None if images is None else inputs.get(images)
        if images is None or not isinstance(named, list):  # only a prompt that contains the mark: no image
            return Sendable(job.inputs.encode())
        contents = {name: sha256 for name in named if (sha256 := content_named(name))}
        try:
            links = await self._links_for(job, tuple(dict.fromkeys(contents.values())))
        except _Unsent as why:
            hint = "Nothing was sent or paid. Run its sheet again: what it finds then is a changed row."
            return Unfit(f"{why} {hint}")
        if links is None:
            return None
        sent = [links[contents[name]].url if name in contents else name for name in named]
        ends = [link.good_until for link in links.values() if link.good_until is not None]
        return Sendable(payload({**inputs, images: sent}).encode(), min(ends, default=None))

    def is_stale(self, made: Sendable) -> bool:
        """Whether its links may end before the API has fetched from them."""
        return made.good_until is not None and made.good_until < self._needed_until()

    def _needed_until(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self._lifetime - MARGIN_SECONDS)

    @property
    def _lifetime(self) -> float:
        return min(self.deadline + MARGIN_SECONDS, LONGEST_SECONDS)

    async def _links_for(self, job: QueuedJob, contents: Sequence[str]) -> Mapping[str, _Link] | None:
        if self.way is Way.REFUSE or (self.way is Way.STORE and self.bucket is None):
            self.brake.pause(
                PauseReason.GUARD,
                f"Job {job.key!r} names pictures of this computer, and nothing says how they get to the API: "
                "go on with --upload s3://BUCKET/PREFIX.",
            )
            return None
        links: dict[str, _Link] = {}
        for sha256 in contents:
            link = await (self._inside(sha256) if self.way is Way.INSIDE else self._stored(sha256))
            if link is None:
                return None
            links[sha256] = link
        return links

    async def _inside(self, sha256: str) -> _Link:
        places = await self.store.jobs.places_of([sha256])
        data = await to_thread.run_sync(_read, places, limiter=self._threads)
        return _Link(f"data:{places[0].media_type};base64,{b64encode(data).decode('ascii')}", None)

    async def _stored(self, sha256: str) -> _Link | None:
        """A link to the image in the store; rows that name the same one share the upload."""
        while True:
            link = self._links.get(sha256)
            if link is not None and not self.is_stale(Sendable(b"", link.good_until)):
                self._links.move_to_end(sha256)
                return link
            if (other := self._under_way.get(sha256)) is None:
                break
            await other.wait()
            if self.brake.stop is not None:
                return None
        done = self._under_way[sha256] = anyio.Event()
        try:
            return await self._bring(sha256)
        finally:
            del self._under_way[sha256]
            done.set()

    async def _bring(self, sha256: str) -> _Link | None:
        """Upload it, unless it is there, and sign its URL."""
        assert self.bucket is not None
        bucket = self.bucket
        places = await self.store.jobs.places_of([sha256])
        if not places:
            raise _Unsent("A picture of this computer that it names is not known to this database any more.")
        first = places[0]
        place = bucket.place(sha256, first.media_type)
        seconds = _CALL_SECONDS + first.bytes / _SLOWEST
        if await self._tried(partial(self._put, bucket, place, places), seconds) is None:
            return None
        # The time is taken before signing: the link must not be thought to last longer than it does.
        good_until = self.clock.now() + timedelta(seconds=self._lifetime)
        url = await self._tried(partial(bucket.sign, place, self._lifetime))
        if url is None:
            return None
        if why_not(url) or (is_of_this_machine(url) and not self.here):
            self._pause(
                f"signs addresses that the API cannot fetch: {url.partition('?')[0]}. Nothing was sent"
            )
            return None
        link = self._links[sha256] = _Link(url, good_until)
        while len(self._links) > _KEPT:
            self._links.popitem(last=False)
        return link

    def _put(self, bucket: Bucket, place: str, places: Sequence[ReferenceView]) -> bool | Hitch:
        """Upload it, unless it is there; in a thread, which continues after it is given up.

        So each try looks for it again, and no try starts while another is still in flight.
        """
        if place in self._uploads or len(self._uploads) >= _AT_ONCE:
            return Hitch("an upload that was given up is still under way")
        self._uploads.add(place)
        try:
            if not bucket.holds(place, places[0].bytes):
                bucket.put(place, _read(places), places[0].media_type)
        finally:
            self._uploads.discard(place)
        return True

    async def _tried(self, call: Callable[[], T | Hitch], seconds: float = _CALL_SECONDS) -> T | None:
        """Ask the store until it answers; None where it refuses, or is in trouble for too long: paused."""
        tries = 0
        while True:
            answer = await self._asked(call, seconds)
            if isinstance(answer, Refusal):
                self._pause(f"refuses: {answer.reason}. Nothing was sent")
                return None
            if not isinstance(answer, Hitch):
                if self._troubled_since is not None:
                    self._troubled_since = None
                    self.notice("The store of the pictures answers again.")
                return answer
            now = self.clock.monotonic()
            if self._troubled_since is None:
                self._troubled_since = now
                self.notice(f"The store of the pictures does not answer ({answer.reason}). Asking again.")
            if now - self._troubled_since >= self.outage_limit:
                self._troubled_since = None  # a person may clear the pause during this run
                self._pause(f"has not been reachable for {self.outage_limit:g} s: {answer.reason}")
                return None
            await self.clock.sleep(_TRIES.jittered(tries, self.rng))
            tries += 1

    async def _asked(self, call: Callable[[], T | Hitch], seconds: float) -> T | Refusal | Hitch:
        try:
            async with self._threads:  # waiting for a thread is not waiting for the store
                with anyio.move_on_after(seconds):
                    own = CapacityLimiter(1)
                    return await to_thread.run_sync(call, limiter=own, abandon_on_cancel=True)
        except _Unsent:
            raise
        except Exception as error:  # each store has its own
            return judged(error)
        return Hitch(f"no answer within {seconds:.0f} s")

    def _pause(self, what: str) -> None:
        assert self.bucket is not None
        self.brake.pause(PauseReason.GUARD, f"The store {self.bucket.shown} {what}.")


def _read(places: Sequence[ReferenceView]) -> bytes:
    data = read_again(places)
    if isinstance(data, str):
        raise _Unsent(data)
    return data
