"""Encodings by name."""

import codecs

import pytest

from jobs.sheets.files.encodings import _ENCODINGS, alternatives, canonical


@pytest.mark.parametrize(
    ("name", "found"),
    [("cp1252", "cp1252"), (" Windows-1252 ", "cp1252"), ("LATIN1", "latin-1"), ("UTF8", "utf-8")],
)
def test_an_encoding_has_many_names(name: str, found: str) -> None:
    """And one of ours."""
    assert canonical(name) == found


@pytest.mark.parametrize("name", ["", "cp125", "utf-7", "unicode_escape", "base64", "a\0", "\u00fc"])
def test_what_is_none_of_them(name: str) -> None:
    """Some make half a character, some are no encoding of text."""
    assert canonical(name) is None
    assert "One of: utf-8, " in alternatives(name)


@pytest.mark.parametrize("name", list(_ENCODINGS.values()))
def test_whatever_they_read_can_be_sent(name: str) -> None:
    """No byte becomes something that has no UTF-8 of its own."""
    for byte in range(256):
        bytes([byte, 65, 66, 67]).decode(name, "replace").encode()
    assert codecs.lookup(name)
