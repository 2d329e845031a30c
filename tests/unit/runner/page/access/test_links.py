"""Links that another process of the same user makes: taken once, within a minute, and from nobody else."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.page.access.links import PageNote, announced, lay_link, served_pages
from runner.page.access.session import LINK_SECONDS, PageSession
from tests.support.served_page import SteppedClock

DATABASE = Path("/somewhere/night.db")
Laid = Callable[[str], bool]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The user's state folder, which is not there yet."""
    return tmp_path / "state"


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def laid(state: Path, clock: SteppedClock) -> Iterator[Laid]:
    """What a page on port 8760 asks."""
    with announced(state, DATABASE, 8760, clock) as laid:
        yield laid


def only(state: Path, database: Path = DATABASE) -> PageNote:
    """The one page there is."""
    (page,) = served_pages(state, database)
    return page


def files(state: Path) -> list[Path]:
    return sorted(path for path in state.rglob("*") if path.is_file())


def test_a_link_is_taken_once(state: Path, clock: SteppedClock, laid: Laid) -> None:
    """And only what was laid."""
    link, other = (lay_link(state, only(state), clock) for _ in range(2))
    assert not laid("guess")
    assert laid(link)
    assert not laid(link)
    assert laid(other)


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(LINK_SECONDS, True), (LINK_SECONDS + 1, False), (-1, False)]
)
def test_a_link_is_good_for_a_minute(
    state: Path, clock: SteppedClock, laid: Laid, seconds: float, *, is_good: bool
) -> None:
    """Not longer, and not from a time to come: a clock that was set back makes none good for an hour."""
    link = lay_link(state, only(state), clock)
    clock.advance(seconds)
    assert laid(link) is is_good
    assert not laid(link)


def test_nothing_lies_there_that_opens_the_page(state: Path, clock: SteppedClock, laid: Laid) -> None:
    """The link itself is in no file; neither files nor their names let anybody in."""
    link = lay_link(state, only(state), clock)
    for path in files(state):
        text = path.read_text()
        assert link not in text
        assert link not in path.name
        for guess in (path.stem, path.name, text, path.stem.partition("-")[2]):
            assert not laid(guess)
    assert laid(link)


def test_only_the_user_reads_it(state: Path, clock: SteppedClock, laid: Laid) -> None:
    """Whatever the umask is."""
    before = os.umask(0)
    try:
        lay_link(state, only(state), clock)
    finally:
        os.umask(before)
    assert stat.S_IMODE((state / "pages").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(state)} == {0o600}


def open_to_others(state: Path) -> None:
    (state / "pages").mkdir(parents=True)
    (state / "pages").chmod(0o770)


def linked(state: Path) -> None:
    state.mkdir()
    (state / "elsewhere").mkdir(mode=0o700)
    (state / "pages").symlink_to("elsewhere", target_is_directory=True)


def a_file(state: Path) -> None:
    state.mkdir()
    (state / "pages").write_text("mine")


def of_nobody(state: Path) -> None:
    state.write_text("no folder at all")


@pytest.mark.parametrize("spoil", [open_to_others, linked, a_file, of_nobody])
def test_a_folder_that_others_can_write_to_is_not_used(
    state: Path, clock: SteppedClock, spoil: Callable[[Path], None]
) -> None:
    """Somebody else would lay a link, and be let in. The page is served all the same."""
    note = PageNote("a" * 16, str(DATABASE), "here", 1, 8760)
    spoil(state)
    with announced(state, DATABASE, 8760, clock) as laid:
        assert served_pages(state, DATABASE) == []
        with pytest.raises(OSError, match="alone"):
            lay_link(state, note, clock)
        assert not laid("anything")


def test_without_a_state_folder_there_are_none(clock: SteppedClock) -> None:
    """As in a rehearsal of the page's own tests."""
    with announced(None, DATABASE, 8760, clock) as laid:
        assert not laid("anything")


def test_a_full_disk_costs_the_links_and_no_page(
    state: Path, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is served; what its body raises is its own."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.page.access.links._write_new", full)
    with (
        pytest.raises(OSError, match="of the body"),
        announced(state, DATABASE, 8760, clock),
    ):
        raise OSError("of the body")
    assert files(state) == []


def test_nothing_is_left_of_a_page_that_ends(state: Path, clock: SteppedClock) -> None:
    """Links that nobody used included."""
    with announced(state, DATABASE, 8760, clock):
        lay_link(state, only(state), clock)
        assert len(files(state)) == 3
    assert files(state) == []
    assert served_pages(state, DATABASE) == []


def test_pages_are_told_apart(state: Path, clock: SteppedClock, laid: Laid) -> None:
    """By their database, their port and their machine: a link opens the page that it was made for."""
    with announced(state, DATABASE, 8761, clock) as second, announced(state, Path("/other.db"), 1, clock):
        pages = served_pages(state, DATABASE)
        assert [page.port for page in pages] == [8760, 8761]
        link = lay_link(state, pages[1], clock)
        assert not laid(link)
        assert second(link)
        note = only(state, Path("/other.db"))
        elsewhere = json.dumps({name: getattr(replace(note, host="far"), name) for name in note.__slots__})
        (state / "pages" / f"{note.token}.page").write_text(elsewhere)
        assert served_pages(state, Path("/other.db")) == []


def test_what_a_killed_page_left_is_removed(state: Path, clock: SteppedClock) -> None:
    """Its lock is free, so nobody is there: no address of it is printed."""
    with announced(state, DATABASE, 8760, clock):
        lay_link(state, only(state), clock)
        left = {path: path.read_bytes() for path in files(state)}
    for path, data in left.items():
        path.write_bytes(data)
    (state / "pages" / "torn.page").write_text("{")
    assert served_pages(state, DATABASE) == []
    assert [path.name for path in files(state)] == ["torn.page"]


def test_a_session_takes_a_laid_link(state: Path, clock: SteppedClock, laid: Laid) -> None:
    """Beside its own; wrong ones are counted all the same."""
    session = PageSession(clock)
    session.laid = laid
    link, late = (lay_link(state, only(state), clock) for _ in range(2))
    assert session.enter(link) is not None
    assert session.enter(link) is None
    for _ in range(4):
        assert session.enter("guess") is None
    assert session.enter(late) is None, "five wrong ones, and none is taken for a minute"
