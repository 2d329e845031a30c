"""A data set as WebDataset: tar files, in which an image and what is known of it share a name."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jobs.datasets.columns import as_json

SHARD_IMAGES = 10_000
SHARD_BYTES = 1_000_000_000
_NOT_WRITABLE_BY_OTHERS = 0o644


class Shards:
    """Numbered tar files in a folder. Everything here blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shard: tarfile.TarFile | None = None
        self._shards = 0
        self._images = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._shard is not None:
            self._shard.close()

    def add(self, key: str, suffix: str, data: bytes, values: Mapping[str, Any]) -> None:
        """One sample. Readers take all behind the first dot of a name for its part, so `key` has none."""
        parts = {
            suffix: data,
            ".json": as_json(values),
            ".txt": str(values.get("prompt") or "").encode(),
        }
        shard = self._with_room_for(sum(map(len, parts.values())))
        for ending, part in parts.items():
            entry = tarfile.TarInfo(key + ending)
            entry.size, entry.mode = len(part), _NOT_WRITABLE_BY_OTHERS
            shard.addfile(entry, io.BytesIO(part))
        self._images += 1

    def _with_room_for(self, size: int) -> tarfile.TarFile:
        shard = self._shard
        is_full = self._images >= SHARD_IMAGES or (shard is not None and shard.offset + size > SHARD_BYTES)
        if shard is not None and not (is_full and self._images):
            return shard
        if shard is not None:
            shard.close()
        path = self._folder / f"{self._shards:06d}.tar"
        shard = tarfile.open(path, "x", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - closed when it is full
        self._shard = shard
        self._shards, self._images = self._shards + 1, 0
        return shard
