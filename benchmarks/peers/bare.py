"""The same calls over bare aiohttp: what no program over this HTTP library can beat. It remembers nothing.

`python -m benchmarks.peers.bare BASE FOLDER JOBS CONCURRENCY POLL_SECONDS`

One picture is written by one call once it is there; no answer is checked but for its status.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from benchmarks.peers.calls import HEADERS, MODEL, body


async def _work(
    session: aiohttp.ClientSession, numbers: Iterator[int], base: str, folder: Path, poll: float
) -> None:
    for number in numbers:
        async with session.post(f"{base}/models/{MODEL}", json=body(number)) as answer:
            request_id = (await answer.json())["request_id"]
        while True:
            async with session.get(f"{base}/requests/{request_id}/status") as answer:
                if (await answer.json())["status"] == "completed":
                    break
            await asyncio.sleep(poll)
        async with session.get(f"{base}/requests/{request_id}/result") as answer:
            url = (await answer.json())["output"]["image"]
        async with session.get(url) as picture:
            (folder / f"{number}.png").write_bytes(await picture.read())


async def _all(base: str, folder: Path, jobs: int, concurrency: int, poll: float) -> None:
    numbers = iter(range(jobs))
    connector = aiohttp.TCPConnector(limit=concurrency)
    timeout = aiohttp.ClientTimeout(total=60)
    async with (
        aiohttp.ClientSession(
            headers=HEADERS, connector=connector, timeout=timeout, raise_for_status=True
        ) as session,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(concurrency):
            tasks.create_task(_work(session, numbers, base, folder, poll))


if __name__ == "__main__":
    base, folder, jobs, concurrency, poll = sys.argv[1:]
    asyncio.run(_all(base, Path(folder), int(jobs), int(concurrency), float(poll)))
