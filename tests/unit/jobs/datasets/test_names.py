"""Names of copies: safe everywhere, without a dot, and each image's own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.datasets.names import image_name

KEYS = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"[a-zA-Z0-9._-]{1,70}", fullmatch=True),
    st.sampled_from(["con", "a-01"]),
)


@pytest.mark.parametrize(
    ("key", "name"),
    [("fox", "fox-03"), ("p-0010", "p-0010-03"), ("con", "con-03"), ("a_b", "a_b-03")],
)
def test_a_plain_key_is_the_name(key: str, name: str) -> None:
    """Whoever reads it knows the row."""
    assert image_name(key, 3) == name


@pytest.mark.parametrize("key", ["Fox", "a.b", "a/b", "..", "", "ein Fuchs", "狐", "x" * 61, "\ud800", "-a"])
def test_any_other_key_has_a_hash(key: str) -> None:
    """In it: with case ignored, two keys stay two names."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*-[0-9a-f]{16}-01", image_name(key, 1))


@given(st.tuples(KEYS, st.integers(1, 120)), st.tuples(KEYS, st.integers(1, 120)))
def test_no_two_images_share_a_name(one: tuple[str, int], other: tuple[str, int]) -> None:
    """Whatever their keys are, one may look like another's name."""
    names = [image_name(*one), image_name(*other)]
    assert (names[0].lower() == names[1].lower()) == (one == other)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", name) for name in names)


def test_a_key_that_looks_hashed_is_hashed() -> None:
    """Else it could be the name of another."""
    hashed = image_name("A", 1).removesuffix("-01")
    assert image_name(hashed, 1) != image_name("A", 1)
