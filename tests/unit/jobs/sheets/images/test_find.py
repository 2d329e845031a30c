"""From a text to files of this computer: which, in what order, and which never."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.sheets.images import find
from jobs.sheets.images.find import Folders, NotFound, find_files, natural_key


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A sheet's folder with pictures below it, and a secret beside it."""
    for name in (
        *("refs/hero/10.png", "refs/hero/2.PNG", "refs/hero/.hidden.png", "refs/hero/notes.txt"),
        *("refs/boat/1.png", "refs/Boat2/1.png", "refs/a[1].png", "pier.jpg", "refs/hero/inner/9.png"),
    ):
        path = tmp_path / "sheets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "logo.png").write_bytes(b"x")
    return tmp_path / "sheets"


def found(text: str, place: Path, *others: Path) -> list[str]:
    """The files, as seen from the sheet's folder."""
    files = find_files(text, Folders.of(place, others))
    assert not isinstance(files, NotFound), files
    return [Path(os.path.relpath(path, place.resolve())).as_posix() for path in files]


def why_not(text: str, place: Path) -> str:
    """Why there are none."""
    files = find_files(text, Folders.of(place))
    assert isinstance(files, NotFound), files
    return files.message


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("pier.jpg", ["pier.jpg"]),
        ("./refs/../pier.jpg", ["pier.jpg"]),
        ("refs/hero/.hidden.png", ["refs/hero/.hidden.png"]),
        ("refs/hero", ["refs/hero/2.PNG", "refs/hero/10.png"]),
        ("refs/hero/", ["refs/hero/2.PNG", "refs/hero/10.png"]),
        ("refs/hero/*.png", ["refs/hero/10.png"]),
        ("refs/hero/*", ["refs/hero/2.PNG", "refs/hero/10.png", "refs/hero/notes.txt"]),
        ("refs/hero/?.PNG", ["refs/hero/2.PNG"]),
        ("refs/[bB]oat*/1.png", ["refs/boat/1.png", "refs/Boat2/1.png"]),
        ("refs/a[1].png", ["refs/a[1].png"]),
    ],
)
def test_a_file_a_folder_and_a_pattern(place: Path, text: str, files: list[str]) -> None:
    """In natural order; hidden files only by their name; a name that is there is no pattern."""
    assert found(text, place) == files


def test_a_folder_that_a_setting_names(place: Path) -> None:
    """By its whole path, or from the sheet's folder."""
    library = place.parent / "library"
    assert found(str(library / "*.png"), place, library) == ["../library/logo.png"]
    assert found("../library/logo.png", place, library) == ["../library/logo.png"]
    assert found(str(place / "pier.jpg"), place) == ["pier.jpg"]


@pytest.mark.parametrize(
    "text",
    [
        *("../secret.png", "refs/../../secret.png", "/etc/hostname", "/etc", "/", "..", "../*.png", "/*"),
        *("refs/../../*.png", "../sheets2/a.png", "../nowhere/near.png"),
    ],
)
def test_nothing_outside_is_read(place: Path, text: str) -> None:
    """Nor is anybody told whether it is there."""
    assert "not below the sheet's folder" in why_not(text, place)


def test_no_link_leads_out(place: Path) -> None:
    """A link to a file, to a folder, one that a pattern meets on its way; one that stays inside is fine."""
    (place / "refs" / "out.png").symlink_to(place.parent / "secret.png")
    (place / "away").symlink_to(place.parent)
    (place / "in.png").symlink_to(place / "pier.jpg")
    for text in ("refs/out.png", "refs/*.png", "away/secret.png", "away/*.png", "aw*/*.png", "away"):
        assert "not below the sheet's folder" in why_not(text, place), text
    assert found("in.png", place) == ["pier.jpg"]


def test_a_link_that_leads_to_itself(place: Path) -> None:
    """Is told, and followed no further."""
    (place / "loop.png").symlink_to(place / "loop.png")
    assert find_files("loop.png", Folders.of(place)) is not None
    assert isinstance(find_files("loop.png", Folders.of(place)), NotFound)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nobody.png", "no such file"),
        ("pier.jpg/inner.png", "no such file"),
        ("refs/*.webp", "Nothing has a name like this"),
        ("nowhere/*.png", "Nothing has a name like this"),
        ("refs/boat/../boat", ""),
        ("~/pier.jpg", "~"),
        ("~root/x.png", "~"),
        ("refs/**/*.png", "not **"),
        ("refs/*/../*.png", "not **"),
        ("a\0b.png", "cannot be the name"),
        ("\ud800.png", "cannot be the name"),
        ("x" * 5000, "cannot be the name"),
    ],
)
def test_what_names_nothing_is_told(place: Path, text: str, words: str) -> None:
    """A sentence for each."""
    if words:
        assert words in why_not(text, place)
    else:
        assert found(text, place) == ["refs/boat/1.png"]


def test_an_empty_folder_has_no_picture(place: Path) -> None:
    """Folders in it, and what is none by its ending, do not count."""
    (place / "empty" / "inner.png").mkdir(parents=True)
    (place / "empty" / "notes.txt").write_text("x")
    assert "no picture in this folder" in why_not("empty", place)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in this file system")
def test_pipes_are_no_files(place: Path) -> None:
    """Not waited for, and left out of folders and patterns."""
    os.mkfifo(place / "pipe.png")
    assert "a device or a pipe" in why_not("pipe.png", place)
    assert found("*.*", place) == ["pier.jpg"]


def test_devices_are_no_files(place: Path) -> None:
    """Even where a setting lets their folder in."""
    files = find_files("/dev/zero", Folders.of(place, [Path("/dev")]))
    assert isinstance(files, NotFound)


def test_a_pattern_that_finds_too_much(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not followed to its end."""
    monkeypatch.setattr(find, "MOST_FOUND", 1)
    assert "more than 1 files" in why_not("refs/hero", place)


def test_natural_order() -> None:
    """2 before 10, capitals like small letters, and a rule for what is then alike."""
    names = ["10.png", "B.png", "a.png", "2.png", "A.png", "02.png", "a2b10", "a2b9", "a10"]
    assert sorted(names, key=natural_key) == [
        *("02.png", "2.png", "10.png", "a2b9", "a2b10", "a10", "A.png", "a.png", "B.png")
    ]


@given(st.lists(st.text(max_size=12), max_size=12))
def test_every_list_of_names_has_one_order(names: list[str]) -> None:
    """Whatever order a folder lists them in."""
    shuffled = [*names[1:], *names[:1]]
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)


@given(st.text(alphabet="./~*?[]aes\\\0é", max_size=20))
def test_no_text_leads_out_or_fails(text: str) -> None:
    """Whatever a sheet says."""
    here = Path(__file__).parent
    files = find_files(text, Folders.of(here))
    if not isinstance(files, NotFound):
        assert all(path.is_relative_to(here.resolve()) for path in files)
