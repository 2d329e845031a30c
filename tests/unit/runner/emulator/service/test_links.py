"""Links are opaque, and nobody else can make them."""

from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.service.links import Link, mint, read

link = st.builds(
    Link, st.integers(1, 2**32 - 1), st.integers(0, 2**16 - 1), st.floats(0, 1e11, allow_nan=False)
)


@given(link=link)
def test_a_link_is_read_back(link: Link) -> None:
    """By the emulator that made it."""
    segment = mint(link, "nonce")
    assert segment.isascii()
    assert "=" not in segment
    assert read(segment, "nonce") == link
    assert read(segment, "another") is None


@given(segment=st.text(max_size=60))
def test_anything_else_is_no_link(segment: str) -> None:
    """Whatever it is, it raises nothing."""
    assert read(segment, "nonce") is None


@given(link=link, at=st.integers(0, 40))
def test_a_changed_link_is_no_link(link: Link, at: int) -> None:
    """One letter is enough."""
    segment = mint(link, "nonce")
    other = "A" if segment[at] != "A" else "B"
    assert read(segment[:at] + other + segment[at + 1 :], "nonce") is None
