"""The link: good once, for a minute, and not to be guessed."""

from runner.page.access.session import LINK_SECONDS, WRONG_A_MINUTE, PageSession, Rights
from tests.support.served_page import Served, SteppedClock


def opened() -> tuple[PageSession, SteppedClock]:
    clock = SteppedClock()
    return PageSession(clock), clock


def test_a_link_is_good_once() -> None:
    """Whoever finds it in a history comes too late."""
    session, _ = opened()
    link = session.new_link()
    entry = session.enter(link)
    assert entry is not None
    assert session.knows(entry.cookie)
    assert session.enter(link) is None


def test_each_link_gives_a_cookie_and_a_key_of_its_own() -> None:
    """256 bits, none like another; the one does not do for the other."""
    session, _ = opened()
    links = [session.new_link() for _ in range(3)]
    entries = [entry for link in links if (entry := session.enter(link)) is not None]
    cookies, keys = [entry.cookie for entry in entries], [entry.key or "" for entry in entries]
    assert len({*links, *cookies, *keys}) == 9
    assert all(len(secret) >= 43 for secret in (*cookies, *keys))
    assert all(map(session.knows, cookies))
    assert all(map(session.may_decide, keys))
    assert not any(map(session.knows, keys))
    assert not any(map(session.may_decide, [*cookies, *links, ""]))


def test_who_may_only_look_gets_no_key() -> None:
    """So there is none that lets anybody decide."""
    session = PageSession(SteppedClock(), Rights.LOOK)
    entry = session.enter(session.new_link())
    assert entry is not None
    assert entry.key is None
    assert not session.may_decide("")
    assert not session.may_decide(entry.cookie)


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
    """The first one stays in; the answer has the key, and the cookie, which no script reads."""
    link = served.page.link("/b/night/")
    assert link.startswith(f"{served.page.origin}/b/night/#")
    first = await served.enter(link)
    assert first.json() == {"key": served.key, "rights": "decide"}
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
        (b"[]", 400),
        (b'{"link": 7}', 403),
        (b'{"link": "\\ud800"}', 400),
        (b'"' + b"x" * 200_000 + b'"', 413),
    ]:
        assert (await served.client.post("/enter", content=body, headers=headers)).status_code == status
