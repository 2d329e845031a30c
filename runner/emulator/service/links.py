"""Picture links: opaque, signed and running out, as a storage's pre-signed addresses are.

A link carries what it stands for, so that one handed out before a kill still works after it.
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
    """Picture `index` (from 0) of request `ordinal`, until `expires` (seconds since the epoch)."""

    ordinal: int
    index: int
    expires: float


def mint(link: Link, nonce: str) -> str:
    """The address segment for `link`; only an emulator with this `nonce` reads it."""
    packed = _FIELDS.pack(link.ordinal, link.index, link.expires)
    return base64.urlsafe_b64encode(_sign(packed, nonce) + packed).decode().rstrip("=")


def read(segment: str, nonce: str) -> Link | None:
    """What `segment` stands for; None when it was not minted here."""
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
