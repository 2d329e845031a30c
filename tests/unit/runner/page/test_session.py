"""The link: good once, for a minute, and not to be guessed."""

from runner.page.session import LINK_SECONDS, WRONG_A_MINUTE, PageSession
from tests.support.served_page import Served, SteppedClock


def opened() -> tuple[PageSession, SteppedClock]:
    clock = SteppedClock()
    return PageSession(clock), clock


def test_a_link_is_good_once() -> None:
    """Whoever finds it in a history comes too late."""
    session, _ = opened()
    link = session.new_link()
    cookie = session.enter(link)
    assert cookie is not None
    assert session.knows(cookie)
    assert session.enter(link) is None


def test_each_link_gives_a_cookie_of_its_own() -> None:
    """256 bits, none like another."""
    session, _ = opened()
    links = [session.new_link() for _ in range(3)]
    cookies = {session.enter(link) for link in links}
    assert len({*links, *cookies}) == 6
    assert all(cookie is not None and len(cookie) >= 43 and session.knows(cookie) for cookie in cookies)


def test_a_link_is_good_for_a_minute() -> None:
    """And then for nobody."""
    session, clock = opened()
    early, late = session.new_link(), session.new_link()
    clock.advance(LINK_SECONDS)
    assert session.enter(early) is not None
    clock.advance(0.1)
    assert session.enter(late) is None


def test_guesses_close_the_door_for_a_minute() -> None:
    """Also to the right link: it is printed anew, a secret that is guessed is not."""
    session, clock = opened()
    for _ in range(WRONG_A_MINUTE):
        assert session.enter("wrong") is None
    assert session.enter(session.new_link()) is None
    clock.advance(60)
    assert session.enter(session.new_link()) is not None


def test_no_cookie_is_known_before_anybody_entered() -> None:
    """Not the empty one either, nor one that is no ASCII."""
    session, _ = opened()
    assert not session.knows("")
    session.enter(session.new_link())
    assert not session.knows("")
    assert not session.knows("ö\ud800")


async def test_a_second_use_of_a_link_is_refused(served: Served) -> None:
    """The first one stays in; the answer has no secret but the cookie, which no script reads."""
    link = served.page.link("/b/night/")
    assert link.startswith(f"{served.page.origin}/b/night/#")
    first = await served.enter(link)
    assert first.json() == {"key": None, "rights": "look"}
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (await served.enter(link)).status_code == 403
    assert (await served.client.get("/api/batches")).status_code == 200


async def test_odd_bodies_are_refused(served: Served) -> None:
    """No JSON, another shape, too much of it."""
    headers = {**served.headers, "content-type": "application/json"}
    for body, status in [
        (b"", 400),
        (b"\xff", 400),
        (b"[" * 50_000, 400),
        (b"[]", 403),
        (b'{"link": 7}', 403),
        (b'{"link": "\\ud800"}', 403),
        (b'"' + b"x" * 200_000 + b'"', 413),
    ]:
        assert (await served.client.post("/enter", content=body, headers=headers)).status_code == status
