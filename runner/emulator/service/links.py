"""Links to images: opaque, signed and expiring, like a storage's pre-signed URLs.

A link contains what it refers to, so that it still works after the emulator was killed and restarted.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass

_FIELDS = struct.Struct(">IHd")
_SIGNATURE_BYTES = 24


@dataclass(frozen=True, slots=True)
class Link:
    """Image `index` (from 0) of request `ordinal`, until `expires` (seconds since the epoch)."""

    ordinal: int
    index: int
    expires: float


def mint(link: Link, nonce: str) -> str:
    """The URL segment for `link`; only an emulator with this `nonce` can read it."""
    packed = _FIELDS.pack(link.ordinal, link.index, link.expires)
    return base64.urlsafe_b64encode(_sign(packed, nonce) + packed).decode().rstrip("=")


def read(segment: str, nonce: str) -> Link | None:
    """The link in `segment`; None if it was not minted here."""
    try:
        data = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    signature, packed = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
    if len(packed) != _FIELDS.size or not hmac.compare_digest(signature, _sign(packed, nonce)):
        return None
    return Link(*_FIELDS.unpack(packed))


def _sign(packed: bytes, nonce: str) -> bytes:
    return hashlib.blake2b(packed, key=nonce.encode()[:64], digest_size=_SIGNATURE_BYTES).digest()
