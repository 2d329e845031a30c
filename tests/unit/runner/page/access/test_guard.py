"""Who is let in: the page's own requests, by its own address, after the link. Everybody else is an attack."""

import re
from typing import Any

import pytest

from runner.clock import SystemClock
from runner.page.access.guard import HEADERS, KEY, cookie_name, policy, refusal, refused
from runner.page.access.session import PageSession, Rights
from tests.support.served_page import Served

PORT = 4711
OWN = f"http://127.0.0.1:{PORT}"
JSON = ("content-type", "application/json")
ACT = "/api/night/decisions"
VISIT = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]


def judged(
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    *,
    known: bool = True,
    keyed: bool = False,
    rights: Rights = Rights.DECIDE,
) -> int | None:
    """What becomes of a request; with the cookie, unless it is not known; with the key, if there is one."""
    session = PageSession(SystemClock(), rights)
    entry = session.enter(session.new_link())
    assert entry is not None
    more = [("cookie", f"other=1; {cookie_name(PORT)}={entry.cookie}")] if known else []
    if keyed:
        more.append((KEY, entry.key or entry.cookie))
    raw = [(name.encode(), value.encode()) for name, value in [*headers, *more]]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": raw}
    return refusal(scope, PORT, session)


def host(name: str = f"127.0.0.1:{PORT}") -> tuple[str, str]:
    return "host", name


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", [host()]),
        ("GET", "/", [host(f"localhost:{PORT}")]),
        ("GET", "/", [host(f"[::1]:{PORT}")]),
        ("GET", "/", [host(), ("sec-fetch-site", "none"), *VISIT]),
        ("GET", "/b/night/", [host(), ("sec-fetch-site", "cross-site"), *VISIT]),
        ("GET", "/s/1/app.js", [host(), ("sec-fetch-site", "same-origin")]),
        ("POST", "/enter", [host(), ("origin", OWN), JSON]),
        ("POST", "/enter", [host(), ("sec-fetch-site", "same-origin"), JSON]),
    ],
)
def test_a_stranger_may_come_to_the_door(method: str, path: str, headers: list[tuple[str, str]]) -> None:
    """The shell and its files hold nothing; the link is asked for there."""
    assert judged(method, path, headers, known=False) is None


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/night/tiles", [host()]),
        ("/api/night/tiles", [host(), ("origin", OWN)]),
        ("/t/1/x.webp", [host(), ("sec-fetch-site", "same-origin")]),
    ],
)
def test_who_came_by_the_link_may_look(path: str, headers: list[tuple[str, str]]) -> None:
    """With the cookie; without it, nothing."""
    assert judged("GET", path, headers) is None
    assert judged("GET", path, headers, known=False) == 401


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        # Another name for this address: DNS that was bound anew, a proxy, no name, two names.
        ("GET", "/", [host("evil.example")], 421),
        ("GET", "/", [host(f"evil.example:{PORT}")], 421),
        ("GET", "/s/1/app.js", [host(f"127.0.0.1.evil.example:{PORT}")], 421),
        ("GET", "/api/night/tiles", [host("127.0.0.1")], 421),
        ("GET", "/api/night/tiles", [host("127.0.0.1:1")], 421),
        ("GET", "/", [host(f"127.1:{PORT}")], 421),
        ("GET", "/", [], 421),
        ("GET", "/", [host(), host()], 421),
        # Another page: its origin, or none that it wants to tell; another port of this machine.
        ("GET", "/api/night/tiles", [host(), ("origin", "https://evil.example")], 403),
        ("GET", "/api/night/tiles", [host(), ("origin", "null")], 403),
        ("GET", "/api/night/tiles", [host(), ("origin", "http://127.0.0.1:1")], 403),
        ("GET", "/api/night/tiles", [host(), ("origin", f"http://localhost:{PORT}")], 403),
        ("GET", "/api/night/tiles", [host(), ("origin", f"https://127.0.0.1:{PORT}")], 403),
        ("GET", "/api/night/tiles", [host(), ("origin", OWN), ("origin", "null")], 403),
        # A picture, a frame, a script in another page; a link to what is no page.
        ("GET", "/t/1/x.webp", [host(), ("sec-fetch-site", "cross-site")], 403),
        ("GET", "/t/1/x.webp", [host(), ("sec-fetch-site", "same-site")], 403),
        ("GET", "/s/1/app.js", [host(), ("sec-fetch-site", "cross-site")], 403),
        ("GET", "/api/night/tiles", [host(), ("sec-fetch-site", "cross-site"), *VISIT], 403),
        ("GET", "/", [host(), ("sec-fetch-site", "cross-site"), VISIT[0], ("sec-fetch-dest", "iframe")], 403),
        # What changes something, from a form, from a program that tells nothing, by an odd method.
        ("POST", "/enter", [host(), JSON], 403),
        ("POST", "/enter", [host(), ("origin", "https://evil.example"), JSON], 403),
        ("POST", "/enter", [host(), ("sec-fetch-site", "cross-site"), *VISIT, JSON], 403),
        ("POST", "/", [host(), ("sec-fetch-site", "cross-site"), *VISIT, JSON], 403),
        ("POST", "/enter", [host(), ("origin", OWN), ("content-type", "text/plain")], 415),
        ("POST", "/enter", [host(), ("origin", OWN)], 415),
        ("PUT", "/api/night/tiles", [host(), ("origin", OWN)], 415),
        ("OPTIONS", "/api/night/tiles", [host(), ("origin", "https://evil.example")], 403),
    ],
)
def test_an_attack_is_refused(method: str, path: str, headers: list[tuple[str, str]], status: int) -> None:
    """Even with the cookie: a browser sends it along."""
    assert judged(method, path, headers) == status


def test_who_has_the_key_may_decide() -> None:
    """By a request of the page's own: the one way that leads to an act."""
    assert judged("POST", ACT, [host(), ("origin", OWN), JSON], keyed=True) is None
    assert judged("POST", ACT, [host(), ("sec-fetch-site", "same-origin"), JSON], keyed=True) is None


@pytest.mark.parametrize(
    ("headers", "known", "keyed", "status"),
    [
        # The cookie alone, which every port of this machine is sent; a guess, an old key, the cookie's value.
        ([host(), ("origin", OWN), JSON], True, False, 403),
        ([host(), ("origin", OWN), JSON, (KEY, "guessed")], True, False, 403),
        ([host(), ("origin", OWN), JSON, (KEY, "")], True, False, 403),
        # The key alone.
        ([host(), ("origin", OWN), JSON], False, True, 401),
        # Another page that has got hold of both; a form; a program that tells nothing.
        ([host("evil.example"), ("origin", OWN), JSON], True, True, 421),
        ([host(), ("origin", "https://evil.example"), JSON], True, True, 403),
        ([host(), ("origin", "http://127.0.0.1:1"), JSON], True, True, 403),
        ([host(), ("origin", "null"), JSON], True, True, 403),
        ([host(), ("sec-fetch-site", "same-site"), JSON], True, True, 403),
        ([host(), ("sec-fetch-site", "cross-site"), *VISIT, JSON], True, True, 403),
        ([host(), JSON], True, True, 403),
        ([host(), ("origin", OWN), ("content-type", "text/plain")], True, True, 415),
        (
            [host(), ("origin", OWN), ("content-type", "application/x-www-form-urlencoded")],
            True,
            True,
            415,
        ),
        # Judged in this order: address, page, person, content, right.
        ([host("evil.example"), ("origin", "null")], False, False, 421),
        ([host(), ("origin", "null")], False, False, 403),
        ([host(), ("origin", OWN)], False, False, 401),
        ([host(), ("origin", OWN)], True, False, 415),
    ],
)
def test_an_attack_on_what_is_decided_is_refused(
    headers: list[tuple[str, str]], known: bool, keyed: bool, status: int
) -> None:
    """Before anything looks at it."""
    assert judged("POST", ACT, headers, known=known, keyed=keyed) == status


def test_who_may_only_look_decides_nothing() -> None:
    """There is no key, and the cookie is none."""
    assert judged("POST", ACT, [host(), ("origin", OWN), JSON], keyed=True, rights=Rights.LOOK) == 403


@pytest.mark.parametrize(
    "cookie", ["", "nonsense", f"{cookie_name(PORT)}=guessed", f"{cookie_name(PORT)}=", "a=\x01;"]
)
def test_a_wrong_cookie_is_none(cookie: str) -> None:
    """Guessed, empty, broken."""
    assert judged("GET", "/api/batches", [host(), ("cookie", cookie)], known=False) == 401


def test_another_page_s_cookie_is_none() -> None:
    """A browser sends it to every port of this machine."""
    session = PageSession(SystemClock())
    entry = session.enter(session.new_link())
    assert entry is not None
    cookie = entry.cookie
    raw = [(b"host", f"127.0.0.1:{PORT}".encode()), (b"cookie", f"{cookie_name(1)}={cookie}".encode())]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/api/batches", "headers": raw}
    assert refusal(scope, PORT, session) == 401


def test_every_refusal_has_words_and_tells_no_path() -> None:
    """An unknown one, too."""
    for status in (400, 401, 403, 404, 405, 413, 415, 418, 421, 500, 503):
        assert b"error" in refused(status).body
        assert b"/" not in refused(status).body


def test_the_policy_allows_no_script_but_the_page_s_own() -> None:
    """Nothing inline, nothing from elsewhere, no text as markup, no frame."""
    rules = dict(rule.split(" ", 1) for rule in policy().split("; "))
    assert (
        rules["default-src"]
        == rules["frame-ancestors"]
        == rules["base-uri"]
        == rules["form-action"]
        == "'none'"
    )
    assert {rules[f"{kind}-src"] for kind in ("script", "img", "connect")} == {"'self'"}
    assert rules["style-src"] == "'none'"
    assert policy("'sha256-x'") == policy().replace("style-src 'none'", "style-src 'sha256-x'")
    assert rules["require-trusted-types-for"] == "'script'"
    assert rules["trusted-types"] == "'none'"
    assert "unsafe" not in policy()
    assert HEADERS["content-security-policy"] == policy()


@pytest.mark.parametrize(
    "path",
    ["/", "/b/night/", "/api/night/status", "/api/nothing/status", "/nothing", "/s/x/app.js", "/p/1/x"],
)
async def test_every_answer_has_the_headers(served: Served, path: str) -> None:
    """Errors as well. Nothing is kept by a browser but what its hash names; the shell alone has a style."""
    answered = await served.client.get(path)
    has_style = path in ("/", "/b/night/")
    told = {name: answered.headers[name] for name in HEADERS}
    rules = told["content-security-policy"]
    assert ("style-src 'sha256-" in rules) is has_style
    told["content-security-policy"] = re.sub(r"style-src 'sha256-[^']+'", "style-src 'none'", rules)
    assert told == HEADERS
    assert "access-control-allow-origin" not in answered.headers
    assert "server" not in answered.headers
    refused_one = await served.client.get(path, headers={"host": "evil.example"})
    assert refused_one.status_code == 421
    assert {name: refused_one.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "path", ["/", "/api/night/status", "/api/night/tiles", "/api/night/nothing", "/p/1/x", "/t/1/x.webp"]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_nothing_else_can_be_changed(served: Served, method: str, path: str) -> None:
    """Not even with the key: there is no such route."""
    before = served.table.everything()
    answered = await served.client.request(method, path, json={"agreed": True}, headers=served.acting)
    assert answered.status_code in {404, 405}
    assert served.table.everything() == before


async def test_nothing_is_changed_by_reading(served: Served) -> None:
    """An act is no address to go to: a link, a picture, a redirect come with GET."""
    before = served.table.everything()
    for method in ("GET", "HEAD"):
        answered = await served.client.request(method, "/api/night/decisions", headers=served.acting)
        assert answered.status_code == 405
    assert served.table.everything() == before
