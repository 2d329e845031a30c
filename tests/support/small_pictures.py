"""Small reference pictures for tests, written where a test wants them."""

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image


@cache
def picture(
    form: str = "PNG", size: tuple[int, int] = (64, 48), colour: str = "teal", mode: str = "RGB"
) -> bytes:
    """A picture of one colour."""
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, form)
    return buffer.getvalue()


def put(path: Path, data: bytes | None = None, **more: Any) -> str:
    """Write a picture, its folders with it; returns its SHA-256 in hex."""
    data = picture(**more) if data is None else data
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()
