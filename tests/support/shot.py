"""Jobs with pictures that lie in an output folder."""

import hashlib
from pathlib import Path
from typing import Any

from jobs.disk.paths import folder_name
from jobs.outcomes import Accepted, Fetched, RemoteDone
from jobs.store.store import Store
from jobs.views import ArtifactView
from tests.support.served_page import png
from tests.support.tables import NIGHT, claimed


async def shoot(
    store: Store, root: Path, key: str, *images: bytes, warnings: tuple[str, ...] = (), **changes: Any
) -> list[ArtifactView]:
    """Let a queued job of the batch last run succeed with these pictures, one if none is given."""
    view = await store.batches.named(None)
    await store.batches.agree(view.id)
    job = await store.jobs.by_key(view.id, key)
    assert job is not None
    claim = await store.jobs.claim(claimed(job.id))
    assert claim is not None
    assert await store.jobs.apply(Accepted(job.id, f"req-{folder_name(key)}", NIGHT))
    assert await store.jobs.apply(RemoteDone(job.id, ("https://pictures.example/1.png",), None))
    attempt = (await store.ledger.attempts(view.id))[-1]
    made = [
        _kept(root / view.name / folder_name(key), n, data, changes)
        for n, data in enumerate(images or (png(),), 1)
    ]
    for image in made:
        await store.ledger.record_image(job.id, attempt.id, image)
    assert await store.jobs.apply(Fetched(job.id, warnings, NIGHT))
    return made


def _kept(folder: Path, number: int, data: bytes, changes: dict[str, Any]) -> ArtifactView:
    path = folder / f"{number:02d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    told: dict[str, Any] = {
        "path": str(path),
        "url": "https://pictures.example/1.png",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "width": 600,
        "height": 300,
        "content_type": "image/png",
    }
    return ArtifactView(number=number, **(told | changes))
