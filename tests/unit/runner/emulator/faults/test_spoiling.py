"""What faults make of bytes."""

import gzip
import io
from typing import Any

import pytest
from PIL import Image

from runner.emulator.faults.faults import Fault
from runner.emulator.faults.spoiling import Content, kept, spoil

WHOLE = Content(b"0123456789", "image/jpeg")


def _spoilt(kind: str, *, picture: bool = True, endpoint: str = "media", **fields: Any) -> Content:
    fault = Fault.model_validate({"endpoint": endpoint, "kind": kind} | fields)
    return spoil(WHOLE, fault, picture=picture)


def test_nothing_spoils_nothing() -> None:
    """Nor does a fault that is not about bytes, or about pictures when there is none."""
    assert spoil(WHOLE, None, picture=True) == WHOLE
    assert _spoilt("drip") == WHOLE
    assert _spoilt("wrong_bytes", picture=False) == WHOLE
    assert _spoilt("word", endpoint="status", picture=False) == WHOLE


def test_a_cut_body_is_never_whole() -> None:
    """Half of it, or as many bytes as are said."""
    assert _spoilt("cut").data == b"01234"
    assert _spoilt("cut", count=3, picture=False).data == b"012"
    assert _spoilt("cut", count=99).data == b"012345678"
    assert kept(b"", Fault.model_validate({"endpoint": "media", "kind": "cut"})) == 0


def test_noise_and_wrong_types() -> None:
    """The type lies, or the bytes do."""
    assert len(_spoilt("wrong_bytes").data) == 4096
    assert _spoilt("wrong_bytes").content_type == "image/jpeg"
    assert _spoilt("wrong_type") == Content(WHOLE.data, "application/octet-stream")


def test_gzip_and_its_bomb() -> None:
    """A bomb is small until it is opened."""
    packed = _spoilt("gzip")
    assert (packed.encoding, gzip.decompress(packed.data)) == ("gzip", WHOLE.data)
    bomb = _spoilt("gzip", count=3_000_000)
    assert len(bomb.data) < 10_000
    assert gzip.decompress(bomb.data) == bytes(3_000_000)


def test_a_pixel_bomb() -> None:
    """Pillow refuses it from its header alone."""
    bomb = _spoilt("bomb")
    assert bomb.content_type == "image/png"
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(bomb.data))
