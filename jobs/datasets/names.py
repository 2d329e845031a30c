"""A name for an image outside of the output folder, which no other image of the batch has."""

import hashlib
import re
import unicodedata

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_HASHED = re.compile(r".*-[0-9a-f]{16}")
_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH = 40


def image_name(key: str, number: int) -> str:
    """`fox-01` for the first image of the job `fox`; without a dot, and safe on every system.

    A key that is not plain gives a slug and a hash. The number is behind the last hyphen, and no plain key
    looks hashed: so two images of a batch never share a name, not even where case is ignored.
    """
    is_plain = _PLAIN.fullmatch(key) and not _HASHED.fullmatch(key)
    return f"{key if is_plain else _hashed(key)}-{number:02d}"


def _hashed(key: str) -> str:
    folded = unicodedata.normalize("NFKD", key.casefold()).encode("ascii", "ignore").decode("ascii")
    slug = _NOT_IN_A_SLUG.sub("-", folded)[:_SLUG_LENGTH].strip("-")
    # A sheet may hold half a surrogate pair, which has no encoding in UTF-8.
    told = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{slug or 'job'}-{told}"
