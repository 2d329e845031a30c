"""The calls of one job, as a competent user writes them for threads."""

from pathlib import Path
from typing import Any

import httpx

MODEL = "bytedance/seedream-4-5/text-to-image"
POLL_SECONDS = 0.001
HEADERS = {"Authorization": "Bearer benchmark"}


def body(number: int) -> dict[str, Any]:
    """What row `number` says."""
    return {"prompt": f"Pier number {number} in the fog, long exposure"}


def submit(client: httpx.Client, base: str, number: int) -> str:
    """Submit; the request's id."""
    answer = client.post(f"{base}/models/{MODEL}", json=body(number)).raise_for_status()
    return str(answer.json()["request_id"])


def is_done(client: httpx.Client, base: str, request_id: str) -> bool:
    """Poll once."""
    answer = client.get(f"{base}/requests/{request_id}/status").raise_for_status()
    return bool(answer.json()["status"] == "completed")


def image_url(client: httpx.Client, base: str, request_id: str) -> str:
    """Where the result's picture is."""
    answer = client.get(f"{base}/requests/{request_id}/result").raise_for_status()
    return str(answer.json()["output"]["image"])


def download(client: httpx.Client, url: str, path: Path) -> None:
    """Write the picture to a file, as it comes."""
    with client.stream("GET", url) as answer, path.open("wb") as file:
        answer.raise_for_status()
        for chunk in answer.iter_bytes():
            file.write(chunk)
