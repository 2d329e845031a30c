"""Reads a local image again before it is sent: it must be unchanged since it was planned."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISREG

from jobs.views import ReferenceView

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def read_again(places: Sequence[ReferenceView]) -> bytes | str:
    """The bytes from the first place that still has them, or a sentence why none has. Blocks."""
    why = "A picture of this computer that it names is not known to this database any more."
    for place in places:
        try:
            data = _read(place)
        except OSError as error:
            why = f"{place.path} cannot be read any more ({error.strerror or 'it is no file'})."
            continue
        if data is not None:
            return data
        why = f"{place.path} has changed since its sheet was loaded."
    return why


def _read(place: ReferenceView) -> bytes | None:
    """None if the file has changed. A longer file is not read to its end. Raises OSError."""
    descriptor = os.open(Path(place.path), _OPEN)
    with os.fdopen(descriptor, "rb") as file:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no file")
        data = file.read(place.bytes + 1)
    return data if hashlib.sha256(data).hexdigest() == place.sha256 else None
