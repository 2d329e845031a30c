"""Reads a local image again before it is sent: it must be unchanged since it was planned."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from jobs.disk.named_file import open_regular
from jobs.views import ReferenceView


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
    """None where it is not the same any more. A longer file is not read to its end."""
    with open_regular(Path(place.path)) as file:
        data = file.read(place.bytes + 1)
    return data if hashlib.sha256(data).hexdigest() == place.sha256 else None
