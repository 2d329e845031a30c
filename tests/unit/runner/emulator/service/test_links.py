"""Links are opaque, and nobody else can make them."""

import re
import zlib
from base64 import urlsafe_b64decode
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.service.links import Link, mint, read

link = st.builds(
    Link, st.integers(1, 2**32 - 1), st.integers(0, 2**16 - 1), st.floats(0, 1e11, allow_nan=False)
)


MADE_AT = "2026-11-20T22:00:00.000000+00:00"
FORM = re.compile(r"[\w-]+%3D/[\w-]+(%3D)*/output/[\w-]{21}_output\.jpg")


@given(link=link)
def test_a_link_is_read_back(link: Link) -> None:
    """By the emulator that made it, decoded, alone or with its end; it has the form of the API's own."""
    made = mint(link, "nonce", MADE_AT, "jpg")
    assert FORM.fullmatch(made)
    assert read(unquote(made), "nonce") == link
    assert read(made.partition("%3D")[0], "nonce") == link
    assert read(unquote(made), "another") is None


def test_a_link_tells_when_its_request_was_made() -> None:
    """As the API's does; the name is that of the image, however often its link is made anew."""
    first, again = (mint(Link(1, 0, expires), "nonce", MADE_AT, "png") for expires in (5.0, 6.0))
    token, time, _output, name = unquote(first).split("/")
    assert zlib.decompress(urlsafe_b64decode(time)).decode() == MADE_AT
    assert again.endswith(name)
    assert token not in unquote(again)


@given(segment=st.text(max_size=60))
def test_anything_else_is_no_link(segment: str) -> None:
    """Whatever it is, it raises nothing."""
    assert read(segment, "nonce") is None


@given(link=link, at=st.integers(0, 40))
def test_a_changed_link_is_no_link(link: Link, at: int) -> None:
    """One letter is enough."""
    made = unquote(mint(link, "nonce", MADE_AT, "jpg"))
    other = "A" if made[at] != "A" else "B"
    assert read(made[:at] + other + made[at + 1 :], "nonce") is None
