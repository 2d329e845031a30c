"""From a URL to a named file, over a mocked net."""

import asyncio
import errno
import gzip
import hashlib
import io
import os
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import pytest
from anyio import to_thread
from PIL import Image

from runner.downloads.disk import Disk, DiskTrouble, LocalDisk
from runner.downloads.download import (
    RENAME_TRIES,
    DownloadedImage,
    DownloadLimits,
    DownloadResult,
    Downloads,
    fetch_image,
)
from runner.downloads.incoming import MOST_IN_MEMORY
from runner.downloads.validate import Broken, inspect
from runner.http.image_client import DownloadFailed, ImageClient, LinkGone
from runner.http.url_policy import Blocked, ImageUrlPolicy
from runner.providers.runcomfy.endpoint import DEFAULT_BASE, IMAGE_HOSTS
from tests.support.png_files import chunks_of, of_chunks

URL = "https://pictures.runcomfy.net/1"
NAME = PurePosixPath("night/hero/01")


def png(seed: int = 0, size: int = 40) -> bytes:
    """A small picture, different for each seed."""
    buffer = io.BytesIO()
    Image.frombytes("L", (size, size), bytes((n * 31 + seed) % 256 for n in range(size * size))).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


PICTURE = png()


def jpeg() -> bytes:
    """A small picture that only a decoder can judge."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(PICTURE)).save(buffer, "JPEG")
    return buffer.getvalue()


JPEG = jpeg()


def large_png() -> bytes:
    """More than is collected in memory: a picture with the graph that made it."""
    head, *more = chunks_of(PICTURE)
    return of_chunks([head, (b"tEXt", b"workflow\0" + b"x" * MOST_IN_MEMORY), *more])


LARGE = large_png()


class Clock:
    """A clock that a test moves; every look at it takes `step` seconds."""

    def __init__(self, step: float = 0.0) -> None:
        self.step = step
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def cpu(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        self.time += self.step
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Body(httpx.AsyncByteStream):
    """A body in pieces, ended by an exception if one is given."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error
        self.closed = False
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.given += 1
            yield piece
        if self._error:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


Handler = Callable[[httpx.Request], httpx.Response]


def answering(data: bytes = PICTURE, status: int = 200, **headers: str) -> Handler:
    """A net that answers everything with these bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx.Response(status, headers=named, content=data)


async def fetch(
    root: Path,
    handler: Handler,
    *,
    disk: Disk | None = None,
    clock: Clock | None = None,
    limits: DownloadLimits | None = None,
    replaces: str | None = None,
    keep_bad: bool = False,
    url: str = URL,
    name: PurePosixPath = NAME,
) -> DownloadResult:
    """One download with everything ordinary but what the test is about."""
    client = ImageClient(ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS), transport=httpx.MockTransport(handler))
    shared = Downloads(client, root, clock or Clock(), disk or LocalDisk(), limits or DownloadLimits())
    return await fetch_image(shared, url, name, replaces=replaces, keep_bad=keep_bad)


def files(root: Path) -> list[str]:
    """Every file below `root`, also hidden and half-written ones."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


async def test_a_picture_comes_home(tmp_path: Path) -> None:
    """Named by its template, ended by its format, described in full."""
    told = await fetch(tmp_path, answering())
    path = tmp_path / "night" / "hero" / "01.png"
    assert told == DownloadedImage(
        path, hashlib.sha256(PICTURE).hexdigest(), len(PICTURE), 40, 40, "image/png"
    )
    assert path.read_bytes() == PICTURE
    assert files(tmp_path) == ["night/hero/01.png"]


@pytest.mark.parametrize("content_type", ["text/html", "image/jpeg", "application/octet-stream", "\xff"])
async def test_the_content_type_is_not_believed(content_type: str, tmp_path: Path) -> None:
    """The bytes say what it is."""
    told = await fetch(
        tmp_path,
        lambda _: httpx.Response(
            200, content=PICTURE, headers=[(b"Content-Type", content_type.encode("latin-1"))]
        ),
    )
    assert isinstance(told, DownloadedImage)
    assert told.content_type == "image/png"


PACKED = {
    "gzip": gzip.compress(PICTURE),
    "x-gzip": gzip.compress(PICTURE),
    "Deflate": zlib.compress(PICTURE),
}


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("piece", [1, 100, 10_000])
async def test_a_picture_that_comes_packed_is_taken(encoding: str, piece: int, tmp_path: Path) -> None:
    """Nobody asked for that, but it is paid for. Its length is that of what was sent."""
    body = PACKED[encoding]
    pieces = [body[start : start + piece] for start in range(0, len(body), piece)]
    told = await fetch(tmp_path, streaming(*pieces, Content_Encoding=encoding, Content_Length=str(len(body))))
    assert isinstance(told, DownloadedImage)
    assert (told.bytes, told.sha256) == (len(PICTURE), hashlib.sha256(PICTURE).hexdigest())
    assert told.path.read_bytes() == PICTURE


PNG_LENGTH = len(PICTURE)


@pytest.mark.parametrize(
    ("body", "span", "told"),
    [
        (PICTURE, f"bytes 0-{PNG_LENGTH - 1}/{PNG_LENGTH}", None),
        (PICTURE, "", None),
        (PICTURE[:-4], f"bytes 0-{PNG_LENGTH - 5}/{PNG_LENGTH}", "its end is missing"),
        (PICTURE[:-4], f"bytes 1-{PNG_LENGTH - 4}/{PNG_LENGTH - 3}", "its end is missing"),
        (PICTURE[:-4], "", "its end is missing"),
        (PICTURE[:-4], "bytes */7", "its end is missing"),
    ],
)
async def test_a_part_that_nobody_asked_for_may_be_the_whole(
    body: bytes, span: str, told: str | None, tmp_path: Path
) -> None:
    """The bytes decide; its length is that of the part, and proves nothing."""
    headers = {"Content-Range": span, "Content-Length": str(len(body))}
    got = await fetch(tmp_path, lambda _: httpx.Response(206, headers=headers, stream=Body(body)))
    assert got == Broken(told) if told else isinstance(got, DownloadedImage)


async def test_a_second_download_of_the_same_is_the_same_file(tmp_path: Path) -> None:
    """What a killed run had finished is adopted, byte for byte."""
    first = await fetch(tmp_path, answering())
    second = await fetch(tmp_path, answering())
    assert first == second
    assert files(tmp_path) == ["night/hero/01.png"]


async def test_a_file_that_is_not_ours_stays(tmp_path: Path) -> None:
    """The picture gets another name, and the caller is told which."""
    (tmp_path / "night" / "hero").mkdir(parents=True)
    (tmp_path / "night" / "hero" / "01.png").write_bytes(b"edited")
    told = await fetch(tmp_path, answering())
    assert isinstance(told, DownloadedImage)
    assert told.path.name == "01-2.png"
    assert (tmp_path / "night" / "hero" / "01.png").read_bytes() == b"edited"


async def test_an_earlier_download_of_ours_is_replaced(tmp_path: Path) -> None:
    """By its recorded hash."""
    first = await fetch(tmp_path, answering())
    assert isinstance(first, DownloadedImage)
    second = await fetch(tmp_path, answering(png(1)), replaces=first.sha256)
    assert isinstance(second, DownloadedImage)
    assert second.path == first.path
    assert files(tmp_path) == ["night/hero/01.png"]


@pytest.mark.parametrize(
    ("handler", "url", "told"),
    [
        (answering(status=404), URL, LinkGone(404)),
        (answering(status=500), URL, DownloadFailed("pictures.runcomfy.net answered 500", 500)),
        (answering(), "https://evil.example/1", Blocked("pictures are not fetched from evil.example")),
    ],
)
async def test_what_the_net_says_is_passed_on(
    handler: Handler, url: str, told: object, tmp_path: Path
) -> None:
    """And leaves no file."""
    assert await fetch(tmp_path, handler, url=url) == told
    assert files(tmp_path) == []


# Broken


def streaming(*pieces: bytes, **headers: str) -> Handler:
    """A net whose answer is read piece by piece, with exactly these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx.Response(200, headers=named, stream=Body(*pieces))


@pytest.mark.parametrize(
    ("handler", "why", "something"),
    [
        (answering(PICTURE[:-30]), "end is missing", True),
        (answering(PICTURE[:-1]), "end is missing", True),
        (answering(PICTURE.replace(b"IDAT", b"IDAU")), "checksum of its IDAU is wrong", True),
        (answering(JPEG[:-30]), "decode", True),
        (answering(b"<html>"), "not a picture", True),
        (answering(b""), "not a picture", False),
        (streaming(PICTURE, Content_Encoding="gzip"), "(gzip), and does not unpack", False),
        (streaming(gzip.compress(PICTURE)[:-9], Content_Encoding="gzip"), "before it was unpacked", True),
        (streaming(PICTURE, Content_Encoding="BR"), "encoded (br)", False),
        (streaming(PICTURE, Content_Length="9999"), "instead of 9999", True),
        (streaming(PICTURE, Content_Length="9"), "instead of 9", True),
        (streaming(PICTURE[:-4]), "end is missing", True),
    ],
)
@pytest.mark.parametrize("keep_bad", [False, True])
async def test_a_broken_picture_is_no_picture(
    handler: Handler, why: str, something: bool, keep_bad: bool, tmp_path: Path
) -> None:
    """Thrown away, or kept as `.bad` where there is something to look at."""
    told = await fetch(tmp_path, handler, keep_bad=keep_bad)
    assert isinstance(told, Broken)
    assert why in told.reason
    assert files(tmp_path) == (["night/hero/01.bad"] if keep_bad and something else [])


@pytest.mark.parametrize("length", ["", "abc", "-5", "1_0", "٣", "0x10"])
async def test_a_length_that_is_no_number_counts_as_none(length: str, tmp_path: Path) -> None:
    """Then the picture's own end must be there."""
    told = await fetch(
        tmp_path,
        lambda _: httpx.Response(200, headers=[(b"Content-Length", length.encode())], stream=Body(PICTURE)),
    )
    assert isinstance(told, DownloadedImage)


async def test_a_body_in_chunks_needs_no_length(tmp_path: Path) -> None:
    """Its framing has an end of its own, so a long appendix does not make it suspect."""
    long = PICTURE + b"x" * 10_000
    told = await fetch(
        tmp_path, lambda _: httpx.Response(200, headers={"Transfer-Encoding": "chunked"}, stream=Body(long))
    )
    assert isinstance(told, DownloadedImage)


async def test_a_length_over_the_limit_is_not_even_begun(tmp_path: Path) -> None:
    """The header is enough."""
    body = Body(PICTURE)
    told = await fetch(
        tmp_path,
        lambda _: httpx.Response(200, headers={"Content-Length": "3000"}, stream=body),
        limits=DownloadLimits(max_bytes=2999),
    )
    assert told == Broken("it is larger than 0.00286007 MB")
    assert body.given == 0
    assert body.closed


async def test_a_packed_body_is_unpacked_up_to_the_limit(tmp_path: Path) -> None:
    """A bomb of some kilobytes stands for gigabytes."""
    written: list[int] = []

    class Counting(LocalDisk):
        def write(self, descriptor: int, data: bytes) -> None:
            written.append(len(data))

    told = await fetch(
        tmp_path,
        streaming(gzip.compress(bytes(30_000_000)), Content_Encoding="gzip"),
        limits=DownloadLimits(max_bytes=1_000_000),
        disk=Counting(),
    )
    assert told == Broken("it is larger than 0.953674 MB")
    assert sum(written) <= 1_000_000
    assert files(tmp_path) == []


async def test_a_body_over_the_limit_is_left(tmp_path: Path) -> None:
    """However much more there is, it is not read."""
    body = Body(*[b"x" * 1000] * 1000)
    told = await fetch(
        tmp_path, lambda _: httpx.Response(200, stream=body), limits=DownloadLimits(max_bytes=5000)
    )
    assert isinstance(told, Broken)
    assert body.given == 6
    assert body.closed
    assert files(tmp_path) == []


async def test_a_body_of_exactly_the_limit_passes(tmp_path: Path) -> None:
    """The limit is the last size that does."""
    told = await fetch(tmp_path, answering(), limits=DownloadLimits(max_bytes=len(PICTURE)))
    assert isinstance(told, DownloadedImage)


async def test_too_many_pixels_are_broken(tmp_path: Path) -> None:
    """By the limit of this run."""
    told = await fetch(tmp_path, answering(), limits=DownloadLimits(max_pixels=40 * 40 - 1))
    assert isinstance(told, Broken)


async def test_a_bad_file_does_not_overwrite_one(tmp_path: Path) -> None:
    """Yesterday's evidence stays; the same evidence is not kept twice."""
    for data in (b"<html>1", b"<html>2", b"<html>2"):
        await fetch(tmp_path, answering(data), keep_bad=True)
    assert files(tmp_path) == ["night/hero/01-2.bad", "night/hero/01.bad"]


# Trouble


@pytest.mark.parametrize(
    "error", [httpx.ReadError("x"), httpx.ReadTimeout("x"), OSError(errno.ECONNRESET, "x"), ValueError("x")]
)
async def test_a_connection_that_breaks_is_trouble_and_not_the_disk_s(
    error: Exception, tmp_path: Path
) -> None:
    """Also where it is an OSError like the disk's."""
    told = await fetch(tmp_path, lambda _: httpx.Response(200, stream=Body(PICTURE[:50], error=error)))
    assert isinstance(told, DownloadFailed)
    assert files(tmp_path) == []


async def test_a_drip_is_given_up(tmp_path: Path) -> None:
    """Each byte in time, all of them never: after the grace the average must be bearable."""
    pieces = [PICTURE[n : n + 1] for n in range(len(PICTURE))]
    body = Body(*pieces)
    told = await fetch(tmp_path, lambda _: httpx.Response(200, stream=body), clock=Clock(step=1.0))
    assert told == DownloadFailed("the picture dripped in: 21 bytes in 21 s")
    assert body.closed
    assert files(tmp_path) == []


async def test_a_slow_start_is_forgiven(tmp_path: Path) -> None:
    """Up to twenty seconds nobody is judged, after that the average counts."""
    limits = DownloadLimits(min_bytes_per_second=len(PICTURE) / 40)
    told = await fetch(
        tmp_path,
        lambda _: httpx.Response(200, stream=Body(PICTURE[:1], PICTURE[1:])),
        clock=Clock(step=19.0),
        limits=limits,
    )
    assert isinstance(told, DownloadedImage)


async def test_a_deadline_is_over_everything(tmp_path: Path) -> None:
    """A server that never answers, or never ends."""

    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    client = ImageClient(ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS), transport=httpx.MockTransport(hang))
    shared = Downloads(client, tmp_path, Clock(), LocalDisk(), DownloadLimits(total_seconds=0.01))
    assert await fetch_image(shared, URL, NAME) == DownloadFailed("the picture was not here after 0.01 s")
    assert files(tmp_path) == []


@pytest.mark.parametrize(("some", "parts"), [(PICTURE[:50], 0), (bytes(MOST_IN_MEMORY + 1), 1)])
async def test_a_cancelled_download_leaves_nothing(some: bytes, parts: int, tmp_path: Path) -> None:
    """Ctrl-C is no attempt, and the half of a picture is swept at once. Little of it has no file yet."""
    begun = asyncio.Event()

    class Stuck(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield some
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(fetch(tmp_path, lambda _: httpx.Response(200, stream=Stuck())))
    await begun.wait()
    assert len(files(tmp_path)) == parts
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(tmp_path) == []


# The disk


class Failing(LocalDisk):
    """The k-th call fails, once or for good; `calls` counts what a whole download makes."""

    def __init__(self, at: int | None, number: int = errno.ENOSPC, *, for_good: bool = False) -> None:
        super().__init__()
        self._at = at
        self._number = number
        self._for_good = for_good
        self.calls = 0
        self.open: set[int] = set()

    def _count(self) -> None:
        self.calls += 1
        if self._at is not None and (self.calls == self._at or (self._for_good and self.calls > self._at)):
            raise OSError(self._number, os.strerror(self._number))

    def create(self, path: Path) -> int:
        self._count()
        descriptor = super().create(path)
        self.open.add(descriptor)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        self._count()
        super().write(descriptor, data)

    def finish(self, descriptor: int) -> None:
        self._count()
        super().finish(descriptor)

    def close(self, descriptor: int) -> None:
        super().close(descriptor)
        self.open.remove(descriptor)
        self._count()

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._count()
        super().sync_folder(folder)


def in_pieces(data: bytes) -> Handler:
    """A picture in four pieces."""
    quarter = len(data) // 4 + 1
    pieces = [data[n : n + quarter] for n in range(0, len(data), quarter)]
    return lambda _: httpx.Response(200, stream=Body(*pieces))


@pytest.mark.parametrize("data", [PICTURE, LARGE], ids=["small", "large"])
async def test_a_picture_is_on_the_disk_before_anybody_hears_of_it(data: bytes, tmp_path: Path) -> None:
    """Its bytes, then its name, then the folders that were made for it."""
    steps: list[str] = []

    class Noting(LocalDisk):
        def finish(self, descriptor: int) -> None:
            super().finish(descriptor)
            steps.append("its bytes")

        def replace(self, source: Path, target: Path) -> None:
            super().replace(source, target)
            steps.append("its name")

        def sync_folder(self, folder: Path) -> None:
            steps.append(folder.relative_to(tmp_path).as_posix())

    assert isinstance(await fetch(tmp_path / "out", in_pieces(data), disk=Noting()), DownloadedImage)
    assert steps == ["its bytes", "its name", "out/night/hero", "out/night", "out", "."]


@pytest.mark.parametrize(("data", "calls"), [(PICTURE, 8), (LARGE, 11)])
async def test_the_failing_disk_sees_every_step(data: bytes, calls: int, tmp_path: Path) -> None:
    """Otherwise the next test would prove little."""
    disk = Failing(None)
    assert isinstance(await fetch(tmp_path, in_pieces(data), disk=disk), DownloadedImage)
    assert disk.calls == calls


@pytest.mark.parametrize("data", [PICTURE, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
async def test_a_disk_that_fails_at_any_step_loses_nothing(
    number: int, for_good: bool, data: bytes, tmp_path: Path
) -> None:
    """Fail call 1, 2, 3, ...: always the disk's trouble, nothing half-done under a final name, and once the
    disk works again the picture comes."""
    at = 0
    while True:
        at += 1
        root = tmp_path / str(at)
        root.mkdir()
        disk = Failing(at, number, for_good=for_good)
        told = await fetch(root, in_pieces(data), disk=disk)
        assert disk.open == set()
        if disk.calls < at:
            assert isinstance(told, DownloadedImage)
            break
        assert isinstance(told, DiskTrouble)
        assert told.errno == number
        assert all((root / name).read_bytes() == data for name in files(root))
        again = await fetch(root, in_pieces(data))
        assert isinstance(again, DownloadedImage)
        assert files(root) == ["night/hero/01.png"]
    assert at >= 8


@pytest.mark.parametrize("data", [PICTURE, LARGE], ids=["small", "large"])
async def test_a_link_in_the_output_folder_is_the_disk_s_trouble(data: bytes, tmp_path: Path) -> None:
    """It could lead anywhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "night").symlink_to(tmp_path / "elsewhere")
    told = await fetch(tmp_path / "out", answering(data))
    assert isinstance(told, DiskTrouble)
    assert "symbolic link" in told.reason
    assert files(tmp_path / "elsewhere") == []


class HeldOpen(LocalDisk):
    """Windows, and a viewer that shows the picture for a while."""

    def __init__(self, tries: int) -> None:
        super().__init__()
        self.tries = tries

    def replace(self, source: Path, target: Path) -> None:
        if target.exists() and self.tries:
            self.tries -= 1
            raise PermissionError(errno.EACCES, "in use")
        super().replace(source, target)


@pytest.mark.parametrize(
    ("tries", "name", "pauses"), [(1, "01.png", 1), (RENAME_TRIES - 1, "01.png", 4), (99, "01-2.png", 5)]
)
async def test_a_picture_that_is_being_looked_at_is_waited_for(
    tries: int, name: str, pauses: int, tmp_path: Path
) -> None:
    """Five tries, then another name."""
    first = await fetch(tmp_path, answering())
    assert isinstance(first, DownloadedImage)
    clock = Clock()
    told = await fetch(tmp_path, answering(png(1)), disk=HeldOpen(tries), clock=clock, replaces=first.sha256)
    assert isinstance(told, DownloadedImage)
    assert told.path.name == name
    assert clock.slept == [0.2] * pauses
    assert told.path.read_bytes() == png(1)


async def test_a_part_that_cannot_be_deleted_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep of the next start takes it."""

    def refuse(_path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert isinstance(await fetch(tmp_path, answering(b"<html>")), Broken)


async def test_pictures_are_decoded_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may take a quarter of a gigabyte while it is decoded."""
    at_once: list[int] = []
    decoding = 0

    def counted(path: Path, *, whole: bool, max_pixels: int) -> object:
        nonlocal decoding
        decoding += 1
        at_once.append(decoding)
        try:
            return inspect(path, whole=whole, max_pixels=max_pixels)
        finally:
            decoding -= 1

    monkeypatch.setattr("runner.downloads.download.inspect", counted)
    client = ImageClient(
        ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS), transport=httpx.MockTransport(answering(JPEG))
    )
    shared = Downloads(client, tmp_path, Clock(), LocalDisk())
    await asyncio.gather(*(fetch_image(shared, URL, PurePosixPath(f"n/{n}/01")) for n in range(12)))
    assert len(at_once) == 12
    assert max(at_once) <= 2


def unseen(*_arguments: object, **_more: object) -> object:
    """Stands where nothing is to be decoded."""
    raise AssertionError("it was decoded")


async def test_a_png_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checksums prove it while it arrives, in pieces, packed or not."""
    monkeypatch.setattr("runner.downloads.download.inspect", unseen)
    pieces = [PICTURE[start : start + 7] for start in range(0, len(PICTURE), 7)]
    told = await fetch(tmp_path, streaming(*pieces))
    assert isinstance(told, DownloadedImage)
    assert (told.width, told.height, told.content_type) == (40, 40, "image/png")
    packed = await fetch(tmp_path, streaming(PACKED["gzip"], Content_Encoding="gzip"))
    assert isinstance(packed, DownloadedImage)
    assert packed.sha256 == told.sha256


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iCCP"])
async def test_a_picture_with_a_large_note_comes_home(name: bytes, tmp_path: Path) -> None:
    """Tools write the graph that made it, or a profile: larger than Pillow takes, sound for every viewer."""
    note = b"workflow\0" + (b"x" * 2_000_000 if name == b"tEXt" else b"\0" + zlib.compress(bytes(20_000_000)))
    head, *more = chunks_of(PICTURE)
    data = of_chunks([head, (name, note), *more])
    told = await fetch(tmp_path, answering(data))
    assert isinstance(told, DownloadedImage)
    assert told.path.read_bytes() == data


async def test_a_png_that_breaks_a_rule_is_decoded(tmp_path: Path) -> None:
    """A decoder has the last word: what opens in every viewer is kept, what does not is broken."""
    head, pixels, end = chunks_of(PICTURE)
    unknown = of_chunks([head, (b"NEWS", b""), pixels, end])
    told = await fetch(tmp_path, answering(unknown))
    assert isinstance(told, DownloadedImage)
    short = of_chunks([head, (b"IDAT", pixels[1][:9]), (b"NEWS", b""), end])
    assert isinstance(await fetch(tmp_path, answering(short)), Broken)


async def test_three_threads_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hop costs more than a chunk: one does it all for a small PNG; else one decodes, and one finishes."""
    hops: list[object] = []
    run_sync = to_thread.run_sync

    async def counted(function: Callable[..., object], *arguments: object, **more: Any) -> object:
        hops.append(function)
        return await run_sync(function, *arguments, **more)

    monkeypatch.setattr("runner.downloads.download.to_thread.run_sync", counted)
    for data, many in ((PICTURE, 1), (JPEG, 3), (LARGE, 2)):
        hops.clear()
        pieces = [data[start : start + 1000] for start in range(0, len(data), 1000)]
        assert isinstance(await fetch(tmp_path, streaming(*pieces)), DownloadedImage)
        assert len(hops) == many
