"""Folder and file names."""

from pathlib import PurePosixPath

import pytest

from jobs.disk.paths import DEFAULT_TEMPLATE, check_template, folder_name, image_path, suffixed
from jobs.errors import UsageProblem


def place(template: str = DEFAULT_TEMPLATE, **changes: object) -> PurePosixPath:
    """A picture's path with everything ordinary but what the test is about."""
    given = {
        "batch": "night",
        "folder": "hero",
        "index": 1,
        "total": 3,
        "model": "bytedance/seedream-4-5/edit",
    }
    return image_path(template, **(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["hero", "row-12", "v1.0", "A_b", "0", "a" * 80, "console", "com10"])
def test_a_safe_key_is_its_own_folder(key: str) -> None:
    """What a user sees in the sheet is what they find on disk."""
    assert folder_name(key) == key


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("Größe 1", "grosse-1-"),
        ("a/b", "a-b-"),
        ("../../etc/passwd", "etc-passwd-"),
        ("..", "job-"),
        ("", "job-"),
        ("猫", "job-"),
        (".hidden", "hidden-"),
        ("-rf", "rf-"),
        ("name.", "name-"),
        ("name ", "name-"),
        ("con", "con-"),
        ("NUL.txt", "nul-txt-"),
        ("com1", "com1-"),
        ("LPT9.a.b", "lpt9-a-b-"),
        ("manifest.jsonl", "manifest-jsonl-"),
        ("Manifest.csv", "manifest-csv-"),
        ("COM¹", "com1-"),
        ("a:b", "a-b-"),
        ("a\0b", "a-b-"),
        ("a" * 81, "a" * 60 + "-"),
        ("\ud800", "job-"),
        ("\N{FULLWIDTH SOLIDUS}x", "x-"),
    ],
)
def test_any_other_key_becomes_a_slug_and_a_hash(key: str, folder: str) -> None:
    """Readable, and told apart by eight digits of the key's hash."""
    name = folder_name(key)
    assert name[:-8] == folder
    assert len(name) == len(folder) + 8
    assert int(name[-8:], 16) >= 0


def test_a_hash_tells_keys_of_one_slug_apart() -> None:
    """`a/b` and `a b` have one slug and two folders."""
    assert folder_name("a/b") != folder_name("a b")


@pytest.mark.parametrize(("revision", "folder"), [(1, "hero"), (2, "hero-2"), (11, "hero-11")])
def test_a_later_revision_has_a_folder_of_its_own(revision: int, folder: str) -> None:
    """A changed row never writes among the pictures of the row that it replaces."""
    assert folder_name("hero", revision) == folder


def test_a_suffix_never_repeats_itself() -> None:
    """Somebody may have named a row after our own suffix: then it is taken, and another one comes."""
    names = ["hero"]
    for _ in range(5):
        names.append(suffixed(names[-1], "Hero"))
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 89
    assert names[1].startswith("hero-")


def test_a_suffix_belongs_to_the_key() -> None:
    """Two keys that both find `hero` taken do not meet again."""
    assert suffixed("hero", "Hero") != suffixed("hero", "HERO")


def test_the_default_place_is_batch_key_and_a_padded_index() -> None:
    """No ending: that is for the decoded format to say."""
    assert place() == PurePosixPath("night/hero/01")
    assert place(index=123) == PurePosixPath("night/hero/123")


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{key}/{index}", "hero/1"),
        ("{key}-{index:03d}", "hero-001"),
        ("{model}/{key}_{index:d}_of_{total}", "bytedance-seedream-4-5-edit/hero_1_of_3"),
        ("my pictures/{key}{index}", "my pictures/hero1"),
    ],
)
def test_a_template_places_pictures(template: str, path: str) -> None:
    """Every placeholder, with and without a width."""
    assert place(template) == PurePosixPath(path)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{key}", "{index}"),
        ("{index}", "{key}"),
        ("all", "{key}"),
        ("{key}/{index}/{prompt}", "{prompt} is unknown"),
        ("{key}/{index.real}", "{index.real} is unknown"),
        ("{key}/{index[0]}", "unknown"),
        ("{key}/{index}{}", "{} is unknown"),
        ("{key!r}/{index}", "cannot be written"),
        ("{key:>9}/{index}", "cannot be written"),
        ("{key}/{index:2d}", "cannot be written"),
        ("{key}/{index:{total}}", "cannot be written"),
        ("{key}/{index:f}", "cannot be written"),
        ("/{key}/{index}", "relative"),
        ("../{key}/{index}", "relative"),
        ("{key}/../{index}", "relative"),
        ("{key}/./{index}", "relative"),
        ("{key}//{index}", "relative"),
        ("{key}/{index}/", "relative"),
        ("{key}/ /{index}", "relative"),
        ("C:{key}/{index}", "file names"),
        ("{key}\\{index}", "file names"),
        ("{key}/{{{index}", "file names"),
        ("{key}/{index}\n", "file names"),
        ("{key/{index}", "cannot be read"),
        ("{key}/{index", "cannot be read"),
    ],
)
def test_a_template_that_could_lose_a_picture_is_refused(template: str, why: str) -> None:
    """Refused when it is set, before anything is paid, with the reason."""
    with pytest.raises(UsageProblem) as refused:
        check_template(template)
    assert why in refused.value.message
    assert DEFAULT_TEMPLATE in refused.value.hint


def test_the_default_template_passes_its_own_check() -> None:
    """A setting left alone is never refused."""
    check_template(DEFAULT_TEMPLATE)


@pytest.mark.parametrize(
    ("template", "changes", "path"),
    [
        ("{key}.{index}", {"folder": "con"}, "_con.1"),
        ("{key}/{index}", {"folder": "aux"}, "_aux/1"),
        (".{key}/{index}", {}, "_.hero/1"),
        ("{key}./{index}", {}, "hero._/1"),
        ("{key}/{index} ", {}, "hero/1 _"),
        ("{key}/{index}", {"folder": "../up"}, f"{folder_name('../up')}/1"),
        ("{batch}/{key}/{index}", {"batch": "../.."}, f"{folder_name('../..')}/hero/1"),
        ("{model}/{key}/{index}", {"model": "///"}, "model/hero/1"),
        ("{model}/{key}/{index}", {"model": "nul"}, "_nul/hero/1"),
    ],
)
def test_every_component_of_a_path_is_made_safe(template: str, changes: dict[str, object], path: str) -> None:
    """Harmless pieces may join to a device name or a hidden file."""
    assert place(template, **changes) == PurePosixPath(path)


def test_a_very_long_component_is_cut_and_keeps_its_difference() -> None:
    """Most file systems end a name at 255 bytes."""
    long = "{key}" * 3 + "{index}"
    first, second = place(long, folder="k" * 80), place(long, folder="k" * 80, index=2)
    assert len(first.name) == 200
    assert first != second
