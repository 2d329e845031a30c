"""The same with DBOS: a durable workflow of four steps a job, in its queue, over SQLite.

`python -m benchmarks.peers.dbos_flow BASE FOLDER JOBS CONCURRENCY POLL_SECONDS`

Killed in the middle, a workflow goes on behind its last step. Its queue is looked into every 50 ms, where
its default is a second.
"""

import asyncio
import logging
import sys
from pathlib import Path

import httpx
from dbos import DBOS, DBOSConfig

from benchmarks.peers.calls import HEADERS, MODEL, body

QUEUE_SECONDS = 0.05


async def main(base: str, folder: Path, jobs: int, concurrency: int, poll: float) -> None:
    """Put all jobs into the queue, and wait for them."""
    logging.disable(logging.WARNING)
    config: DBOSConfig = {
        "name": "benchmark",
        "system_database_url": f"sqlite:///{folder / 'dbos.sqlite'}",
        "run_migrations": True,
        "log_level": "ERROR",
    }
    DBOS(config=config)
    client = httpx.AsyncClient(headers=HEADERS, timeout=60)

    @DBOS.step()
    async def submitted(number: int) -> str:
        answer = await client.post(f"{base}/models/{MODEL}", json=body(number))
        return str(answer.raise_for_status().json()["request_id"])

    @DBOS.step()
    async def polled(request_id: str) -> None:
        while True:
            answer = await client.get(f"{base}/requests/{request_id}/status")
            if answer.raise_for_status().json()["status"] == "completed":
                return
            await asyncio.sleep(poll)

    @DBOS.step()
    async def image_url(request_id: str) -> str:
        answer = await client.get(f"{base}/requests/{request_id}/result")
        return str(answer.raise_for_status().json()["output"]["image"])

    @DBOS.step()
    async def fetched(url: str, number: int) -> None:
        async with client.stream("GET", url) as picture:
            picture.raise_for_status()
            with (folder / f"{number}.png").open("wb") as file:
                async for chunk in picture.aiter_bytes():
                    file.write(chunk)

    @DBOS.workflow()
    async def job(number: int) -> None:
        request_id = await submitted(number)
        await polled(request_id)
        await fetched(await image_url(request_id), number)

    DBOS.launch()
    queue = await DBOS.register_queue_async(
        "jobs", worker_concurrency=concurrency, polling_interval_sec=QUEUE_SECONDS
    )
    handles = [await queue.enqueue_async(job, number) for number in range(jobs)]
    for handle in handles:
        await handle.get_result()
    await client.aclose()
    DBOS.destroy()


if __name__ == "__main__":
    base, folder, jobs, concurrency, poll = sys.argv[1:]
    asyncio.run(main(base, Path(folder), int(jobs), int(concurrency), float(poll)))
