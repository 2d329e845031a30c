"""Hostile keys against the rules of three operating systems."""

import itertools
import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.disk.paths import DEFAULT_TEMPLATE, folder_name, image_path, suffixed

WINDOWS_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"
}


def fits_windows(name: str) -> bool:
    """Microsoft's "Naming Files, Paths, and Namespaces"."""
    stem = name.split(".", maxsplit=1)[0].rstrip(" ").lower()
    return not (
        re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
        or name != name.rstrip(". ")
        or stem in WINDOWS_DEVICES
        or len(name) > 255
        or not name
    )


def fits_macos(name: str) -> bool:
    """No separators old or new, 255 bytes, the same in both Unicode spellings."""
    return (
        bool(name)
        and not set(name) & {"/", ":", "\0"}
        and len(name.encode()) <= 255
        and unicodedata.normalize("NFD", name) == unicodedata.normalize("NFC", name)
    )


def fits_linux(name: str) -> bool:
    """Any bytes but the separator and NUL; and nothing that a shell takes for an option."""
    return name not in {"", ".", ".."} and not set(name) & {"/", "\0"} and not name.startswith("-")


SYSTEMS = {"windows": fits_windows, "macos": fits_macos, "linux": fits_linux}

CORES = [
    *(
        "con",
        "NUL",
        "com1",
        "COM¹",
        "lpt³",
        "aux",
        "conin$",
        "..",
        ".",
        "",
        " ",
        "-rf",
        "~",
        "hero",
        "HERO",
        "Hero",
    ),
    *(
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "C:\\x",
        "\\\\host\\share",
        "/dev/null",
        "//x",
        "a/b",
        "a\\b",
        "a:b",
    ),
    *(
        "é",
        "e\u0301",
        "\N{FULLWIDTH FULL STOP}\N{FULLWIDTH FULL STOP}",
        "\N{ONE DOT LEADER}",
        "\u202egnp.exe",
    ),
    *(
        "\ufeffkey",
        "猫",
        "🐈",
        "\ud800",
        "a\0b",
        "a\nb",
        "a\tb",
        "$(rm)",
        "`id`",
        "%2e%2e",
        "a*b?",
        '"q"',
        "<x>",
        "|",
    ),
    *(
        "x" * 79,
        "x" * 80,
        "x" * 81,
        "x" * 5000,
        "ß",
        "İ",
        "\N{LATIN SMALL LETTER DOTLESS I}",
        "\N{LATIN SMALL LETTER LONG S}",
        "\N{KELVIN SIGN}",
        "Thumbs.db",
        "desktop.ini",
    ),
]
HOSTILE = [
    *dict.fromkeys(
        before + core + after
        for core, before, after in itertools.product(CORES, ("", ".", "x"), ("", ".", " ", ".txt"))
    )
]


def hand_out(keys: list[str]) -> dict[str, str]:
    """A folder for each key, as the loader gives them: a clash that ignores case takes the suffix."""
    given_out: dict[str, str] = {}
    taken: set[str] = set()
    for key in keys:
        folder = folder_name(key)
        while folder.lower() in taken:
            folder = suffixed(folder, key)
        taken.add(folder.lower())
        given_out[key] = folder
    return given_out


def test_there_are_enough_hostile_names() -> None:
    """The corpus has not shrunk by accident."""
    assert len(HOSTILE) >= 500


@pytest.mark.parametrize("system", SYSTEMS)
def test_hostile_keys_fit_every_system(system: str) -> None:
    """Each name is one that the system would create, as folder and as part of a picture's path."""
    fits: Callable[[str], bool] = SYSTEMS[system]
    for key, folder in hand_out(HOSTILE).items():
        assert fits(folder), key
        path = image_path(DEFAULT_TEMPLATE, batch=key, folder=folder, index=1, total=1, model=key)
        assert len(path.parts) == 3
        assert all(fits(part) for part in path.parts), key


def test_hostile_keys_never_share_a_folder() -> None:
    """Injective even where case and Unicode spelling are ignored."""
    folders = hand_out(HOSTILE)
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in folders.values()}) == len(HOSTILE)


@given(st.lists(st.text(max_size=120), unique=True, max_size=12))
def test_any_keys_get_safe_and_different_folders(keys: list[str]) -> None:
    """Whatever a sheet holds."""
    folders = hand_out(keys)
    assert len({name.lower() for name in folders.values()}) == len(keys)
    for name in folders.values():
        assert fits_windows(name)
        assert fits_macos(name)
        assert fits_linux(name)


@given(st.text(max_size=20), st.integers(min_value=1, max_value=50))
def test_a_key_named_after_our_own_suffix_is_told_apart(key: str, revision: int) -> None:
    """A row may be called exactly what another row's folder was made to be."""
    made = folder_name(key, revision)
    keys = [key.upper(), key.lower(), key, made, suffixed(made, key)]
    assert len({name.lower() for name in hand_out(list(dict.fromkeys(keys))).values()}) == len(set(keys))


@given(
    template=st.sampled_from(
        ["{batch}{key}.{index}", ".{key}./{index:05d}", "{model} {key}/{total}-{index}"]
    ),
    batch=st.text(max_size=300),
    folder=st.text(max_size=300),
    model=st.text(max_size=300),
    index=st.integers(min_value=1, max_value=10**9),
)
def test_a_filled_template_stays_inside_and_safe(
    template: str, batch: str, folder: str, model: str, index: int
) -> None:
    """No combination of texts leaves the output folder or makes a name that a system refuses."""
    path = image_path(template, batch=batch, folder=folder, index=index, total=index, model=model)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert all(fits_windows(part) and fits_macos(part) and fits_linux(part) for part in path.parts)
