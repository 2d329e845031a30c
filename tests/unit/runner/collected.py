"""Jobs whose pictures are ready, and a net that has odd answers for some of them."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from jobs.outcomes import RemoteDone
from jobs.views import ArtifactView, OpenJob
from tests.support.world import World, at_the_api, pictures

HOST = "https://pictures.runcomfy.net"
URLS = (f"{HOST}/1.png", f"{HOST}/2.png", f"{HOST}/3.png")


class Net:
    """Pictures for all addresses but those that `odd` answers."""

    def __init__(self, **odd: httpx.Response | Exception | list[httpx.Response | Exception]) -> None:
        self.odd = {name.removeprefix("p"): answer for name, answer in odd.items()}
        self.asked: Counter[str] = Counter()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.strip("/").removesuffix(".png")
        self.asked[name] += 1
        answer = self.odd.get(name)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else None
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            return pictures(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@asynccontextmanager
async def done(
    folder: Path, net: Net, urls: tuple[str, ...] = URLS, **more: Any
) -> AsyncIterator[tuple[World, OpenJob]]:
    """A job whose pictures are ready."""
    async with at_the_api(folder, net=net, **more) as (w, job):
        assert await w.store.jobs.apply(RemoteDone(job.id, urls, None))
        yield w, await w.running()


def on_disk(image: ArtifactView) -> bytes:
    return Path(image.path).read_bytes()


def edit(image: ArtifactView, data: bytes | None) -> None:
    """What a person does to a picture; None deletes it."""
    path = Path(image.path)
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
