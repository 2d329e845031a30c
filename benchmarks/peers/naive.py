"""The script that a competent user writes: gather, a semaphore, one client, files. It remembers nothing.

`python -m benchmarks.peers.naive BASE FOLDER JOBS CONCURRENCY POLL_SECONDS`
"""

import asyncio
import sys
from pathlib import Path

import httpx

from benchmarks.peers.calls import HEADERS, MODEL, body


async def _job(
    client: httpx.AsyncClient, gate: asyncio.Semaphore, base: str, folder: Path, number: int, poll: float
) -> None:
    async with gate:
        answer = await client.post(f"{base}/models/{MODEL}", json=body(number))
        request_id = answer.raise_for_status().json()["request_id"]
        while True:
            answer = await client.get(f"{base}/requests/{request_id}/status")
            if answer.raise_for_status().json()["status"] == "completed":
                break
            await asyncio.sleep(poll)
        answer = await client.get(f"{base}/requests/{request_id}/result")
        url = answer.raise_for_status().json()["output"]["image"]
        async with client.stream("GET", url) as picture:
            picture.raise_for_status()
            with (folder / f"{number}.png").open("wb") as file:
                async for chunk in picture.aiter_bytes():
                    file.write(chunk)


async def _all(base: str, folder: Path, jobs: int, concurrency: int, poll: float) -> None:
    gate = asyncio.Semaphore(concurrency)
    async with httpx.AsyncClient(headers=HEADERS, timeout=60) as client:
        await asyncio.gather(*(_job(client, gate, base, folder, number, poll) for number in range(jobs)))


if __name__ == "__main__":
    base, folder, jobs, concurrency, poll = sys.argv[1:]
    asyncio.run(_all(base, Path(folder), int(jobs), int(concurrency), float(poll)))
