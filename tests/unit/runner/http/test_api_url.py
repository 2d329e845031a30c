"""The API base: what is accepted, and which origin it is."""

import pytest

from jobs.errors import UsageProblem
from runner.http.api_url import (
    checked_base,
    is_loopback,
    origin,
    split_origin,
)


@pytest.mark.parametrize(
    ("text", "base", "where"),
    [
        ("https://API.Example.com/v1", "https://api.example.com/v1", "https://api.example.com:443"),
        ("HTTPS://api.example.com:443/v1/", "https://api.example.com/v1", "https://api.example.com:443"),
        ("https://api.example.com:8443", "https://api.example.com:8443", "https://api.example.com:8443"),
        ("https://api.example.com/a/B~c", "https://api.example.com/a/B~c", "https://api.example.com:443"),
        ("http://localhost/v1", "http://localhost/v1", "http://localhost:80"),
        ("http://LOCALHOST:80/v1", "http://localhost/v1", "http://localhost:80"),
        ("http://127.8.9.1:5/v1", "http://127.8.9.1:5/v1", "http://127.8.9.1:5"),
        ("http://[::1]:5/v1", "http://[::1]:5/v1", "http://[::1]:5"),
        ("http://[0:0::1]:5/v1", "http://[::1]:5/v1", "http://[::1]:5"),
        ("https://[2001:DB8::A]/v1", "https://[2001:db8::a]/v1", "https://[2001:db8::a]:443"),
    ],
)
def test_one_spelling_for_each_base(text: str, base: str, where: str) -> None:
    """A batch remembers its origin, so the spelling must not matter."""
    assert checked_base(text) == base
    assert origin(text) == origin(base) == where


@pytest.mark.parametrize(
    "text",
    [
        "http://api.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "http://localhost.example.com/v1",
        "http://10.0.0.1/v1",
        "http://0.0.0.0/v1",
        "http://127.1/v1",
        "http://2130706433/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://localhost@example.com/v1",
        "https://user@api.example.com/v1",
        "https://user:secret-canary@api.example.com/v1",
        "https://api.example.com/v1?key=secret-canary",
        "https://api.example.com/v1#there",
        "https://api.example.com\\@evil.example/v1",
        "https://api.example.com/../v1",
        "https://api.example.com/./v1",
        "https://api..example.com/v1",
        "https://-api.example.com/v1",
        "https://api.example.com./v1",
        "https://api.example.com/v 1",
        "https://api.example.com/v%31",
        "https://api.example.com//v1",
        "https://api.example.com:0/v1",
        "https://api.example.com:65536/v1",
        "https://api.example.com:/v1",
        "https://[::1/v1",
        "https://[1::2::3]/v1",
        "https://äpi.example.com/v1",
        "https:///v1",
        "ftp://api.example.com/v1",
        "api.example.com/v1",
        "//api.example.com/v1",
        "secret-canary",
        "",
    ],
)
def test_anything_odd_is_refused_without_repeating_it(text: str) -> None:
    """Plain http beyond this machine, users, queries, and whatever two parsers could read differently."""
    with pytest.raises(UsageProblem) as refused:
        checked_base(text)
    assert "secret-canary" not in refused.value.message + refused.value.hint


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("example.com", False)],
)
def test_loopback_is_told_by_name(host: str, loopback: bool) -> None:
    """Nothing is resolved for it."""
    assert is_loopback(host) is loopback


def test_an_origin_comes_apart_again() -> None:
    """An IPv6 host without its brackets, as sockets want it."""
    assert split_origin("http://[::1]:5") == ("http", "::1", 5)
