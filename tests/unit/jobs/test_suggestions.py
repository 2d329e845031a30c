"""Near misses: names, choices and sizes."""

import pytest

from jobs.suggestions import closest, did_you_mean, edit_distance, match_choice, nearest_choice, similar

SIZES = ("2K", "4K", "2048x2048 (1:1)", "2560x1440 (16:9)", "1440x2560 (9:16)", "4096x4096 (1:1)")
COLONS = ("2048:2048 (1:1)", "2560:1440 (16:9)")


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("prompt", "prompt", 0),
        ("promt", "prompt", 1),
        ("pormpt", "prompt", 1),
        ("porpmt", "prompt", 2),
        ("szie", "size", 1),
        ("sets", "seed", 2),
        ("", "id", 2),
    ],
)
def test_edit_distance_counts_letters_to_change(one: str, other: str, distance: int) -> None:
    """Inserting, deleting, replacing and swapping letters count one each, in both directions."""
    assert edit_distance(one, other) == edit_distance(other, one) == distance


def test_closest_finds_the_name_despite_capitals() -> None:
    """Capitals and a slip do not hide a name, and it comes back as it is spelled."""
    assert closest(" HERO_ ", ["boat", "Hero"]) == "Hero"


@pytest.mark.parametrize("word", ["zzz", "", "x" * 101])
def test_closest_gives_nothing_for_what_is_far_or_long(word: str) -> None:
    """A word that resembles nothing, or is longer than any name, gets no suggestion."""
    assert closest(word, ["hero", "x" * 100]) is None


def test_similar_names_come_best_first() -> None:
    """As many as are wanted, as like as is wanted; capitals count here."""
    names = ["boat", "goats", "HERO", "goat"]
    assert similar("goat", names, count=3) == ["goat", "goats", "boat"]
    assert similar("goat", names) == ["goat"]
    assert similar("goatz", names, count=3, likeness=0.85) == ["goat"]
    assert similar("hero", names) == []


def test_a_hint_names_what_was_meant_or_says_the_rest() -> None:
    """Nothing meant, and no text for one, are the same."""
    assert did_you_mean("hero", "There are two.") == "Did you mean hero?"
    assert did_you_mean(None, "There are two.") == did_you_mean("", "There are two.") == "There are two."


@pytest.mark.parametrize(
    ("text", "choices", "choice"),
    [
        ("2048x2048", SIZES, "2048x2048 (1:1)"),
        ("2048:2048", SIZES, "2048x2048 (1:1)"),
        (" 2048 X 2048(1 : 1) ", SIZES, "2048x2048 (1:1)"),
        ("2048\u00d72048", SIZES, "2048x2048 (1:1)"),
        ("2048*2048", SIZES, "2048x2048 (1:1)"),
        ("2048:2048 (1:1)", SIZES, "2048x2048 (1:1)"),
        ("2048x2048", COLONS, "2048:2048 (1:1)"),
        ("2560x1440 (16:9)", COLONS, "2560:1440 (16:9)"),
        ("2k", SIZES, "2K"),
        ("2K", SIZES, "2K"),
        ("FAST", ("fast", "standard"), "fast"),
        ("2048x2048 (16:9)", SIZES, None),
        ("4096x4096", COLONS, None),
        ("2048", SIZES, None),
        ("2048x2048" + " " * 200, SIZES, None),
        ("", SIZES, None),
    ],
)
def test_a_choice_is_matched_in_any_spelling(text: str, choices: tuple[str, ...], choice: str | None) -> None:
    """Both families' spellings are understood, with and without the label; a label that disagrees is not."""
    assert match_choice(text, choices) == choice


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2048:2048", "2048x2048 (1:1)"),
        ("1024x1024", "2048x2048 (1:1)"),
        ("4000x4000", "4096x4096 (1:1)"),
        ("16:9", "2560x1440 (16:9)"),
        ("1080x1920", "1440x2560 (9:16)"),
        ("2048x2048 (16:9)", "2048x2048 (1:1)"),
        ("3000x100", None),
        ("0x100", None),
        ("4 K", "4K"),
        ("enormous", None),
        ("9" * 101, None),
    ],
)
def test_the_choice_that_was_meant_is_suggested(text: str, meant: str | None) -> None:
    """By spelling, else by shape and then area, else by letters; else nothing."""
    assert nearest_choice(text, SIZES) == meant


def test_a_size_is_not_suggested_where_no_choice_is_one() -> None:
    """A shape says nothing about choices that are words."""
    assert nearest_choice("16:9", ("fast", "standard")) is None


def test_several_names_may_be_close() -> None:
    """The best first, three at most, and none that is not like it; capitals count, as in keys."""
    assert similar("fox-1", ["owl", "fox-10", "fox-1", "fox-2", "fox-3"], count=3)[0] == "fox-1"
    assert len(similar("fox", ["fox1", "fox2", "fox3", "fox4"], count=3)) == 3
    assert similar("FOX", ["fox"], count=3) == []
    assert similar("zebra", ["fox", "owl"], count=3) == []
