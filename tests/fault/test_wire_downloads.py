"""Downloads against bare sockets: the real client, the real disk, a server that misbehaves."""

import asyncio
import hashlib
import io
import ssl
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import trustme
from PIL import Image
from pydantic import SecretStr

from runner.clock import SystemClock
from runner.downloads.disk import LocalDisk
from runner.downloads.download import (
    DownloadedImage,
    DownloadLimits,
    DownloadResult,
    Downloads,
    fetch_image,
)
from runner.downloads.incoming import MOST_IN_MEMORY
from runner.downloads.validate import Broken
from runner.http.api_client import ApiClient
from runner.http.image_client import DownloadFailed, ImageClient, LinkGone
from runner.http.url_policy import Blocked, ImageUrlPolicy
from tests.support.wire import Call, Wire, closed_port, serve

TOKEN = "canary-51c8-SECRET"
NAME = PurePosixPath("night/hero/01")


def jpeg() -> bytes:
    """A picture of some hundred kilobytes."""
    buffer = io.BytesIO()
    noise = bytes(n * n * 7919 % 251 for n in range(300 * 300 * 3))
    Image.frombytes("RGB", (300, 300), noise).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


PICTURE = jpeg()


async def fetch(
    wire: Wire, root: Path, path: str = "/1.jpg", *, base: str = "", **limits: Any
) -> DownloadResult:
    """One download from the API's own origin, which the server plays."""
    policy = ImageUrlPolicy.of(base or wire.base)
    async with ImageClient(policy) as client:
        shared = Downloads(client, root, SystemClock(), LocalDisk(), DownloadLimits(**limits))
        return await fetch_image(shared, f"http://127.0.0.1:{wire.port}{path}", NAME)


def files(root: Path) -> list[str]:
    """Every file below `root`."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


async def test_a_picture_comes_home(tmp_path: Path) -> None:
    """Over real sockets, in many pieces."""

    async def good(call: Call) -> None:
        await call.read()
        await call.answer(PICTURE)

    async with serve(good) as wire:
        told = await fetch(wire, tmp_path)
    assert isinstance(told, DownloadedImage)
    assert told.sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert (told.width, told.height, told.content_type) == (300, 300, "image/jpeg")
    assert told.path == tmp_path / "night" / "hero" / "01.jpg"
    assert files(tmp_path) == ["night/hero/01.jpg"]


async def test_a_signed_address_arrives_as_it_was_given(tmp_path: Path) -> None:
    """A signature covers every character of it."""
    path = "/a%20b/c+d~e/x.jpg?X-Sig=a%2Bb%2Fc%3D&Expires=1&k=%C3%BC&plus=a+b&star=*'()"

    async def good(call: Call) -> None:
        await call.read()
        await call.answer(PICTURE)

    async with serve(good) as wire:
        assert isinstance(await fetch(wire, tmp_path, path), DownloadedImage)
        assert wire.requests[0].split(b" ")[1].decode() == path


async def cut_off(call: Call) -> None:
    """Half of what the header promised."""
    await call.read()
    await call.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE[: len(PICTURE) // 2]
    )


async def cut_off_chunks(call: Call) -> None:
    """A chunk, and no last one."""
    await call.read()
    await call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await call.send(b"%x\r\n%s\r\n" % (len(PICTURE), PICTURE))


async def without_length(call: Call) -> None:
    """Only the closing tells the end, and it comes too early."""
    await call.read()
    await call.send(b"HTTP/1.1 200 OK\r\n\r\n" + PICTURE[:-2])


async def gzipped(call: Call) -> None:
    """A bomb could be inside."""
    await call.read()
    await call.answer(PICTURE, headers="Content-Encoding: gzip\r\n")


async def a_page(call: Call) -> None:
    """A captive portal says 200."""
    await call.read()
    await call.answer(b"<html>Sign in to the hotel</html>", headers="Content-Type: image/jpeg\r\n")


async def huge(call: Call) -> None:
    """More than anybody wants, without saying so first."""
    await call.read()
    await call.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await call.send(b"x" * 65536)


@pytest.mark.parametrize("script", [cut_off, cut_off_chunks, without_length, gzipped, a_page, huge])
async def test_a_broken_picture_is_told_from_a_broken_net(script: Any, tmp_path: Path) -> None:
    """It counts as a try for this picture, and leaves nothing behind."""
    async with serve(script) as wire:
        told = await fetch(wire, tmp_path, max_bytes=1024 * 1024)
    assert isinstance(told, Broken)
    assert files(tmp_path) == []


async def refused(call: Call) -> None:
    """Not even an answer."""
    call.reset()


async def closes(call: Call) -> None:
    """A restart."""
    await call.read()


async def hangs(call: Call) -> None:
    """No answer at all."""
    await call.read()
    await call.hang()


async def stalls(call: Call) -> None:
    """The middle of the picture, and then silence."""
    await call.read()
    await call.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE[:1000])
    await call.hang()


async def not_http(call: Call) -> None:
    """Something else."""
    await call.read()
    await call.send(b"\x00\x01\x02 hello\r\n\r\n")


async def unavailable(call: Call) -> None:
    """For now."""
    await call.read()
    await call.answer(b"", "503 Service Unavailable")


@pytest.mark.parametrize("script", [refused, closes, hangs, stalls, not_http, unavailable])
async def test_a_broken_net_is_trouble(script: Any, tmp_path: Path) -> None:
    """Worth another try, not the picture's fault; silence ends by the time limit on it."""
    async with serve(script) as wire:
        told = await fetch(wire, tmp_path, idle_seconds=0.1)
    assert isinstance(told, DownloadFailed)
    assert files(tmp_path) == []


async def test_a_reset_in_the_middle_is_a_broken_picture(tmp_path: Path) -> None:
    """As little of it is there as after an early end."""
    arrived, told_bytes = asyncio.Event(), MOST_IN_MEMORY + 1  # so many go to the disk as they come

    class Noticing(LocalDisk):
        """Tells when the first bytes are on disk."""

        def write(self, descriptor: int, data: bytes) -> None:
            super().write(descriptor, data)
            arrived.set()

    async def resets(call: Call) -> None:
        await call.read()
        await call.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % told_bytes + PICTURE[:1000])
        await arrived.wait()
        call.reset()

    async with serve(resets) as wire, ImageClient(ImageUrlPolicy.of(wire.base)) as client:
        shared = Downloads(client, tmp_path, SystemClock(), Noticing())
        told = await fetch_image(shared, f"http://127.0.0.1:{wire.port}/1.jpg", NAME)
    assert told == Broken(f"it was cut off before its {told_bytes} bytes were here")
    assert files(tmp_path) == []


@pytest.mark.parametrize("script", [hangs, stalls])
async def test_the_deadline_ends_a_drip(script: Any, tmp_path: Path) -> None:
    """Whatever the silences between two bytes are allowed to be."""
    async with serve(script) as wire:
        told = await fetch(wire, tmp_path, idle_seconds=60, total_seconds=0.1)
    assert told == DownloadFailed("the picture was not here after 0.1 s")
    assert files(tmp_path) == []


async def test_nobody_there_is_trouble(tmp_path: Path) -> None:
    """The emulator is down."""
    told = await fetch(Wire(port=closed_port()), tmp_path)
    assert isinstance(told, DownloadFailed)
    assert "refused" in told.reason


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "410 Gone"])
async def test_a_dead_link_is_gone(status: str, tmp_path: Path) -> None:
    """A fresh one may be had from the API."""

    async def gone(call: Call) -> None:
        await call.read()
        await call.answer(b"<Error>", status)

    async with serve(gone) as wire:
        assert await fetch(wire, tmp_path) == LinkGone(int(status[:3]))


# Where it goes, and what it takes along


async def good(call: Call) -> None:
    """A picture, again and again."""
    while await call.read():
        await call.answer(PICTURE, headers="Set-Cookie: session=1; Path=/\r\n")


@pytest.mark.parametrize(
    "other_host", ["127.0.0.1", "localhost", "127.0.0.2", "[::1]", "0.0.0.0", "2130706433"]
)
async def test_another_port_of_this_machine_is_blocked(other_host: str, tmp_path: Path) -> None:
    """Only the API's own origin may be here: directly and by redirect."""
    async with serve(good) as other:
        target = f"http://{other_host}:{other.port}/secret"

        async def redirects(call: Call) -> None:
            await call.read()
            await call.answer(b"", "302 Found", f"Location: {target}\r\n")

        async with serve(redirects) as wire:
            assert isinstance(await fetch(wire, tmp_path), Blocked)
            assert isinstance(await fetch(other, tmp_path, base=wire.base), Blocked)
            assert wire.connections == 1
        assert other.connections == 0
    assert files(tmp_path) == []


async def test_a_redirect_within_the_origin_is_followed(tmp_path: Path) -> None:
    """The same scheme, host and port."""

    async def moves(call: Call) -> None:
        while request := await call.read():
            if b"/1.jpg" in request:
                await call.answer(b"", "307 Temporary Redirect", "Location: /2\r\n")
            else:
                await call.answer(PICTURE)

    async with serve(moves) as wire:
        assert isinstance(await fetch(wire, tmp_path), DownloadedImage)
        assert [request.split(b" ")[1] for request in wire.requests] == [b"/1.jpg", b"/2"]


async def test_redirects_in_a_circle_end(tmp_path: Path) -> None:
    """After three."""

    async def circles(call: Call) -> None:
        while await call.read():
            await call.answer(b"", "302 Found", "Location: /again\r\n")

    async with serve(circles) as wire:
        assert isinstance(await fetch(wire, tmp_path), Blocked)
        assert len(wire.requests) == 4


async def test_a_picture_s_host_never_sees_the_token(tmp_path: Path) -> None:
    """Not even when it is the API's own host and port, not after the API was called, not by a cookie."""
    async with serve(good) as wire:
        async with ApiClient(wire.base, SecretStr(TOKEN)) as api:
            await api.request("GET", "/models", timeout_seconds=5)
        async with ImageClient(ImageUrlPolicy.of(wire.base)) as client:
            shared = Downloads(client, tmp_path, SystemClock(), LocalDisk())
            for _ in range(2):
                url = f"http://127.0.0.1:{wire.port}/1.jpg"
                assert isinstance(await fetch_image(shared, url, NAME), DownloadedImage)
        first, *others = wire.requests
        assert TOKEN.encode() in first
        assert len(others) == 2
        for request in others:
            assert TOKEN.encode() not in request
            assert not {b"authorization:", b"cookie:", b"referer:"} & {
                line.split(b" ")[0].lower() for line in request.split(b"\r\n")
            }


async def test_a_certificate_that_nobody_vouches_for_is_trouble(tmp_path: Path) -> None:
    """Pictures are not fetched unverified either."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server)
    async with serve(good, tls=server) as wire:
        base = wire.base.replace("http:", "https:")
        async with ImageClient(ImageUrlPolicy.of(base)) as client:
            shared = Downloads(client, tmp_path, SystemClock(), LocalDisk())
            told = await fetch_image(shared, f"https://127.0.0.1:{wire.port}/1.jpg", NAME)
    assert isinstance(told, DownloadFailed)
    assert "certificate" in told.reason
    assert files(tmp_path) == []


async def test_the_emulator_s_pictures_need_no_proxy(tmp_path: Path) -> None:
    """A proxy could not find this machine's loopback."""
    async with serve(good) as wire:
        proxy = f"http://127.0.0.1:{closed_port()}"
        async with ImageClient(ImageUrlPolicy.of(wire.base), proxy=proxy) as client:
            shared = Downloads(client, tmp_path, SystemClock(), LocalDisk())
            url = f"http://127.0.0.1:{wire.port}/1.jpg"
            assert isinstance(await fetch_image(shared, url, NAME), DownloadedImage)


async def test_behind_a_proxy_the_list_of_hosts_still_holds(tmp_path: Path) -> None:
    """The proxy resolves the names, so only they can be checked."""

    async def refuses(call: Call) -> None:
        await call.read()
        await call.answer(b"", "403 Forbidden")

    async with serve(refuses) as wire:
        policy = ImageUrlPolicy.of("https://model-api.runcomfy.net/v1", [".runcomfy.net"])
        async with ImageClient(policy, proxy=f"http://127.0.0.1:{wire.port}") as client:
            shared = Downloads(client, tmp_path, SystemClock(), LocalDisk())
            told = await fetch_image(shared, "https://x.runcomfy.net/1.jpg", NAME)
            assert isinstance(told, DownloadFailed)
            assert "proxy" in told.reason
            assert isinstance(await fetch_image(shared, "https://evil.example/1.jpg", NAME), Blocked)
        assert [request.split(b"\r\n")[0] for request in wire.requests] == [
            b"CONNECT x.runcomfy.net:443 HTTP/1.1"
        ]
