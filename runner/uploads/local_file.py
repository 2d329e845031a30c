"""A picture of this computer read again before it is sent: it must be what it was when it was planned."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISREG

from jobs.views import ReferenceView

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def read_again(places: Sequence[ReferenceView]) -> bytes | str:
    """The bytes from the first place that has them still, or why there is none, as a sentence. Blocks."""
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
    """None where it is not the same any more. A longer file is not read to its end."""
    descriptor = os.open(Path(place.path), _OPEN)
    with os.fdopen(descriptor, "rb") as file:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no file")
        data = file.read(place.bytes + 1)
    return data if hashlib.sha256(data).hexdigest() == place.sha256 else None
