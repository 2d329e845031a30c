"""Links to a page that is being served, printed by another process of the same user.

Both meet in a folder which that user alone can read and write. A page notes there where it listens, as long
as it holds a lock beside the note; who wants a link lays its hash there, and the page takes it once. So no
secret that is good for longer lies anywhere, and no request gives a link.
"""

import hashlib
import json
import os
import secrets
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from runner.clock import Clock
from runner.page.access.session import LINK_SECONDS, new_secret

_FOLDER = "pages"
_NOTE, _LOCK, _LINK = ".page", ".lock", ".link"


@dataclass(frozen=True, slots=True)
class PageNote:
    """A page that is being served."""

    token: str
    """Its files' names begin with it. It opens nothing."""
    database: str
    host: str
    pid: int
    port: int


@contextmanager
def announced(state: Path | None, database: Path, port: int, clock: Clock) -> Iterator[Callable[[str], bool]]:
    """Note a page for the length of the block; yield what asks whether a link was laid for it, and takes it.

    Without a private folder no link is ever laid, and the page does without. Blocks.
    """
    token = secrets.token_hex(8)
    note = PageNote(token, _known(database), socket.gethostname(), os.getpid(), port)
    with ExitStack() as stack:
        folder = None
        with suppress(
            OSError, NotImplementedError
        ):  # a disk that is full or read only, a system without locks
            folder = _private_folder(state, make=True)
            if folder is not None:
                stack.callback(_remove, folder, token, _LOCK)
                stack.enter_context(_lock(folder, token).acquire(timeout=0))
                stack.callback(_remove, folder, token, _NOTE, _LINK)
                _write_new(folder / f"{token}{_NOTE}", json.dumps(asdict(note)))
        yield lambda link: folder is not None and _take(_place(folder, token, link), clock.now().timestamp())


def served_pages(state: Path, database: Path) -> list[PageNote]:
    """The pages over a database that this user serves on this machine, by their ports. Blocks.

    Files of pages that have died are removed.
    """
    folder = _private_folder(state)
    found = [] if folder is None else [note for path in folder.glob(f"*{_NOTE}") if (note := _read(path))]
    here = [note for note in found if note.host == socket.gethostname()]
    alive = [note for note in here if folder is not None and _is_alive(folder, note.token)]
    return sorted((note for note in alive if note.database == _known(database)), key=lambda note: note.port)


def lay_link(state: Path, page: PageNote, clock: Clock) -> str:
    """The secret of a new link to a page, good once, for a minute. Blocks.

    Raises:
        OSError: it cannot be laid there.
    """
    folder = _private_folder(state)
    if folder is None:
        raise PermissionError(f"{state / _FOLDER} is not this user's alone")
    link = new_secret()
    _write_new(_place(folder, page.token, link), str(clock.now().timestamp() + LINK_SECONDS))
    return link


def _private_folder(state: Path | None, *, make: bool = False) -> Path | None:
    """The folder; None where there is none, or others could read it or write there."""
    if state is None:
        return None
    folder = state / _FOLDER
    if make:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        found = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return None
    is_ours = not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & 0o077)
    return folder if is_ours else None


def _place(folder: Path, token: str, link: str) -> Path:
    told = hashlib.sha256(link.encode("utf-8", "surrogatepass")).hexdigest()
    return folder / f"{token}-{told}{_LINK}"


def _take(place: Path, now: float) -> bool:
    try:
        until = float(place.read_text("ascii"))
        place.unlink()  # who removes it has it: nobody else will
    except (OSError, ValueError):
        return False
    return now <= until <= now + LINK_SECONDS


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _read(path: Path) -> PageNote | None:
    try:
        return PageNote(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):  # on its way in or out
        return None


def _is_alive(folder: Path, token: str) -> bool:
    lock = _lock(folder, token)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    _remove(folder, token, _NOTE, _LINK)
    lock.release()
    _remove(folder, token, _LOCK)
    return False


def _lock(folder: Path, token: str) -> FileLock:
    return FileLock(folder / f"{token}{_LOCK}", mode=0o600)


def _remove(folder: Path, token: str, *endings: str) -> None:
    for ending in endings:
        for path in folder.glob(f"{token}*{ending}"):
            with suppress(OSError):
                path.unlink()


def _known(database: Path) -> str:
    return str(database.resolve())
