"""Files of a night that are lost between two runs, and what must be true whatever is left of them.

A witness is whatever knows of submits: the database, the journal, the state folder. As long as one of them
has seen all, nothing is paid twice, and each request_id that has reached the machine is kept.
"""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tests.simulation.schedule import Loss
from tests.simulation.world import World
from tests.support.tables import select
from tests.support.warm import discard, prepare_database

_DATABASE, _JOURNAL, _STATE = "database", "journal", "state folder"
_WITNESSES = {
    "database": {_DATABASE},
    "database without its wal": {_DATABASE},
    "wal": {_DATABASE},
    "journal": {_JOURNAL},
    "state folder": {_STATE},
    "lock": set[str](),
    "the set": {_DATABASE, _JOURNAL},
}
"""By place: what does not know all any more, once that is lost."""


class Judged(NamedTuple):
    """What a trial must have none of."""

    paid_twice: int
    lost: int


class Files:
    """The files of a trial: those of earlier times, and which witnesses have seen all."""

    def __init__(self, w: World) -> None:
        self.whole = {_DATABASE, _JOURNAL, _STATE}
        self.befallen: list[str] = []
        self._w = w
        self._kept: list[Path] = []

    def healed(self) -> None:
        """A run has come to its end: the table has all that any witness knew."""
        self.whole.add(_DATABASE)

    def spares(self, loss: Loss) -> bool:
        """Whether a witness is left that knows all. One that is moved with the database still does."""
        return bool(self.whole - self._forget(loss))

    def befall(self, loss: Loss) -> None:
        """Let it happen."""
        w = self._w
        w.history.note(f"between two runs: {loss}")
        self.befallen.append(str(loss))
        self.whole -= self._forget(loss)
        paths = self._paths(loss.place)
        match loss.what:
            case "moved":
                target = w.folder / f"moved-{len(self.befallen)}"
                target.mkdir()
                for path in paths:
                    path.rename(target / path.name)
                w.place = target
            case "restored" if self._kept:
                for path in paths:
                    _remove(path)
                self._put_back(loss.place, w.dice.choice(self._kept))
            case _:
                for path in paths:
                    _remove(path)
        self._look_again()

    def keep(self) -> None:
        """Make a backup of everything, as it is now."""
        kept = self._w.folder.with_name("kept") / str(len(self._kept))
        kept.mkdir(parents=True)
        for path in (*_beside(self._w.database), *self._paths(_STATE)):
            _copy(path, kept / path.name)
        self._kept.append(kept)

    def _forget(self, loss: Loss) -> set[str]:
        """The witnesses that do not know all any more. What is moved leaves the others behind."""
        if loss.what == "moved":
            left = {_DATABASE, _JOURNAL} - _WITNESSES[loss.place]
            return left | ({_DATABASE} if loss.place in ("database without its wal", "wal") else set())
        return _WITNESSES[loss.place]

    def _paths(self, place: str) -> list[Path]:
        if place == _STATE:
            return [self._w.state] if self._w.state.exists() else []
        return _files(self._w.database, place)

    def _put_back(self, place: str, kept: Path) -> None:
        w = self._w
        if place != _STATE:
            for path in _files(kept / w.database.name, place):
                _copy(path, w.place / path.name)
        elif (kept / w.state.name).exists():
            _copy(kept / w.state.name, w.state)

    def _look_again(self) -> None:
        """The oracle goes by the database that is there now: a copy of it, since a look may change it."""
        w = self._w
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / w.database.name
            for path in self._paths(_DATABASE):
                _copy(path, copy.with_name(path.name))
            if not _is_readable(copy):
                copy = copy.with_name("none.db")
                prepare_database(copy)
            with closing(sqlite3.connect(copy)) as connection:
                w.table.begin_anew(connection)


def judge(w: World) -> Judged:
    """By the API's ledger, and by what is at hand: the table, and the files of the other witnesses."""
    rows = [_prompt(submit.body) for submit in w.service.ledger]
    names = {"", "-wal", "-shm"}
    others = [path for path in _beside(w.database) if path.name.removeprefix(w.database.name) not in names]
    kept = b"\n".join(_bytes(path) for path in (*others, w.state))
    held, doubts = set[str](), set[str]()
    if _is_readable(w.database):
        held = {line["request_id"] for line in select(w.database, "SELECT request_id FROM attempt")}
        # Killed with the answer in hand: in doubt, or held in a new database.
        open_jobs = "SELECT inputs FROM job WHERE state IN ('submitting', 'unconfirmed') OR held IS NOT NULL"
        doubts = {_prompt(json.loads(job["inputs"])) for job in select(w.database, open_jobs)}
    received = {receipt.request_id for receipt in w.net.receipts}
    lost = [
        submit
        for submit, row in zip(w.service.ledger, rows, strict=True)
        if submit.request_id in received - held
        and row not in doubts
        and submit.request_id.encode() not in kept
    ]
    return Judged(len(rows) - len(set(rows)), len(lost))


def _prompt(inputs: Mapping[str, Any]) -> str:
    return str(inputs["prompt"])


def _beside(database: Path) -> list[Path]:
    return sorted(database.parent.glob(f"{database.name}*"))


def _files(database: Path, place: str) -> list[Path]:
    """The files of a place that are there, beside a database."""
    wanted = {
        "database": ("", "-wal", "-shm"),
        "database without its wal": ("",),
        "wal": ("-wal", "-shm"),
        "journal": (".journal",),
        "lock": (".lock",),
    }
    names = [f"{database.name}{ending}" for ending in wanted.get(place, ())]
    return [path for path in _beside(database) if place == "the set" or path.name in names]


def _is_readable(database: Path) -> bool:
    """Whether there is a database with our tables; of two nights' files mixed there may be none."""
    try:
        return database.exists() and bool(
            select(database, "SELECT name FROM sqlite_master WHERE name = 'attempt'")
        )
    except sqlite3.DatabaseError:
        return False


def _bytes(path: Path) -> bytes:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return b"\n".join(file.read_bytes() for file in files if file.is_file())


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _remove(path: Path) -> None:
    if path.is_dir():
        discard(path)
    else:
        path.unlink()
