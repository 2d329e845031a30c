"""Links to images: signed and expiring, and of the form that the API's own have.

`{base64}/{base64}/output/{21 characters}_output.{ending}`, the padding of the base64 as `%3D`. The API packs
the account and a time into the first two. Here the first is what the link refers to, so that it still works
after the emulator was killed and restarted.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import zlib
from dataclasses import dataclass
from urllib.parse import quote

_FIELDS = struct.Struct(">IHd")
_SIGNATURE_BYTES = 24
_NAME_LETTERS = 21


@dataclass(frozen=True, slots=True)
class Link:
    """Image `index` (from 0) of request `ordinal`, until `expires` (seconds since the epoch)."""

    ordinal: int
    index: int
    expires: float


def mint(link: Link, nonce: str, made_at: str, ending: str) -> str:
    """The end of the URL for `link`; only an emulator with this `nonce` can read it."""
    packed = _FIELDS.pack(link.ordinal, link.index, link.expires)
    signature = _sign(packed, nonce)
    name = _text(_sign(_FIELDS.pack(link.ordinal, link.index, 0.0), nonce))[:_NAME_LETTERS]
    time = _text(zlib.compress(made_at.encode(), 9))
    return f"{quote(_text(signature + packed))}/{quote(time)}/output/{name}_output.{ending}"


def read(path: str, nonce: str) -> Link | None:
    """The link in a decoded path, of which the first part counts; None if it was not minted here."""
    first = path.partition("/")[0].rstrip("=")
    try:
        data = base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    signature, packed = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
    if len(packed) != _FIELDS.size or not hmac.compare_digest(signature, _sign(packed, nonce)):
        return None
    return Link(*_FIELDS.unpack(packed))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _sign(packed: bytes, nonce: str) -> bytes:
    return hashlib.blake2b(packed, key=nonce.encode()[:64], digest_size=_SIGNATURE_BYTES).digest()
