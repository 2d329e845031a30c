"""The same with huey: a queue in SQLite that is synced, a thread and a client for each job at once.

`python -m benchmarks.peers.huey_queue BASE FOLDER JOBS CONCURRENCY POLL_SECONDS`

A task is the whole job. Killed in the middle, its task is gone: huey acknowledges before it works.
"""

import logging
import sys
import threading
import time
from pathlib import Path

import httpx
from huey import SqliteHuey

from benchmarks.peers import calls


def main(base: str, folder: Path, jobs: int, concurrency: int, poll: float) -> None:
    """Put all jobs into the queue, then work through it."""
    logging.disable(logging.WARNING)
    huey = SqliteHuey(filename=str(folder / "huey.db"), fsync=True)
    own = threading.local()
    left = threading.Semaphore(0)

    @huey.task()
    def job(number: int) -> None:
        if not hasattr(own, "client"):
            own.client = httpx.Client(headers=calls.HEADERS, timeout=60)
        request_id = calls.submit(own.client, base, number)
        while not calls.is_done(own.client, base, request_id):
            time.sleep(poll)
        url = calls.image_url(own.client, base, request_id)
        calls.download(own.client, url, folder / f"{number}.png")
        left.release()

    for number in range(jobs):
        job(number)
    consumer = huey.create_consumer(
        workers=concurrency, periodic=False, initial_delay=0.01, max_delay=0.05, check_worker_health=False
    )
    consumer.start()
    for _ in range(jobs):
        left.acquire()
    consumer.stop(graceful=True)


if __name__ == "__main__":
    base, folder, jobs, concurrency, poll = sys.argv[1:]
    main(base, Path(folder), int(jobs), int(concurrency), float(poll))
