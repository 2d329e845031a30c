"""Crash images of one recorded night, each resumed: nothing is paid twice, and no id is lost.

The API is as it stood when the machine died: it has accepted whatever had left by then.
"""

import hashlib
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from jobs.errors import NightsheetError
from runner.emulator.http.app import create_app
from runner.emulator.service.journal import MemoryJournal
from runner.emulator.service.service import EmulatorService
from tests.simulation import oracle
from tests.simulation.evidence import gather
from tests.simulation.images.disk import Image, Synced
from tests.simulation.images.recording import Recording, record
from tests.simulation.serial import run_serial
from tests.support.in_process import InProcess
from tests.support.night import night
from tests.support.part import Part
from tests.support.virtual_time import LIMIT_SECONDS, VirtualClock
from tests.support.warm import discard, fast_folder, warm
from tests.support.witness import SECOND_WITNESS

GATE = 4
_TELL_EVERY = 50
_BLOCK = 16
"""Moments that follow each other are often the same to a run; early ones take the longest."""
_DATABASE = Path("night.db")
_OF_SQLITE = frozenset(Path(f"{_DATABASE}{ending}") for ending in ("", "-wal", "-shm", "-journal"))
_SUMS = (
    *("prefixes", "resumed", "power_cuts", "without_wal"),
    *("paid_twice", "lost", "in_doubt", "refused"),
)
_LATER = timedelta(hours=1)


@dataclass(slots=True)
class Found:
    """Sums over images."""

    nights: set[str] = field(default_factory=set)
    """What was done in them, and in which order: the same for all who record one with the same seed."""
    ops: int = 0
    """Of one night."""
    syncs: int = 0
    prefixes: int = 0
    resumed: int = 0
    """Those of the prefixes that a run can tell from each other."""
    power_cuts: int = 0
    without_wal: int = 0
    """Power cuts after which the database's -wal is lost, too: the journal alone knows what left."""
    paid_twice: int = 0
    lost: int = 0
    in_doubt: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.nights |= other.nights
        self.ops, self.syncs = max(self.ops, other.ops), max(self.syncs, other.syncs)
        self.wrong += other.wrong


@contextmanager
def recorded(rows: int, seed: int | None = None) -> Iterator[Recording]:
    """A recorded night; with a seed the same each time. Its folder is empty: an image takes its place."""
    with tempfile.TemporaryDirectory(dir=fast_folder(), prefix="nightsheet-") as folder:
        made = record(Path(folder), rows, seed)
        assert _files(made.folder) == made.log.prefix(len(made.log.ops)).held(), "not all of it was recorded"
        yield made


def _files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _count(found: Found, recording: Recording) -> None:
    ops = recording.log.ops
    found.nights.add(recording.log.order)
    found.ops, found.syncs = len(ops), sum(isinstance(op, Synced) for op in ops)


def search(rows: int, images: int, seed: int) -> Found:
    """A recorded night, and so many of its crash images, of each kind by turns, spread over the night."""
    found, dice = Found(), random.Random(f"images {seed}")
    with recorded(rows) as recording, warm():
        log = recording.log
        _count(found, recording)
        for number in range(images):
            moment = log.moments[(number * len(log.moments) + dice.randrange(len(log.moments))) // images]
            match number % (3 if SECOND_WITNESS else 2):
                case 0:
                    judge(found, recording, moment, log.prefix(moment), "killed")
                    found.prefixes += 1
                    found.resumed += 1
                case 1:
                    judge(found, recording, moment, log.after_power_cut(moment, dice), "power cut")
                    found.power_cuts += 1
                case _:
                    image = log.after_power_cut(moment, dice).forget("-wal", "-shm")
                    judge(found, recording, moment, image, "power cut, -wal lost", is_whole=False)
                    found.without_wal += 1
    return found


def every_prefix(rows: int, seed: int, part: Part) -> Found:
    """A part of all prefixes of one night: each is opened, and what a run finds the same is resumed once."""
    found, resumed = Found(), set[bytes]()
    with recorded(rows, seed) as recording, warm():
        _count(found, recording)
        moments = part.take(recording.log.moments, _BLOCK)
        for moment, image in recording.log.prefixes(moments):
            if found.prefixes % _TELL_EVERY == 0:
                so_far = f"{found.prefixes} of {len(moments)} images, {found.resumed} resumed"
                sys.stderr.write(f"part {part.number}/{part.of}: {so_far}\n")
            found.prefixes += 1
            finds = finds_of(recording, moment, image)
            if finds not in resumed:
                resumed.add(finds)
                found.resumed += 1
                judge(found, recording, moment, image, "killed")
    return found


def finds_of(recording: Recording, moment: int, image: Image) -> bytes:
    """All that a run can find: what SQLite reads out of its files, the other files, and the API."""
    log = recording.log
    api = sorted(log.submitted(moment)), sorted(log.asked_about(moment))
    digest = hashlib.sha256(repr((api, sorted(image.reached_folders()))).encode())
    for path, data in sorted(image.held().items()):
        if path not in _OF_SQLITE:
            digest.update(f"{path} {len(data)} ".encode() + data)
    _put(recording, image)
    digest.update(_content(recording.folder / _DATABASE))
    return digest.digest()


def _content(database: Path) -> bytes:
    """A database's pages after SQLite has put its files in order."""
    if not database.exists():
        return b"none"
    with closing(sqlite3.connect(database)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        return connection.serialize() if pages else b""


def _put(recording: Recording, image: Image) -> None:
    discard(recording.folder)
    recording.folder.mkdir()
    image.put(recording.folder)


def judge(
    found: Found, recording: Recording, moment: int, image: Image, name: str, *, is_whole: bool = True
) -> None:
    """Put an image in the night's place, and run the sheet again.

    Of one that is not whole only this is asked: whatever had left by then is not sent again.
    """
    _put(recording, image)
    try:
        run_serial(
            lambda _loop: _resumed(found, recording, moment, is_whole),
            seed="resumed",
            limit_seconds=LIMIT_SECONDS,
        )
    except Exception as error:
        text = f"{type(error).__name__}: {error}".partition("\n")[0]
        last = recording.log.ops[moment - 1]
        place = f"{name} after {moment} of {len(recording.log.ops)} ops"
        found.wrong.append(f"{place}, the last {last!r:.80}: {text:.300}")


async def _resumed(found: Found, recording: Recording, moment: int, is_whole: bool) -> None:
    rows = len(recording.submits)
    async with night(recording.folder) as here:
        api_clock = VirtualClock()
        for clock in (here.clock, api_clock):
            clock.jump(_LATER)
        journal = MemoryJournal("later", recording.events(moment))
        here.service = EmulatorService(here.service.settings, api_clock, journal)
        here.transport = InProcess(create_app(here.service), here.clock.monotonic)
        known = [submit.request_id for submit in here.service.ledger]
        try:
            await here.run(here.sheet(rows))
        except NightsheetError:
            found.refused += 1
            if is_whole:
                raise
        finally:
            await here.transport.aclose()
            twice = sum(many - 1 for many in here.submits().values())
            found.paid_twice += twice
        assert twice == 0, f"paid twice: {here.submits()}"
        if not is_whole:
            return
        with closing(sqlite3.connect(here.database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        e = gather(here)
        states = Counter(job["state"] for job in e.jobs)
        found.in_doubt += states["unconfirmed"]
        lost = oracle.losses(e).lost + len(recording.log.asked_about(moment) - set(e.held))
        found.lost += lost
        assert lost == 0, f"lost of {known}: {e.attempts}"
        assert states["unconfirmed"] <= GATE, f"one crash leaves {states['unconfirmed']} in doubt"
        assert states["succeeded"] + states["unconfirmed"] == rows, f"not to its end: {states}"
        here.pictures_whole()


def has_strace() -> bool:
    """Whether nights can be recorded here."""
    return shutil.which("strace") is not None
