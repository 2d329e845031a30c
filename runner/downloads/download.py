"""An image from its URL to its name on disk: streamed, counted, hashed, proven whole, and only then named.

Until then the bytes are in a `.part` file, so a kill at any moment leaves either the whole image or a file
that the next run deletes.
"""

import hashlib
import re
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

import aiohttp
import anyio
import httpx
from anyio import CapacityLimiter, to_thread

from runner.clock import Clock
from runner.downloads.disk import Disk, DiskTrouble, PartFile, describe_disk, part_path, prepare_folder
from runner.downloads.placement import place, sha256_of
from runner.downloads.png import PngProof
from runner.downloads.unpack import IDENTITY, READ, Unpacker
from runner.downloads.validate import MOST_PIXELS, Broken, ImageFacts, inspect
from runner.http.errors import describe
from runner.http.image_client import DownloadFailed, ImageClient, LinkGone, close
from runner.http.transport import body_of
from runner.http.url_policy import Blocked, host_of

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
    wanted = shared.root / name
    try:
        folder = await to_thread.run_sync(prepare_folder, shared.disk, shared.root, name.parent)
        part = PartFile(shared.disk, part_path(folder, name.name, shared.mark))
        try:
            received = await _in_time(shared, url, part)
            fetched: DownloadResult = (
                await _keep(shared, part, wanted, received, replaces)
                if isinstance(received, _ReceivedImage)
                else received
            )
            if keep_bad and isinstance(fetched, Broken):
                await to_thread.run_sync(_keep_bad, shared.disk, part, wanted)
            return fetched
        finally:
            part.discard()
    except OSError as error:  # errors of the network are values by now: this is the disk
        return describe_disk(error, wanted)


@dataclass(frozen=True, slots=True)
class _ReceivedImage:
    sha256: str
    bytes: int
    whole: bool
    """Its declared length is right, or its chunked body was terminated."""
    finding: ImageFacts | Broken | None
    """What its bytes have proven on their way; None where it has to be decoded."""


async def _in_time(
    shared: Downloads, url: str, part: PartFile
) -> _ReceivedImage | LinkGone | Blocked | Broken | DownloadFailed:
    """The bytes, written to `part`, or why there are none."""
    limits = shared.limits
    with anyio.move_on_after(limits.total_seconds):
        response = await shared.client.open(
            url, connect_seconds=limits.connect_seconds, idle_seconds=limits.idle_seconds
        )
        if not isinstance(response, httpx.Response):
            return response
        try:
            return _unfit(response, limits.max_bytes) or await _stream(shared, response, part)
        finally:
            await close(response)
    return DownloadFailed(f"the picture was not here after {limits.total_seconds:g} s")


def _unfit(response: httpx.Response, max_bytes: int) -> Broken | None:
    encoding = _encoding(response)
    if encoding not in IDENTITY | READ:
        return Broken(f"it came encoded ({encoding[:20]}), which was not asked for")
    told = _told_length(response)
    return _too_large(max_bytes) if told is not None and told > max_bytes else None


def _encoding(response: httpx.Response) -> str:
    return str(response.headers.get("content-encoding", "")).strip().lower()


async def _stream(
    shared: Downloads, response: httpx.Response, part: PartFile
) -> _ReceivedImage | Broken | DownloadFailed:
    limits, told = shared.limits, _told_length(response)
    digest, proof, size, received = hashlib.sha256(), PngProof(), 0, 0
    begun = shared.clock.monotonic()
    unpacker = Unpacker(_encoding(response))
    async with aclosing(_chunks(response, told)) as chunks:
        async for chunk in chunks:
            if not isinstance(chunk, bytes):
                return chunk
            received += len(chunk)
            try:
                for piece in unpacker.pieces(chunk):
                    size += len(piece)
                    if size > limits.max_bytes:
                        return _too_large(limits.max_bytes)
                    # Written here and not in a thread: measured, that costs less than half.
                    part.write(piece)
                    digest.update(piece)
                    proof.feed(piece)
            except zlib.error:
                return Broken(f"it came encoded ({_encoding(response)}), and does not unpack")
            waited = shared.clock.monotonic() - begun
            if waited > limits.slow_after_seconds and received < waited * limits.min_bytes_per_second:
                return DownloadFailed(f"the picture dripped in: {received} bytes in {waited:.0f} s")
    if told is not None and received != told:
        return Broken(f"{received} bytes came instead of {told}")
    if not unpacker.is_complete:
        return Broken("it was cut off before it was unpacked")
    whole = (told is not None or "transfer-encoding" in response.headers) and not _is_part(response)
    return _ReceivedImage(digest.hexdigest(), size, whole, proof.finding(limits.max_pixels))


def _is_part(response: httpx.Response) -> bool:
    """Whether a 206, which nobody asked for, may be less than the image; its length proves nothing then."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return False
    told = _RANGE.fullmatch(response.headers.get("content-range", ""))
    return told is None or int(told["first"]) != 0 or int(told["last"]) + 1 != int(told["all"])


async def _chunks(
    response: httpx.Response, told: int | None
) -> AsyncGenerator[bytes | Broken | DownloadFailed]:
    """The body's chunks, then a value for the exception that cut it off, if any."""
    try:
        async with body_of(response, CHUNK_BYTES) as chunks:
            async for chunk in chunks:
                yield chunk
    except Exception as error:  # each is translated to a value
        yield _cut_off(error, host_of(response.request.url), told)


def _cut_off(error: Exception, host: str, told: int | None) -> Broken | DownloadFailed:
    """A body that ends too early is a broken image; so is a connection reset in the middle, which aiohttp
    reports the same way. Silence is a timeout."""
    links = (error, error.__cause__)
    if any(isinstance(link, aiohttp.ClientPayloadError) for link in links):
        return Broken("it was cut off" + (f" before its {told} bytes were here" if told is not None else ""))
    return DownloadFailed(describe(error, host))


def _told_length(response: httpx.Response) -> int | None:
    told = response.headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdecimal() else None


def _too_large(max_bytes: int) -> Broken:
    return Broken(f"it is larger than {max_bytes / 1024**2:g} MB")


async def _keep(
    shared: Downloads, part: PartFile, wanted: Path, received: _ReceivedImage, replaces: str | None
) -> DownloadedImage | Broken:
    """The last steps: decode what is not proven yet; then sync, name, sync the folder, in one go."""
    facts = received.finding
    if facts is None:
        check = partial(inspect, part.path, whole=received.whole, max_pixels=shared.limits.max_pixels)
        facts = await to_thread.run_sync(check, limiter=shared.decoders)
    if isinstance(facts, Broken):
        return facts
    named = partial(_finish, shared.disk, part, wanted, facts.suffix, received.sha256)
    path = await _tried(shared.clock, partial(named, replaces), named)
    return DownloadedImage(
        path, received.sha256, received.bytes, facts.width, facts.height, facts.content_type
    )


async def _tried(clock: Clock, wish: Callable[[], Path], otherwise: Callable[[], Path]) -> Path:
    for _try in range(RENAME_TRIES):
        try:
            return await to_thread.run_sync(wish)
        except PermissionError:
            await clock.sleep(_RENAME_PAUSE_SECONDS)
    return await to_thread.run_sync(otherwise)


def _finish(
    disk: Disk, part: PartFile, wanted: Path, suffix: str, sha256: str | None, replaces: str | None = None
) -> Path:
    part.finish()
    return place(disk, part.path, wanted, suffix, sha256, replaces)


def _keep_bad(disk: Disk, part: PartFile, wanted: Path) -> None:
    if part.path.stat().st_size:
        _finish(disk, part, wanted, ".bad", sha256_of(part.path))
