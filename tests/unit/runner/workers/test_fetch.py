"""Bringing pictures home: what each trouble is worth, and what is said of it in the end."""

import hashlib
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from jobs.failures import FailureKind
from jobs.outcomes import RemoteDone
from jobs.states import JobState
from runner.workers.fetch import BROKEN_TRIES, SERVER_TRIES, fetch_images
from tests.support.virtual_time import virtual
from tests.support.world import World, leftovers, png
from tests.unit.runner.collected import URLS, Net, done, on_disk


async def the_failure(w: World) -> tuple[FailureKind, str]:
    job = await w.job()
    assert job.state is JobState.FAILED
    assert job.failure is not None
    return job.failure.kind, job.failure.message


@virtual
async def test_pictures_come_home_whole_and_in_order(tmp_path: Path) -> None:
    """Under their final names, with what the manifest says of them."""
    async with done(tmp_path, Net()) as (w, job):
        assert await fetch_images(w.run, job, refreshed=False) is None
        found = await w.job()
        assert (found.state, [image.number for image in found.images]) == (JobState.SUCCEEDED, [1, 2, 3])
        for image, url in zip(found.images, URLS, strict=True):
            data = on_disk(image)
            assert (image.url, image.bytes, image.sha256) == (
                url,
                len(data),
                hashlib.sha256(data).hexdigest(),
            )
            assert (image.width, image.height, image.content_type) == (8, 8, "image/png")
        assert len({image.path for image in found.images}) == 3
        assert (w.run.tally.images, w.run.tally.ended) == (3, 1)
        assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("urls", "warning"),
    [
        (URLS[:1], None),
        (URLS, "3 pictures came, 1 were asked for."),
    ],
)
def test_another_number_than_asked_for_is_a_warning(
    tmp_path: Path, urls: tuple[str, ...], warning: str | None
) -> None:
    """More are kept as well."""

    @virtual
    async def test() -> None:
        async with done(tmp_path, Net(), urls) as (w, job):
            await fetch_images(w.run, job, refreshed=False)
            found = await w.job()
            assert (found.state, len(found.images)) == (JobState.SUCCEEDED, len(urls))
            assert list(found.warnings) == ([] if warning is None else [warning])
            assert await w.store.jobs.warned(w.run.batch.id) == (warning is not None)

    test()


@virtual
async def test_fewer_pictures_are_a_success_with_a_warning(tmp_path: Path) -> None:
    """Said once, however often it is fetched."""
    async with done(tmp_path, Net(), URLS[:2]) as (w, job):
        asked = replace(job, pictures=4, warnings=("2 of 4 pictures came.", "another"))
        await fetch_images(w.run, asked, refreshed=False)
        assert (await w.job()).warnings == ("another", "2 of 4 pictures came.")


@virtual
async def test_no_picture_at_all(tmp_path: Path) -> None:
    """A run that was done, and had nothing."""
    async with done(tmp_path, Net(), ()) as (w, job):
        await fetch_images(w.run, job, refreshed=False)
        assert await the_failure(w) == (FailureKind.NO_IMAGES, "The API was done, and had no picture.")


@pytest.mark.parametrize(
    "broken",
    [
        httpx.Response(200, content=b"noise" * 100),
        httpx.Response(200, content=png()[:50]),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"<html></html>", headers={"content-type": "image/png"}),
        httpx.Response(200, content=png(), headers={"content-length": "9"}),
    ],
)
def test_a_broken_picture_is_tried_four_times(tmp_path: Path, broken: httpx.Response) -> None:
    """Then said; what came of the others is kept."""

    @virtual
    async def test() -> None:
        net = Net(p2=broken)
        async with done(tmp_path, net) as (w, job):
            await fetch_images(w.run, job, refreshed=False)
            kind, message = await the_failure(w)
            assert (kind, message.startswith("Picture 2 did not come whole: ")) == (
                FailureKind.BAD_PICTURE,
                True,
            )
            assert net.asked == {"1": 1, "2": BROKEN_TRIES, "3": 1}
            assert BROKEN_TRIES >= 4
            assert [image.number for image in (await w.job()).images] == [1, 3]
            assert "`nightsheet retry` fetches it again, which is free." in w.notices[-1]

    test()


@virtual
async def test_a_picture_that_is_whole_the_second_time(tmp_path: Path) -> None:
    """With a wait in between."""
    net = Net(p1=[httpx.Response(200, content=b"noise"), httpx.Response(503)])
    async with done(tmp_path, net, URLS[:1]) as (w, job):
        await fetch_images(w.run, job, refreshed=False)
        assert (await w.job()).state is JobState.SUCCEEDED
        assert net.asked == {"1": 3}
        assert w.clock.monotonic() > 1


@virtual
async def test_a_server_that_fails_for_one_picture_alone(tmp_path: Path) -> None:
    """More patience than with a broken one; the API is there, so it is this picture's own trouble."""
    net = Net(p2=httpx.Response(500))
    async with done(tmp_path, net) as (w, job):
        again = await fetch_images(w.run, job, refreshed=False)
        assert again is not None  # another link may lead to another server
        assert net.asked["2"] == SERVER_TRIES
        assert await w.store.jobs.apply(RemoteDone(job.id, URLS, None))
        assert await fetch_images(w.run, await w.running(), refreshed=True) is None
        assert (await the_failure(w))[0] is FailureKind.BAD_PICTURE
        assert net.asked["2"] == 2 * SERVER_TRIES
        assert w.stops == []


@pytest.mark.parametrize("status", [403, 404, 410])
def test_dead_links_are_asked_for_anew_once(tmp_path: Path, status: int) -> None:
    """Back to the API for fresh ones; never to a second paid submit."""

    @virtual
    async def test() -> None:
        net = Net(p2=httpx.Response(status))
        async with done(tmp_path, net) as (w, job):
            again = await fetch_images(w.run, job, refreshed=False)
            assert again is not None
            assert (again.state, again.urls, again.request_id) == (JobState.RUNNING, None, "req-1")
            assert net.asked == {"1": 1, "2": 1}
            assert await w.store.jobs.apply(RemoteDone(job.id, URLS, None))
            assert await fetch_images(w.run, await w.running(), refreshed=True) is None
            kind, message = await the_failure(w)
            assert kind is FailureKind.EXPIRED
            assert f"pictures.runcomfy.net (HTTP {status}), with fresh links as well" in message
            # Fresh ones may lag a little behind: they get as many tries as a broken picture.
            assert net.asked == {"1": 1, "2": 1 + BROKEN_TRIES, "3": 1}
            assert [image.number for image in (await w.job()).images] == [1, 3]

    test()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://example.com/a.png",
        "file:///etc/passwd",
        "odd",
        "https://127.0.0.1/a",
    ],
)
def test_an_address_that_is_not_allowed_is_not_asked(tmp_path: Path, url: str) -> None:
    """At once, and the other pictures come."""

    @virtual
    async def test() -> None:
        net = Net()
        async with done(tmp_path, net, (url, URLS[1])) as (w, job):
            await fetch_images(w.run, job, refreshed=True)
            kind, message = await the_failure(w)
            assert kind is FailureKind.BLOCKED
            assert message.startswith("Picture 1 is not fetched: ")
            assert net.asked == {"2": 1}

    test()


@virtual
async def test_a_redirect_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """Whoever answers for an allowed host."""
    net = Net(p1=httpx.Response(302, headers={"location": "http://169.254.169.254/"}))
    async with done(tmp_path, net, URLS[:1]) as (w, job):
        await fetch_images(w.run, job, refreshed=True)
        assert (await the_failure(w))[0] is FailureKind.BLOCKED


async def test_a_link_that_is_not_allowed_is_asked_for_anew(tmp_path: Path) -> None:
    """Once: a stand-in that is started again offers its pictures on another port."""
    net = Net()
    async with done(tmp_path, net, ("http://127.0.0.1:9/a",)) as (w, job):
        await fetch_images(w.run, job, refreshed=False)
        assert (await w.job()).state is JobState.RUNNING
        assert not net.asked
