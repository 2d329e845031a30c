"""`python -m tests.process.witness_states`: every state that a night's files can be in, and what it costs.

A night is killed in its middle, or is at work. Then each of its files, and each pair of them, is missing,
older, copied, linked or mounted elsewhere, read-only or full; and the sheet is run again. The API's ledger
says what was paid twice. Which states there are is generated; `left_out` says which are not, and why.
"""

import argparse
import asyncio
import itertools
import multiprocessing
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import anyio

from tests.support.command import QUICK, Desk, desk
from tests.support.forked import Finished, Forked, Forks, can_mount, forks, obeys_permissions
from tests.support.part import Part
from tests.support.warm import fast_folder

ROWS = 12
DATABASE_NAME = "nightsheet.db"
_SLOWLY = ("--rate", "900")
"""A submit in 67 ms, so that a night can be met in its middle."""
_SLOWER = ("--rate", "300")
"""So slow that a second runner comes while it is at work."""
_SOON, _LATER = 3, 7
"""So many rows are accepted when the night is killed first, and when it is killed again."""
_MEANWHILE = 3
"""So many more are accepted when something happens to a night that is at work."""
_ENDS = {0, 1, 2, 73}
"""How a command may end: what it does, or that it refuses. All else is a defect, a crash or a hang."""
_CHUNK = 60
"""The most states on one bench, which takes some seconds to be made."""


class Place(StrEnum):
    """What a night is kept in."""

    DATABASE = "database"
    WAL = "wal"
    SHM = "shm"
    LOCK = "lock"
    JOURNAL = "journal"
    STATE = "state folder"
    SET = "the set"
    """All that lies beside the database, and the folder with it."""


class Trouble(StrEnum):
    """What has happened to it."""

    AS_IT_IS = "as it is"
    MISSING = "missing"
    OLDER = "older"
    COPIED = "copied elsewhere"
    LINKED = "hard-linked"
    MOUNTED = "bind-mounted"
    READ_ONLY = "read-only"
    FULL = "full"


class Moment(StrEnum):
    """When it has happened."""

    AT_REST = "at rest"
    MID_RUN = "in mid-run"


FILES = (Place.DATABASE, Place.WAL, Place.SHM, Place.LOCK)
BESIDE = (*FILES, Place.JOURNAL)
"""What makes the set."""
_NAMES = {
    Place.DATABASE: DATABASE_NAME,
    Place.WAL: f"{DATABASE_NAME}-wal",
    Place.SHM: f"{DATABASE_NAME}-shm",
    Place.LOCK: f"{DATABASE_NAME}.lock",
    Place.JOURNAL: f"{DATABASE_NAME}.journal",
    Place.STATE: "nightsheet",
}
ELSEWHERE = {Trouble.COPIED, Trouble.LINKED, Trouble.MOUNTED}
"""There is a second folder then, which has these places and no others; the night goes on in both."""
_FORGETS = {Trouble.MISSING, Trouble.OLDER}
_UNWRITABLE = {Trouble.READ_ONLY, Trouble.FULL}


@dataclass(frozen=True, slots=True)
class State:
    """What has happened to some places; all others are as they were."""

    moment: Moment
    troubles: tuple[tuple[Place, Trouble], ...]

    def of(self, place: Place) -> Trouble:
        """What has happened to a place."""
        found = dict(self.troubles)
        own = found.get(place, Trouble.AS_IT_IS)
        return found.get(Place.SET, own) if place in BESIDE else own

    def __str__(self) -> str:
        return f"{self.moment}: {', '.join(f'{place} {trouble}' for place, trouble in self.troubles)}"

    @property
    def has_a_second_folder(self) -> bool:
        return any(self.of(place) in ELSEWHERE for place in BESIDE)

    @property
    def has_a_second_seat(self) -> bool:
        """Whether a command runs elsewhere: in a second folder, or with another state folder."""
        return self.has_a_second_folder or self.of(Place.STATE) in ELSEWHERE

    @property
    def is_common(self) -> bool:
        """Whether what is sent from one seat is known at the other: by the state folder, which both write."""
        return self.of(Place.STATE) not in {Trouble.COPIED, Trouble.LINKED, *_UNWRITABLE}


def states(moment: Moment, places: int) -> Iterator[State]:
    """Every state in which that many places are not as they were, possible or not."""
    troubles = [trouble for trouble in Trouble if trouble is not Trouble.AS_IT_IS]
    for chosen in itertools.combinations(Place, places):
        for happened in itertools.product(troubles, repeat=places):
            yield State(moment, tuple(zip(chosen, happened, strict=True)))


def left_out(state: State) -> str | None:
    """Why there is no such state; None where there is one."""
    places = {place for place, _trouble in state.troubles}
    if Place.SET in places and places & set(BESIDE):
        return "a part of the set is in the set"
    if not all(_is_remembered(state, away) for away in _seats(state)):
        return "no witness is left that has seen the whole night"
    full = {place for place, trouble in state.troubles if trouble is Trouble.FULL}
    if state.moment is Moment.MID_RUN and full & set(FILES):
        return "a file at work has no disk of its own"
    return None


def _seats(state: State) -> tuple[bool, ...]:
    """Where commands run, True for elsewhere. Where neither seat can know of the other, one alone is used."""
    if not state.has_a_second_seat:
        return (False,)
    return (True, False) if state.is_common else (True,)


def _is_remembered(state: State, away: bool) -> bool:
    """Whether a seat has a witness of all that was sent so far."""

    def knows(*places: Place) -> bool:
        here = not (away and state.has_a_second_folder) or all(state.of(p) in ELSEWHERE for p in places)
        return here and not any(state.of(place) in _FORGETS for place in places)

    in_state = state.of(Place.STATE) not in _FORGETS
    return knows(Place.DATABASE, Place.WAL) or knows(Place.JOURNAL) or in_state


def impossible_here(state: State) -> str | None:
    """Why this machine cannot bring it about; None where it can."""
    happened = {trouble for _place, trouble in state.troubles}
    if happened & {Trouble.MOUNTED, Trouble.FULL} and not can_mount():
        return "nothing can be mounted here"
    if Trouble.READ_ONLY in happened and not obeys_permissions():
        return "permissions do not hold for root, and setpriv is not here"
    return None


def table() -> list[State]:
    """All of them: singles and pairs at rest, singles in mid-run."""
    every = itertools.chain(
        (State(moment, ()) for moment in Moment),
        states(Moment.AT_REST, 1),
        states(Moment.MID_RUN, 1),
        states(Moment.AT_REST, 2),
    )
    return [state for state in every if left_out(state) is None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a state came to."""

    state: State
    ended: tuple[Finished, ...]
    paid_twice: int
    """Submits beyond one a row."""
    unsent: int
    """Rows that were never accepted."""

    @property
    def is_refused(self) -> bool:
        return any(ended.code in {2, 73} for ended in self.ended)

    @property
    def is_held(self) -> bool:
        return any(re.search(r"\bheld\b", ended.said) for ended in self.ended)

    @property
    def is_odd(self) -> bool:
        return any(ended.code not in _ENDS for ended in self.ended)

    @property
    def is_right(self) -> bool:
        return self.paid_twice == 0 and not self.is_odd

    def __str__(self) -> str:
        codes = ", ".join("hung" if ended.code is None else str(ended.code) for ended in self.ended)
        return f"{self.state}: {self.paid_twice} paid twice, {self.unsent} unsent, exit {codes}"

    @property
    def story(self) -> str:
        """All that was said, for a person who looks into it."""
        return "\n".join([str(self), *(f"-- exit {e.code}\n{e.said.strip()}" for e in self.ended)])


@dataclass(frozen=True, slots=True)
class Image:
    """What a killed night has left: its files, and the rows that the API took."""

    folder: Path
    accepted: frozenset[str]


@dataclass
class Bench:
    """A place where one state after another is brought about. Its paths stay the same."""

    root: Path
    here: Desk
    forks: Forks
    older: Image = field(init=False)
    now: Image = field(init=False)
    _mounted: list[Path] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def state(self) -> Path:
        """The state folder of all of the user's programs."""
        return self.root / "state"

    @property
    def away(self) -> Path:
        return self.root / "away"

    @property
    def away_state(self) -> Path:
        return self.root / "away-state"

    @cached_property
    def sheet(self) -> str:
        return self.here.sheet(ROWS)

    # -- the night --

    async def have_nights(self) -> None:
        """A night that is killed, goes on, and is killed again: the older files, and those of now."""
        self.state.mkdir()
        self.older = await self._killed_at(_SOON, "older")
        self.now = await self._killed_at(_LATER, "now")
        assert len(self.older.accepted) < len(self.now.accepted) < ROWS, "killed too late"

    async def _killed_at(self, accepted: int, name: str) -> Image:
        night = await self._start(False, *_SLOWLY)
        await self._until(lambda: len(self.here.service.ledger) >= accepted, night)
        night.send(signal.SIGKILL)
        ended = await night.end()
        assert ended.code == -signal.SIGKILL, ended.said
        image = self.root / name
        for source in (self.home, self.state):
            shutil.copytree(source, image / source.name)
        return Image(image, frozenset(self.here.submits()))

    async def _until(self, true: Callable[[], bool], night: Forked) -> None:
        with anyio.fail_after(50):
            while not true() and not night.is_over:  # noqa: ASYNC110 - it lies in another process
                await anyio.sleep(0.002)

    def _environment(self, away: bool, state: State | None) -> dict[str, str]:
        other = away and state is not None and state.of(Place.STATE) in ELSEWHERE
        folder = self.away_state if other else self.state
        return self.here.env | {"XDG_STATE_HOME": str(folder), "HOME": str(self.root)}

    async def _start(self, away: bool, *more: str, state: State | None = None, verb: str = "run") -> Forked:
        arguments = (verb, *((self.sheet,) if verb == "run" else ()), *QUICK, *more)
        folder = self.away if away and state is not None and state.has_a_second_folder else self.home
        return await self.forks.start(folder, self._environment(away, state), *arguments)

    # -- one state --

    async def find(self, state: State) -> Finding:
        """Bring a state about, and run the sheet until nothing more comes of it."""
        image = self.now if state.moment is Moment.AT_REST else self.older
        try:
            self._restore(image)
            begun = len(self.here.service.ledger)
            if state.moment is Moment.AT_REST:
                await self._befall(state)
                ended = []
            else:
                ended = await self._in_mid_run(state)
            seats = _seats(state)
            for away, verb in (*((away, "run") for away in seats), (seats[0], "run"), (seats[-1], "resume")):
                ended.append(await (await self._start(away, state=state, verb=verb)).end())
        finally:
            await self._clear()
        rows = Counter(image.accepted)
        rows.update(_row(submit.body) for submit in self.here.service.ledger[begun:])
        twice = sum(many - 1 for many in rows.values())
        return Finding(state, tuple(ended), twice, ROWS - len(rows))

    async def _in_mid_run(self, state: State) -> list[Finished]:
        """The night is at work; it stands still for as long as something happens; a second run begins.

        At once, where that is of the same database. Two projects at a time know nothing of each other.
        """
        for place, trouble in state.troubles:
            if trouble is Trouble.FULL:
                await self._own_disk(place)
        enough = len(self.here.service.ledger) + _MEANWHILE
        night = await self._start(False, *_SLOWER)
        await self._until(lambda: len(self.here.service.ledger) >= enough, night)
        night.send(signal.SIGSTOP)
        await self._befall(state)
        night.send(signal.SIGCONT)
        if state.has_a_second_folder and state.of(Place.DATABASE) not in ELSEWHERE:
            return [await night.end()]
        beside = await self._start(_seats(state)[0], state=state)
        return [await night.end(), await beside.end()]

    def _restore(self, image: Image) -> None:
        for folder in (self.home, self.state, self.away, self.away_state):
            _discard(folder)
        for folder in (self.home, self.state):
            shutil.copytree(image.folder / folder.name, folder)

    async def _clear(self) -> None:
        while self._mounted:
            await self.forks.shell("umount", "-l", str(self._mounted.pop()))

    # -- what happens --

    async def _befall(self, state: State) -> None:
        """First what happens to places where they are, then what is had of them elsewhere."""
        if state.has_a_second_folder:
            self.away.mkdir()
        if state.of(Place.STATE) in ELSEWHERE:
            self.away_state.mkdir()
        for place, trouble in sorted(state.troubles, key=lambda pair: pair[1] in ELSEWHERE):
            match trouble:
                case Trouble.MISSING:
                    for path in self._paths(place):
                        _discard(path)
                case Trouble.OLDER:
                    self._age(place)
                case Trouble.READ_ONLY:
                    self._protect(place)
                case Trouble.FULL:
                    if state.moment is Moment.AT_REST:
                        await self._own_disk(place)
                    await self._fill(place)
                case Trouble.COPIED | Trouble.LINKED | Trouble.MOUNTED:
                    await self._have_elsewhere(place, trouble)
        if state.has_a_second_folder and not (self.away / self.sheet).exists():
            shutil.copy(self.home / self.sheet, self.away)

    def _paths(self, place: Place) -> list[Path]:
        if place is Place.SET:
            return [path for part in BESIDE for path in self._paths(part)]
        path = (self.state if place is Place.STATE else self.home) / _NAMES[place]
        return [path] if path.exists() else []

    def _age(self, place: Place) -> None:
        """What a backup had is put in its place: of the database, all that was committed by then."""
        for part in BESIDE if place is Place.SET else (place,):
            under = self.state if part is Place.STATE else self.home
            source, target = self.older.folder / under.name / _NAMES[part], under / _NAMES[part]
            _discard(target) if target.is_dir() or not source.exists() else None
            if source.is_dir():
                shutil.copytree(source, target)
            elif source.exists():
                made = target.with_name("restored")
                if part is Place.DATABASE and place is not Place.SET:
                    self._back_up(made)
                else:
                    shutil.copy2(source, made)
                made.replace(target)

    def _back_up(self, target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            for path in (self.older.folder / "home").glob(f"{DATABASE_NAME}*"):
                if path.is_file():
                    shutil.copy(path, folder)
            with (
                closing(sqlite3.connect(Path(folder) / DATABASE_NAME)) as source,
                closing(sqlite3.connect(target)) as backup,
            ):
                source.backup(backup)
                backup.execute("PRAGMA journal_mode = DELETE")
        target.chmod(0o600)

    def _protect(self, place: Place) -> None:
        for path in (*self._paths(place), *((self.home,) if place is Place.SET else ())):
            below = sorted(path.rglob("*")) if path.is_dir() and place is not Place.SET else []
            for part in (*below, path):
                part.chmod(0o500 if part.is_dir() else 0o400)

    def _target(self, place: Place) -> Path:
        if place is Place.SET:
            return self.home
        return (self.state if place is Place.STATE else self.home) / _NAMES[place]

    def _disk(self, place: Place) -> Path:
        return self.root / f"disk of the {place}"

    async def _own_disk(self, place: Place) -> None:
        """Put a place on a small disk of its own, with some room left."""
        path, disk = self._target(place), self._disk(place)
        if not path.exists() and place in (Place.JOURNAL, Place.STATE):
            path.mkdir()
        if not path.exists():
            return
        disk.mkdir(exist_ok=True)
        used = sum(file.stat().st_size + 8192 for file in (path, *path.rglob("*")))
        await self.forks.shell("mount", "-t", "tmpfs", "-o", f"size={used + 512 * 1024}", "none", str(disk))
        self._mounted.append(disk)
        await self.forks.shell("cp", "-a", str(path), str(disk / "it"))
        await self.forks.shell("mount", "--bind", str(disk / "it"), str(path))
        self._mounted.append(path)

    async def _fill(self, place: Place) -> None:
        if self._disk(place) in self._mounted:
            await self.forks.shell(
                "sh", "-c", 'cat /dev/zero > "$0/filled" 2> /dev/null || true', str(self._disk(place))
            )

    async def _have_elsewhere(self, place: Place, trouble: Trouble) -> None:
        """A second folder has the place: a copy, a second name, or the same thing mounted."""
        pairs = [(path, self._elsewhere(path)) for path in self._paths(place)]
        if place is Place.SET:
            pairs = [(self.home, self.away)]
            self.away.rmdir()
        for source, target in pairs:
            match trouble:
                case Trouble.COPIED:
                    await self.forks.shell("cp", "-a", str(source), str(target))
                case Trouble.LINKED:
                    await self.forks.shell("cp", "-al", str(source), str(target))
                case _:
                    target.mkdir() if source.is_dir() else target.touch(0o600)
                    await self.forks.shell("mount", "--bind", str(source), str(target))
                    self._mounted.append(target)

    def _elsewhere(self, path: Path) -> Path:
        return (self.away_state if path.parent == self.state else self.away) / path.name


def _row(body: Mapping[str, object]) -> str:
    return str(body.get("prompt") or body.get("text"))


def _discard(path: Path) -> None:
    if path.is_dir():
        for part in (path, *path.rglob("*")):
            if part.is_dir():
                part.chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    """A bench with its nights, in memory where the system has such a place."""
    with tempfile.TemporaryDirectory(dir=fast_folder(), prefix="nightsheet-") as folder:
        root = Path(folder)
        (root / "home").mkdir()
        async with desk(root / "home", speed=400.0, picture_scale=1 / 64) as here, forks(root) as forked:
            made = Bench(root, here, forked)
            await made.have_nights()
            yield made


async def find_all(chosen: Sequence[State]) -> list[Finding]:
    """What these states come to, one after another."""
    async with bench() as made:
        return [await made.find(state) for state in chosen]


def search(chosen: Sequence[State]) -> list[Finding]:
    """The same, for a process of a pool."""
    return asyncio.run(find_all(chosen))


def main(arguments: list[str] | None = None) -> int:
    """Print what the whole table comes to; 1 where something was paid twice, or ended as nothing should."""
    parser = argparse.ArgumentParser(prog="python -m tests.process.witness_states", description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th state")
    parser.add_argument("--only", default="", metavar="TEXT", help="only states whose name has this in it")
    parser.add_argument("--part", type=Part.read, default=Part(), metavar="K/N", help="of these states")
    parser.add_argument("--stories", action="store_true", help="show what commands said where it went wrong")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    named = [state for state in table() if options.only in str(state)]
    chosen = options.part.take(named[:: options.every])
    possible = [state for state in chosen if impossible_here(state) is None]
    benches = max(options.processes, -(-len(possible) // _CHUNK))
    chunks = [some for part in Part().parts(benches) if (some := part.take(possible))]
    begun, found = time.perf_counter(), list[Finding]()
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        for done in as_completed(pool.submit(search, chunk) for chunk in chunks):
            found += done.result()
            sys.stderr.write(f"{len(found)} of {len(possible)}, {time.perf_counter() - begun:.0f} s\n")
            for finding in done.result():
                if not finding.is_right:
                    sys.stdout.write(f"{finding.story if options.stories else finding}\n")
    _show(found, chosen, time.perf_counter() - begun)
    return 0 if all(finding.is_right for finding in found) else 1


def _show(found: Sequence[Finding], chosen: Sequence[State], seconds: float) -> None:
    say = sys.stdout.write
    heads = ("tried", "paid twice", "rows twice", "odd ends", "refused", "held", "went on")
    say(f"{'':<24}{''.join(f'{head:>12}' for head in heads)}\n")
    for moment in Moment:
        for places, kind in enumerate(("as it is", "one place", "two places")):
            own = [f for f in found if f.state.moment is moment and len(f.state.troubles) == places]
            if own:
                right = [f for f in own if f.is_right]
                figures = (
                    len(own),
                    sum(f.paid_twice > 0 for f in own),
                    sum(f.paid_twice for f in own),
                    sum(f.is_odd for f in own),
                    sum(f.is_refused for f in right),
                    sum(f.is_held for f in right),
                    sum(not f.is_refused and not f.is_held for f in right),
                )
                say(f"{f'{moment}, {kind}':<24}{''.join(f'{figure:>12}' for figure in figures)}\n")
    every = [
        s
        for moment, places in ((Moment.AT_REST, 1), (Moment.MID_RUN, 1), (Moment.AT_REST, 2))
        for s in states(moment, places)
    ]
    for why, many in Counter(filter(None, map(left_out, every))).most_common():
        say(f"no such state: {many:>5}  {why}\n")
    for why, many in Counter(filter(None, map(impossible_here, chosen))).most_common():
        say(f"not searched:  {many:>5}  {why}\n")
    say(f"{seconds:.0f} s\n")


if __name__ == "__main__":
    sys.exit(main())
