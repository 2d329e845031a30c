"""What is said against a picture: refused by all that the page says, or by one half of it."""

import pytest

from jobs.catalog.image_rules import MEBIBYTE, Shape, flaws_of
from jobs.catalog.image_urls import SHAPE_RULES

SOUND = Shape("JPEG", 1000, 800, 5_000_000)


def told(**changes: object) -> list[tuple[bool, str]]:
    """Whether each flaw is refused, and its words."""
    fields = {name: getattr(SOUND, name) for name in ("format", "width", "height", "bytes")}
    return [(flaw.refused, flaw.message) for flaw in flaws_of(Shape(**fields | changes))]


def test_nothing_is_said_of_a_sound_picture() -> None:
    """Neither of one whose size nobody told."""
    assert flaws_of(SOUND) == ()
    assert told(format="PNG", bytes=None) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "WEBP"}, "WEBP"),
        ({"format": "GIF"}, "jpeg and png"),
        ({"bytes": 10 * MEBIBYTE}, "less than 10 MB"),
        ({"bytes": 40_000_000}, "40.00 MB"),
        ({"width": 14, "height": 20}, "must exceed 14 pixels"),
        ({"height": 14, "width": 100}, "a height of 14"),
        ({"width": 6001, "height": 5000}, "must not exceed 6000 pixels"),
        ({"width": 5000, "height": 6001}, "a height of 6001"),
        ({"width": 100, "height": 1601}, "1:16 to 16:1"),
        ({"width": 1601, "height": 100}, "a ratio of 16.01"),
    ],
)
def test_what_rule_and_sentence_refuse_is_refused(changes: dict[str, object], words: str) -> None:
    """Once, with what was measured and the page's own sentence."""
    ((refused, message),) = told(**changes)
    assert refused
    assert words in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bytes": 10_000_000}, "file_size_mb< 10"),
        ({"bytes": 10 * MEBIBYTE - 1}, "10.49 MB"),
        ({"width": 1080, "height": 1920}, "width/height> 0.625"),
        ({"width": 100, "height": 1600}, "a ratio of 0.0625"),
        ({"width": 1600, "height": 100}, "width/height< 16"),
        ({"width": 6000, "height": 5000}, "width_pixels< 6000"),
        ({"width": 5000, "height": 6000}, "height_pixels< 6000"),
        ({"colours": "CMYK"}, "CMYK"),
        ({"turned": True}, "EXIF"),
        ({"animated": True}, "animated"),
    ],
)
def test_what_only_one_of_them_refuses_is_warned_of(changes: dict[str, object], words: str) -> None:
    """A portrait of a telephone, 9:16, is what the published ratio would refuse."""
    ((refused, message),) = told(**changes)
    assert not refused
    assert words in message


def test_all_flaws_at_once() -> None:
    """A picture may be wrong in many ways."""
    flaws = told(format="WEBP", width=10, height=9000, bytes=50_000_000)
    assert [refused for refused, _ in flaws] == [True] * 5


def test_every_published_rule_is_held_against_pictures() -> None:
    """A rule that is added must be measured, or this fails."""
    assert {str(rule["validation_rule"])[:-1] for rule in SHAPE_RULES} == {
        *("file_size_mb", "width/height", "width_pixels", "height_pixels")
    }
