"""The manifests of a run: byte for byte what writing every record gives, whatever happened in between."""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.disk.atomic_file import AtomicFile
from jobs.errors import CannotWrite
from jobs.images.stored import Whereabouts
from jobs.manifests import FORMATS, of_a_run, write_export, write_manifests
from jobs.manifests.blocks import written_of
from jobs.review.decisions import DecisionSource, DecisionWish, Said, Verdict
from jobs.sheets.planned import PlannedJob
from jobs.states import MOVES, JobState, Move
from jobs.store.bulk.records import Records
from jobs.store.postgres.marking import functions
from jobs.store.sql import blocks
from runner.recovery.moved_images import find_moved
from tests.support.postgres import WHERE, run, stand_in
from tests.support.tables import MODEL, Table, claimed, opened_table, outcome_of, picture, planned

BLOCK = 3
NAMES = ("manifest.jsonl", "manifest.csv")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of it holds for tables in a file and on a server."""
    if "night" in metafunc.fixturenames:
        metafunc.parametrize("kept_on", WHERE, indirect=True)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", BLOCK)


@dataclass
class Night:
    """A batch whose runs end in a folder, and a sheet that changes between them."""

    table: Table
    root: Path
    sheet: list[PlannedJob]
    monkeypatch: pytest.MonkeyPatch
    told: list[int] = field(default_factory=list)
    """The blocks whose records were made, since somebody looked."""
    images: list[Path] = field(default_factory=list)
    older: list[bytes] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.root / "night"

    async def end(self) -> list[int]:
        """End a run, hold its manifests against whole ones; the blocks that were made of records."""
        self.told.clear()
        with self._listening():
            paths = await write_manifests(
                self.table.store, self.table.batch, self.folder, await self.places()
            )
        assert [path.name for path in paths] == [*NAMES]
        await self.compare()
        return sorted(self.told)

    async def compare(self) -> None:
        store, batch = self.table.store, self.table.batch
        for name in NAMES:
            want = self.folder / f"want-{name}"
            await write_export(store, batch, FORMATS[want.suffix[1:]], want, places=await self.places())
            assert (self.folder / name).read_bytes() == want.read_bytes(), name

    async def places(self) -> Whereabouts:
        return await find_moved(self.table.store, self.table.batch, self.root)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        real = of_a_run._write_page

        def noted(*given: object) -> set[int]:
            self.told.extend({one[0].block for one in given[2]})  # type: ignore[attr-defined]
            return real(*given)  # type: ignore[arg-type]

        with self.monkeypatch.context() as patched:
            patched.setattr(of_a_run, "_write_page", noted)
            yield

    # -- what may happen between two runs --

    async def step(self, key: str, move: Move) -> bool:
        """A move, if the job is where it can be made."""
        job = await self.table.store.jobs.by_key(self.table.batch.id, key)
        if job is None or job.state not in MOVES[move][0] or move is Move.LINK:
            return False
        if move is Move.CLAIM:
            await self.table.store.batches.agree(self.table.batch.id)
            return await self.table.store.jobs.claim(claimed(job.id)) is not None
        return bool(await self.table.store.jobs.apply(outcome_of(move, job.id, request_id=uuid4().hex)))

    async def succeed(self, key: str, images: int = 1) -> None:
        """Bring a queued job home, with images that are on disk."""
        for move in (Move.CLAIM, Move.ACCEPTED, Move.REMOTE_DONE):
            if not await self.step(key, move):
                return
        await self.image(key, images)
        await self.step(key, Move.FETCHED)

    async def image(self, key: str, images: int = 1) -> None:
        job = await self.table.job(key)
        attempts = self.table.attempts(job.id)
        taken = {image.number for image in job.images}
        for number in range(1, images + 1):
            if not attempts or number in taken:
                continue
            path = self.folder / key / f"{uuid4().hex}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(path.name.encode())
            self.images.append(path)
            said = picture(number, path=str(path), bytes=len(path.name), sha256=uuid4().hex * 2)
            await self.table.store.ledger.record_image(job.id, attempts[-1]["id"], said)

    async def load(self, *sheet: PlannedJob) -> None:
        self.sheet = [job._replace(position=at, row=at + 2) for at, job in enumerate(sheet)]
        await self.table.load(self.sheet)


@pytest.fixture
async def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_on: str) -> AsyncIterator[Night]:
    async with opened_table(tmp_path / "night.db") as table:
        if (url := stand_in(table.path)) is not None:
            for statement in functions():  # the schema was made for larger blocks
                run(url, statement)
        found = Night(table, tmp_path / "out", [], monkeypatch)
        await found.load(*(planned(f"k{number}") for number in range(8)))
        await found.table.store.batches.agree(table.batch.id)
        yield found


async def test_only_what_changed_is_told_again(night: Night) -> None:
    """The first run makes every record; then the blocks of jobs that moved, and none where none did."""
    assert await night.end() == [0, 1, 2]
    assert await night.end() == []
    await night.succeed("k4")
    assert await night.end() == [1]
    await night.step("k0", Move.CANCEL)
    await night.step("k7", Move.CANCEL)
    assert await night.end() == [0, 2]
    assert await night.end() == []


async def test_each_table_of_what_is_told_marks(night: Night) -> None:
    """An attempt, an image, a decision, a warning: of the job, and of who shares its result."""
    await night.succeed("k1", images=2)
    first, other = [(await night.table.job(key)).id for key in ("k1", "k6")]
    await night.end()
    await night.table.store.links.link([(other, first)])
    assert await night.end() == [0, 1, 2]  # there is a column more
    await night.table.store.links.settle(night.table.batch.id)
    assert await night.end() == [2]
    wish = DecisionWish("k1", Said(verdict=Verdict.ACCEPTED), 1)
    await night.table.store.decisions.decide(night.table.batch.id, [wish], DecisionSource.CLI)
    assert await night.end() == [0, 2]
    await night.table.store.ledger.warn(first, "It is odd.")
    assert await night.end() == [0, 2]
    await night.table.store.ledger.move_images({1: str(night.images[0]), 2: str(night.images[1])})
    assert await night.end() == []  # they are where they were
    await night.step("k3", Move.CLAIM)
    assert await night.end() == [1]
    await night.step("k3", Move.NOT_ACCEPTED)
    assert await night.end() == [1]


async def test_an_image_that_goes_and_comes_is_told(night: Night) -> None:
    """No row says so: the disk does. What shares the image tells it, too."""
    await night.succeed("k1")
    first, other = [(await night.table.job(key)).id for key in ("k1", "k6")]
    await night.table.store.links.link([(other, first)])
    await night.table.store.links.settle(night.table.batch.id)
    await night.end()
    (image,) = night.images
    data = image.read_bytes()
    image.unlink()
    assert await night.end() == [0, 2]
    assert "no longer on disk" in (night.folder / NAMES[0]).read_text()
    assert await night.end() == [0, 2]  # nobody knows whether it is back without looking
    image.write_bytes(data)
    assert await night.end() == [0, 2]
    assert await night.end() == []


async def test_images_that_nobody_looks_for_are_told_as_they_are(night: Night) -> None:
    """Of a job that is asked for again, or failed with some of them: at a run's end it is not looked at."""
    await night.succeed("k1", images=2)
    first, other = [(await night.table.job(key)).id for key in ("k1", "k6")]
    await night.table.store.links.link([(other, first)])
    await night.table.store.links.settle(night.table.batch.id)
    await night.step("k1", Move.REOPEN)
    await night.end()
    night.images[0].unlink()
    assert await night.end() == [0, 2]


async def test_a_sheet_that_changed_is_told(night: Night) -> None:
    """Rows that come, go and move, and a column of one's own."""
    await night.end()
    await night.load(*night.sheet)
    assert await night.end() == []
    await night.load(*night.sheet[:5])
    assert await night.end() == [1]
    await night.load(*reversed(night.sheet))
    assert await night.end() == [0, 1]
    await night.load(*night.sheet, planned("new", columns={"note": "n"}))
    assert await night.end() == [0, 1]  # every record has a column more
    await night.load(*night.sheet, planned("newer", columns={"note": "n"}))
    assert await night.end() == [2]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "a byte": lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
    "its head": lambda data: b"batch,key,row,model,state,x" + data[27:],
    "cut": lambda data: data[:-40],
    "cut at a block": lambda data: b"\n".join(data.split(b"\n")[:6]) + b"\n",
    "longer": lambda data: data + data.splitlines(keepends=True)[-1],
    "empty": lambda _data: b"",
    "gone": lambda _data: None,
    "a line less": lambda data: b"".join(
        data.splitlines(keepends=True)[:2] + data.splitlines(keepends=True)[3:]
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", NAMES)
async def test_a_file_that_was_changed_is_written_whole(night: Night, name: str, damage: str) -> None:
    """By whomever, in whatever way: nothing is taken over that was not written there."""
    await night.end()
    path = night.folder / name
    damaged = DAMAGES[damage](path.read_bytes())
    path.unlink()
    if damaged is not None:
        path.write_bytes(damaged)
    await night.step("k4", Move.CANCEL)
    assert set(await night.end()) == {0, 1, 2}
    assert await night.end() == []


async def test_what_the_last_run_did_not_write_is_not_taken_over(night: Night) -> None:
    """Another folder, another name of the batch, another way to tell a job, a database from before."""
    await night.end()
    night.root = night.root.with_name("elsewhere")
    assert await night.end() == [0, 1, 2]
    night.table.batch = replace(night.table.batch, name="day")
    assert await night.end() == [0, 1, 2]
    night.monkeypatch.setattr(of_a_run, "_RECORDS", -1)
    assert await night.end() == [0, 1, 2]
    assert await night.end() == []
    await night.table.store.counts.recount(night.table.batch.id)
    assert await night.end() == [0, 1, 2]


async def test_without_a_look_at_the_images_every_record_is_written(night: Night) -> None:
    """Nobody knows what is missing."""
    await night.succeed("k1")
    await night.end()
    night.images[0].unlink()
    await write_manifests(night.table.store, night.table.batch, night.folder)
    await night.compare()


@pytest.mark.parametrize("after", [0, 1])
async def test_a_run_that_dies_while_it_writes_leaves_whole_files(night: Night, after: int) -> None:
    """The old one or the new one; and what had changed is in the next run's."""
    await night.end()
    before = [(night.folder / name).read_bytes() for name in NAMES]
    await night.step("k4", Move.CANCEL)
    real = AtomicFile.commit
    done: list[object] = []

    def dies(self: AtomicFile, **more: bool) -> None:
        if len(done) == after:
            raise OSError(5, "died")
        done.append(self)
        real(self, **more)

    places = await night.places()
    with night.monkeypatch.context() as patched:
        patched.setattr(AtomicFile, "commit", dies)
        with pytest.raises(CannotWrite, match="died"):
            await write_manifests(night.table.store, night.table.batch, night.folder, places)
    found = [(night.folder / name).read_bytes() for name in NAMES]
    assert [new != old for new, old in zip(found, before, strict=True)] == [after == 1, False]
    assert not list(night.folder.glob(".*"))
    assert await night.end() == [0, 1, 2]


async def test_a_change_while_they_are_written_is_the_next_run_s(night: Night) -> None:
    """Be its record made already, or not yet."""
    await night.end()
    await night.step("k4", Move.CANCEL)
    real = Records.block

    async def meanwhile(*given: object) -> AsyncIterator[object]:
        async for page in real(*given):  # type: ignore[arg-type]
            yield page
        await night.step("k5", Move.CANCEL)

    with night.monkeypatch.context() as patched:
        patched.setattr(Records, "block", meanwhile)
        await write_manifests(night.table.store, night.table.batch, night.folder, await night.places())
    assert await night.end() == [1]


async def test_a_table_that_takes_nothing_is_told_of_all_the_same(night: Night) -> None:
    """Its disk may be full where that of the images is not."""
    await night.end()
    await night.step("k4", Move.CANCEL)

    async def refuses(*_: object) -> None:
        raise CannotWrite("full")

    with night.monkeypatch.context() as patched:
        for name in ("begin", "keep"):
            patched.setattr(night.table.store.manifests, name, refuses)
        assert await night.end() == [0, 1, 2]
    assert set(await night.end()) == {0, 1, 2}  # what it keeps is about files that are gone
    assert await night.end() == []


@pytest.mark.parametrize(
    "kept", [None, {}, [], {"made_by": [], "columns": 3}, {"made_by": [], "columns": [1, 2]}]
)
def test_what_the_table_does_not_keep_in_our_words_is_nothing(kept: object) -> None:
    """Then every record is written."""
    assert written_of(kept) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(10))
async def test_whatever_happens_between_runs(night: Night, seed: int) -> None:
    """A night of anything: moves, images, decisions, links, sheets, files that change, runs that die."""
    rng = random.Random(seed)
    await night.end()
    for _ in range(12):
        for _ in range(rng.randrange(4)):
            await anything(night, rng)
        await night.end()


async def anything(night: Night, rng: random.Random) -> None:
    """One thing that may happen to a batch or to its files."""
    key = rng.choice(night.sheet).key if night.sheet else ""
    store, batch = night.table.store, night.table.batch
    match rng.randrange(12):
        case 0 | 1 | 2 if key:
            await night.step(key, rng.choice([*Move]))
        case 3 | 4 if key:
            await night.succeed(key, rng.randint(0, 2))
        case 5 if key:
            wish = DecisionWish(key, Said(verdict=rng.choice([*Verdict]), stars=rng.randrange(4)), 1)
            await store.decisions.decide(batch.id, [wish], DecisionSource.CLI)
        case 6 if key:
            one, other = await night.table.job(key), await night.table.job(rng.choice(night.sheet).key)
            if one.id != other.id and one.state is JobState.QUEUED and other.twin is None:
                await store.links.link([(one.id, other.id)])
            await store.links.settle(batch.id)
        case 7:
            await night.load(*new_sheet(night.sheet, rng))
        case 8 if night.images:
            image = rng.choice(night.images)
            if image.exists():
                image.rename(image.with_suffix(".gone"))
            else:
                image.with_suffix(".gone").rename(image)
        case 9 | 10:
            path = night.folder / rng.choice(NAMES)
            if not path.exists():
                return
            night.older.append(path.read_bytes())
            damaged = rng.choice([*(damage(path.read_bytes()) for damage in DAMAGES.values()), *night.older])
            path.unlink()
            if damaged is not None and len(damaged) > 60:
                path.write_bytes(damaged if damaged[:5] in (b"batch", b'{"bat') else b"")
        case 11:
            await store.manifests.begin(batch.id)  # and died


def new_sheet(sheet: list[PlannedJob], rng: random.Random) -> list[PlannedJob]:
    """The sheet after somebody worked on it."""
    jobs = sheet.copy()
    match rng.randrange(5):
        case 0:
            rng.shuffle(jobs)
        case 1:
            jobs.insert(rng.randint(0, len(jobs)), planned(uuid4().hex, prompt=uuid4().hex))
        case 2 if jobs:
            del jobs[rng.randrange(len(jobs))]
        case 3 if jobs:
            at = rng.randrange(len(jobs))
            jobs[at] = planned(jobs[at].key, prompt=uuid4().hex, model=MODEL)
        case _ if jobs:
            at = rng.randrange(len(jobs))
            jobs[at] = jobs[at]._replace(columns={rng.choice("abc"): uuid4().hex})
    return jobs
