"""An image from its URL to its name on disk: streamed, counted, hashed, proven whole, and only then named.

Until then the bytes are in memory, or in a `.part` file where they are many. So a kill at any moment leaves
the whole image, nothing, or a file that the next run deletes.
"""

import re
import zlib
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path, PurePosixPath

import aiohttp
import anyio
from anyio import CapacityLimiter, to_thread

from runner.clock import Clock
from runner.downloads.disk import Disk, DiskTrouble, describe_disk
from runner.downloads.incoming import IncomingImage, Target
from runner.downloads.unpack import IDENTITY, READ, Unpacker
from runner.downloads.unsynced import UnsyncedFolders
from runner.downloads.validate import MOST_PIXELS, Broken, inspect
from runner.http.errors import describe
from runner.http.image_answer import ImageAnswer
from runner.http.image_client import DownloadFailed, ImageClient, LinkGone
from runner.http.url_policy import Blocked

RENAME_TRIES = 5
"""On Windows a file that a viewer holds open cannot be replaced, usually only for a moment."""

CHUNK_BYTES = 256 * 1024
"""So much is read, written and hashed at once. In pieces of 16 KB, a picture costs a quarter more."""

_RENAME_PAUSE_SECONDS = 0.2
_RANGE = re.compile(r"bytes (?P<first>[0-9]{1,18})-(?P<last>[0-9]{1,18})/(?P<all>[0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """The most bytes, pixels and time that one image may take."""

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = MOST_PIXELS
    connect_seconds: float = 10.0
    idle_seconds: float = 30.0
    """The longest silence between two bytes."""
    total_seconds: float = 300.0
    """From the first connection to the last byte, redirects included."""
    slow_after_seconds: float = 20.0
    """From then on the average must reach `min_bytes_per_second`."""
    min_bytes_per_second: float = 1024.0


@dataclass(frozen=True, slots=True)
class DownloadedImage:
    """An image on disk under its final name: proven whole, hashed (SHA-256 in hex)."""

    path: Path
    sha256: str
    bytes: int
    width: int
    height: int
    content_type: str


DownloadResult = DownloadedImage | LinkGone | Blocked | Broken | DownloadFailed | DiskTrouble


@dataclass(frozen=True, slots=True)
class Downloads:
    """What the downloads of a run share. `root` is the output folder."""

    client: ImageClient
    root: Path
    clock: Clock
    disk: Disk
    limits: DownloadLimits = field(default_factory=DownloadLimits)
    mark: str = ""
    """The batch's: it is in the names of incomplete files."""
    decoders: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))
    """A decoded image takes up to 256 MB of memory, so few at a time."""
    unsynced: UnsyncedFolders = field(default_factory=UnsyncedFolders)


async def fetch_image(
    shared: Downloads,
    url: str,
    name: PurePosixPath,
    *,
    replaces: str | None = None,
    keep_bad: bool = False,
) -> DownloadResult:
    """Download one image to `name` below the root; the format of its bytes adds the suffix.

    An existing file of that name is overwritten only if its hash is `replaces` (an earlier download), and
    reused if it has the same content; otherwise the image gets another name, which is returned. A broken
    file is deleted, or with `keep_bad` kept as `.bad`. Raises nothing but cancellation.
    """
    target = Target(shared.disk, shared.root, name, shared.unsynced, shared.mark, replaces)
    try:
        image = IncomingImage(target, shared.limits.max_pixels)
        try:
            received = await _in_time(shared, url, image)
            fetched: DownloadResult = (
                await _keep(shared, image, received) if isinstance(received, _Received) else received
            )
            if keep_bad and isinstance(fetched, Broken):
                await to_thread.run_sync(image.keep_bad)
            return fetched
        finally:
            image.discard()
    except OSError as error:  # errors of the network are values by now: this is the disk
        return describe_disk(error, target.path)


@dataclass(frozen=True, slots=True)
class _Received:
    """All that was sent is here."""

    whole: bool
    """Its declared length is right, or its chunked body was terminated."""


async def _in_time(
    shared: Downloads, url: str, image: IncomingImage
) -> _Received | LinkGone | Blocked | Broken | DownloadFailed:
    """Read an image to its end, or say why that is not possible."""
    limits = shared.limits
    with anyio.move_on_after(limits.total_seconds):
        answer = await shared.client.open(
            url, connect_seconds=limits.connect_seconds, idle_seconds=limits.idle_seconds
        )
        if not isinstance(answer, ImageAnswer):
            return answer
        try:
            return _unfit(answer, limits.max_bytes) or await _stream(shared, answer, image)
        finally:
            await answer.close()
    return DownloadFailed(f"the picture was not here after {limits.total_seconds:g} s")


def _unfit(answer: ImageAnswer, max_bytes: int) -> Broken | None:
    encoding = _encoding(answer)
    if encoding not in IDENTITY | READ:
        return Broken(f"it came encoded ({encoding[:20]}), which was not asked for")
    told = _told_length(answer)
    return _too_large(max_bytes) if told is not None and told > max_bytes else None


def _encoding(answer: ImageAnswer) -> str:
    return answer.headers.get("content-encoding", "").strip().lower()


async def _stream(
    shared: Downloads, answer: ImageAnswer, image: IncomingImage
) -> _Received | Broken | DownloadFailed:
    limits, told = shared.limits, _told_length(answer)
    received, begun = 0, shared.clock.monotonic()
    unpacker = Unpacker(_encoding(answer))
    await image.expect(told)
    while chunk := await _chunk(answer, told):
        if not isinstance(chunk, bytes):
            return chunk
        received += len(chunk)
        try:
            for piece in unpacker.pieces(chunk):
                if image.size + len(piece) > limits.max_bytes:
                    return _too_large(limits.max_bytes)
                await image.take(piece)
        except zlib.error:
            return Broken(f"it came encoded ({_encoding(answer)}), and does not unpack")
        waited = shared.clock.monotonic() - begun
        if waited > limits.slow_after_seconds and received < waited * limits.min_bytes_per_second:
            return DownloadFailed(f"the picture dripped in: {received} bytes in {waited:.0f} s")
    if told is not None and received != told:
        return Broken(f"{received} bytes came instead of {told}")
    if not unpacker.is_complete:
        return Broken("it was cut off before it was unpacked")
    return _Received((told is not None or "transfer-encoding" in answer.headers) and not _is_part(answer))


def _is_part(answer: ImageAnswer) -> bool:
    """Whether a 206, which nobody asked for, may be less than the image; its length proves nothing then."""
    if answer.status != HTTPStatus.PARTIAL_CONTENT:
        return False
    told = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    return told is None or int(told["first"]) != 0 or int(told["last"]) + 1 != int(told["all"])


async def _chunk(answer: ImageAnswer, told: int | None) -> bytes | Broken | DownloadFailed:
    """The next chunk of the body, empty at its end; or a value for the exception that cut it off."""
    try:
        return await answer.read(CHUNK_BYTES)
    except Exception as error:  # each is translated to a value
        return _cut_off(error, answer.host, told)


def _cut_off(error: Exception, host: str, told: int | None) -> Broken | DownloadFailed:
    """A body that ends too early is a broken image; so is a connection reset in the middle, which aiohttp
    reports the same way. Silence is a timeout."""
    links = (error, error.__cause__)
    if any(isinstance(link, aiohttp.ClientPayloadError) for link in links):
        return Broken("it was cut off" + (f" before its {told} bytes were here" if told is not None else ""))
    return DownloadFailed(describe(error, host))


def _told_length(answer: ImageAnswer) -> int | None:
    told = answer.headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdecimal() else None


def _too_large(max_bytes: int) -> Broken:
    return Broken(f"it is larger than {max_bytes / 1024**2:g} MB")


async def _keep(shared: Downloads, image: IncomingImage, received: _Received) -> DownloadedImage | Broken:
    """The last steps: decode what is not proven yet; then sync, name, sync the folder."""
    facts, path = await image.settled()
    if facts is None:
        check = partial(inspect, image.part, whole=received.whole, max_pixels=shared.limits.max_pixels)
        facts = await to_thread.run_sync(check, limiter=shared.decoders)
    if isinstance(facts, Broken):
        return facts
    path = path or await _named(shared.clock, image, facts.suffix)
    return DownloadedImage(path, image.sha256, image.size, facts.width, facts.height, facts.content_type)


async def _named(clock: Clock, image: IncomingImage, suffix: str) -> Path:
    if image.refused:
        await clock.sleep(_RENAME_PAUSE_SECONDS)
    while image.refused < RENAME_TRIES:
        try:
            return await to_thread.run_sync(image.name, suffix)
        except PermissionError:
            await clock.sleep(_RENAME_PAUSE_SECONDS)
    return await to_thread.run_sync(partial(image.name, suffix, replacing=False))
