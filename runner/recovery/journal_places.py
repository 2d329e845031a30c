"""Where journals lie: beside the database, and copies of them in the user's state folder.

Each file belongs to one run, which alone writes to it; later runs read it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView
    from runner.settings import Settings

SUFFIX = ".journal"
KEPT_FOR = timedelta(days=90)

_NAME = re.compile(r"(\d{8}T\d{6})Z-[0-9a-f]{8}\.journal")
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of a database's journals."""

    beside: Path
    """Beside the database: `NAME.journal`."""
    copies: Path | None
    """`STATE/nightsheet/ORIGIN/DATABASE-UID`; None for a rehearsal, which keeps no copy."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Both, the one beside the database first."""
        return (self.beside,) if self.copies is None else (self.beside, self.copies)


def beside(database: Path) -> Path:
    """The folder of journals beside a database."""
    return database.with_name(f"{database.name}{SUFFIX}")


async def places_of(store: "Store", batch: "BatchView", settings: "Settings", state: Path) -> Places:
    """Where the journals of a database lie; `state` is the user's state folder for Nightsheet.

    A rehearsal keeps none there: it pays nothing.
    """
    path = store.database.path
    if settings.emulator:
        return Places(beside(path), None)
    of_origin = folder_of(state, batch.origin)
    return Places(beside(path), of_origin / await store.witness.database_uid())


def folder_of(state: Path, origin: str) -> Path:
    """The folder of all databases that hold batches of an API."""
    return state / _UNSAFE.sub("_", origin.removeprefix("https://"))


def new_name(places: Places, begun_at: datetime, rng: Random) -> str:
    """A name that no other run has: by its time, and by chance."""
    taken = {path.name for folder in places.folders for path in journals_in(folder)}
    while (name := f"{begun_at:%Y%m%dT%H%M%SZ}-{rng.getrandbits(32):08x}{SUFFIX}") in taken:
        pass
    return name


def journals_in(folder: Path) -> list[Path]:
    """The journals in a folder, oldest first; none where there is no such folder."""
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    return []


def is_old(path: Path, now: datetime) -> bool:
    """Whether a journal is older than it has to be kept."""
    named = _NAME.fullmatch(path.name)
    return named is not None and datetime.fromisoformat(f"{named[1]}+00:00") < now - KEPT_FOR


def databases_in(folder: Path, *, but: str | None = None) -> Iterator[Path]:
    """The folders of all databases in the state folder of one API, `but` for the one with this uid.

    Before each submit it is looked for others, of which there are few: so nothing is made of their own.
    """
    others: list[os.DirEntry[str]] = []
    with suppress(OSError), os.scandir(folder) as entries:
        others += (entry for entry in entries if entry.name != but and entry.is_dir(follow_symlinks=False))
    yield from (Path(entry.path) for entry in sorted(others, key=lambda one: one.name))
