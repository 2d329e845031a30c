"""What every place of images promises: a folder, a store in memory, and a real S3 on loopback."""

import errno
import hashlib
import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from runner.downloads.disk import LocalDisk
from runner.downloads.image_place import MOST_NAMES, FolderPlace, ImagePlace
from runner.downloads.store_place import StorePlace
from tests.support.s3 import S3, s3_server

NAME = PurePosixPath("night/a/01")
ONE, TWO = b"one image", b"another image"
_numbers = count(1)


@dataclass
class Kept:
    """A place, and the files that arrive for it."""

    place: ImagePlace
    listed: Callable[[], dict[str, bytes]]
    """What lies in the place, by name."""

    def arrived(self, data: bytes, name: PurePosixPath = NAME) -> Path:
        """A file that has come whole, under a name of its own."""
        part = self.place.spool(name.parent) / f"{name.name}.{next(_numbers):08x}.part"
        part.write_bytes(data)
        return part

    def keep(self, data: bytes, name: PurePosixPath = NAME) -> PurePosixPath:
        part = self.arrived(data, name)
        kept = self.place.keep(part, name, ".png", sha256(data))
        assert not part.exists(), "nothing is left behind"
        return kept


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def memory() -> Any:
    """A store that no other test has."""
    files = importlib.import_module("fsspec.implementations.memory").MemoryFileSystem(
        skip_instance_cache=True
    )
    files.store, files.pseudo_dirs = {}, [""]
    return files


def s3_files() -> Any:
    return importlib.import_module("s3fs").S3FileSystem(skip_instance_cache=True, use_listings_cache=False)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with pytest.MonkeyPatch.context() as patch, s3_server(patch, "pictures") as server:
        yield server


@pytest.fixture(params=["folder", "memory", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "folder":
        root = tmp_path / "outputs"
        yield Kept(
            FolderPlace(LocalDisk(), root),
            lambda: {
                path.relative_to(root).as_posix(): path.read_bytes()
                for path in root.rglob("*")
                if path.is_file()
            },
        )
        return
    if request.param == "s3":
        request.getfixturevalue("s3")
    files = memory() if request.param == "memory" else s3_files()
    prefix = f"pictures/{tmp_path.name}" if request.param == "s3" else "/pictures"

    def listed() -> dict[str, bytes]:
        found = files.find(prefix) if files.exists(prefix) else []
        return {path.partition(f"{prefix.strip('/')}/")[2]: files.cat_file(path) for path in found}

    yield Kept(StorePlace(files, prefix, LocalDisk(), tmp_path / "spool"), listed)
    assert not [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]


def test_an_image_gets_its_name(kept: Kept) -> None:
    """Told from the root, with what its bytes are."""
    assert kept.place.trouble() is None
    assert kept.keep(ONE) == PurePosixPath("night/a/01.png")
    assert kept.listed() == {"night/a/01.png": ONE}
    assert kept.place.read(PurePosixPath("night/a/01.png")) == ONE
    assert kept.place.sha256_of(PurePosixPath("night/a/01.png")) == sha256(ONE)


def test_the_same_content_is_taken_as_it_is(kept: Kept) -> None:
    """A run that died before the table knew of it comes again."""
    assert [str(kept.keep(ONE)) for _ in range(3)] == ["night/a/01.png"] * 3
    assert kept.listed() == {"night/a/01.png": ONE}


def test_other_content_has_its_own_name(kept: Kept) -> None:
    """And nothing is written over; what came once is found under the name that it had."""
    told = [str(kept.keep(data)) for data in (ONE, TWO, TWO, ONE)]
    assert told == ["night/a/01.png", "night/a/01-2.png", "night/a/01-2.png", "night/a/01.png"]
    assert kept.listed() == {"night/a/01.png": ONE, "night/a/01-2.png": TWO}


def test_many_writers_never_share_a_name(kept: Kept) -> None:
    """All at once, under one name, each with an image of its own."""
    images = [f"image {number}".encode() for number in range(12)]
    parts = [kept.arrived(data) for data in images]

    def keep(number: int) -> str:
        return str(kept.place.keep(parts[number], NAME, ".png", sha256(images[number])))

    with ThreadPoolExecutor(6) as threads:
        names = list(threads.map(keep, range(len(images))))
    assert len({*names}) == len(images)
    assert kept.listed() == dict(zip(names, images, strict=True))


def test_what_is_not_there_has_no_hash(kept: Kept) -> None:
    """And cannot be read."""
    assert kept.place.sha256_of(NAME) is None
    with pytest.raises(FileNotFoundError):
        kept.place.read(NAME)


def test_names_come_to_an_end(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the file stays where it arrived, and may be kept under another one."""
    monkeypatch.setattr("runner.downloads.image_place.MOST_NAMES", 2)
    monkeypatch.setattr("runner.downloads.placement._MOST_NAMES", 2)
    kept.keep(ONE)
    kept.keep(TWO)
    third = b"a third image"
    part = kept.arrived(third)
    with pytest.raises(OSError, match="of that name are there already"):
        kept.place.keep(part, NAME, ".png", sha256(third))
    assert part.read_bytes() == third
    assert str(kept.place.keep(part, PurePosixPath("night/a/02"), ".png", sha256(third))) == "night/a/02.png"


@pytest.fixture
def store(tmp_path: Path) -> tuple[Any, StorePlace]:
    files = memory()
    return files, StorePlace(files, "/pictures", LocalDisk(), tmp_path / "spool")


def test_a_lost_answer_loses_no_image(store: tuple[Any, StorePlace]) -> None:
    """The write took effect, and nobody heard of it: it is looked for, and not made once more."""
    files, place = store
    made = files.pipe_file

    def lost(path: str, data: bytes, **more: Any) -> None:
        made(path, data, **more)
        raise TimeoutError("no answer")

    files.pipe_file = lost
    part = place.spool(NAME.parent) / "01.part"
    part.write_bytes(ONE)
    assert str(place.keep(part, NAME, ".png", sha256(ONE))) == "night/a/01.png"
    assert not part.exists()


@pytest.mark.parametrize("error", [ConnectionResetError("x"), RuntimeError("?X-Amz-Signature=secret")])
def test_a_store_that_is_away_costs_nothing(store: tuple[Any, StorePlace], error: Exception) -> None:
    """The file stays on this machine, and the next try keeps it. No library's text is repeated."""
    files, place = store
    made = files.pipe_file

    def away(*_arguments: Any, **_more: Any) -> None:
        raise error

    files.pipe_file = away
    part = place.spool(NAME.parent) / "01.part"
    part.write_bytes(ONE)
    with pytest.raises(OSError, match=r"^x$|does not answer \(RuntimeError\)") as told:
        place.keep(part, NAME, ".png", sha256(ONE))
    assert "secret" not in str(told.value)
    assert "cannot be written" in (place.trouble() or "")
    assert "secret" not in (place.trouble() or "")
    assert part.read_bytes() == ONE
    files.pipe_file = made
    assert str(place.keep(part, NAME, ".png", sha256(ONE))) == "night/a/01.png"


def test_a_file_that_changed_meanwhile_is_not_kept(store: tuple[Any, StorePlace]) -> None:
    """Its hash is what the table will say of it."""
    files, place = store
    part = place.spool(NAME.parent) / "01.part"
    part.write_bytes(TWO)
    with pytest.raises(OSError, match="not what arrived") as told:
        place.keep(part, NAME, ".png", sha256(ONE))
    assert told.value.errno == errno.EIO
    assert files.store == {}


def test_a_store_that_writes_over_what_it_has_is_refused(
    store: tuple[Any, StorePlace],
) -> None:
    """Not every server that speaks S3 knows the condition; it is found out before anything is paid."""
    files, place = store
    assert place.trouble() is None
    assert files.store == {}, "the probe is gone"
    made = files.pipe_file
    files.pipe_file = lambda path, data, **_more: made(path, data)
    assert "writes over what it has" in (place.trouble() or "")
    assert MOST_NAMES > 9
