"""Reference pictures: which addresses the API can fetch."""

import pytest

from jobs.catalog.image_urls import (
    SHAPE_RULES,
    content_named,
    is_of_this_machine,
    name_by_content,
    reference,
    why_not,
)


@pytest.mark.parametrize(
    "address",
    [
        "https://images.example.com/a.png",
        "HTTPS://images.example.com/a.png?sig=a%2Fb&x=1#top",
        "https://images.example.com:8443/a",
        "https://93.184.216.34/a.png",
        "https://[2606:2800:220:1::1]/a.png",
        "https://bilder.example/\u00fcber.png",
        "http://127.0.0.1:8000/a.png",
        "http://localhost/a.png",
        "http://[::1]:9/a.png",
        "https://localhost/a.png",
        "https://127.0.0.1/a.png",
    ],
)
def test_what_can_be_fetched_is_let_through(address: str) -> None:
    """Public https, and for rehearsals loopback hosts over http too."""
    assert why_not(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("pier.png", "not an address"),
        ("/home/me/pier.png", "not an address"),
        ("C:\\pictures\\pier.png", "not an address"),
        ("images.example.com/a.png", "not an address"),
        ("data:image/png;base64,iVBORw0KGgo=", "data: URI"),
        (" DATA:image/png;base64,AA==", "data: URI"),
        ("http://images.example.com/a.png", "begins with http://"),
        ("http://127.0.0.1.example.com/a.png", "begins with http://"),
        ("http://10.0.0.1/a.png", "begins with http://"),
        ("ftp://images.example.com/a.png", "begins with ftp://"),
        ("file:///home/me/pier.png", "a host is missing"),
        ("https:///a.png", "a host is missing"),
        ("https://images.example.com/my pier.png", "a space"),
        ("https://images.example.com/a.png\n", "a space or line break"),
        ("https://images.example.com/\x7f", "a space"),
        ("https://10.1.2.3/a.png", "private network"),
        ("https://192.168.0.9/a.png", "private network"),
        ("https://[fe80::1]/a.png", "private network"),
        ("https://images.example.com:99999/a.png", "cannot be read"),
        ("https://[zz]/a.png", "cannot be read"),
        ("https://images.example.com/\ud800", "cannot be read"),
    ],
)
def test_what_cannot_be_fetched_is_told(address: str, reason: str) -> None:
    """A sentence that says why, for each way in which an address can be out of the API's reach."""
    sentence = why_not(address)
    assert sentence is not None
    assert reason in sentence


def test_the_published_ratio_stays_as_it_is_published() -> None:
    """0.625 contradicts its own sentence; it is served as it stands, and nothing is refused by it here."""
    ratio = next(rule for rule in SHAPE_RULES if rule["validation_rule"] == "width/height>")
    assert ratio["validation_value"] == 0.625
    assert ratio["validation_error"] == "The aspect ratio range should be 1:16 to 16:1."


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:9000/a.png", True),
        ("https://localhost/a.png", True),
        ("http://[::1]/a.png", True),
        ("https://images.example.com/a.png", False),
        ("https://10.0.0.1/a.png", False),
        ("no address", False),
    ],
)
def test_what_is_of_this_machine(address: str, here: bool) -> None:
    """By its name alone."""
    assert is_of_this_machine(address) is here


def test_a_picture_of_this_computer_is_named_by_its_content() -> None:
    """Inputs may hold such a name; it is no address, and nothing that is only like it is one."""
    digest = "0123456789abcdef" * 4
    for suffix in ("png", "jpg"):
        name = name_by_content(digest, suffix)
        assert content_named(name) == digest
        assert reference(name) == name
        assert why_not(name) is not None
    for text in (
        f"picture:sha256:{digest}",
        f"picture:sha256:{digest}.gif",
        f" picture:sha256:{digest}.png",
        "",
    ):
        assert content_named(text) is None
