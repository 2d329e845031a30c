"""Who may look, and who may decide: a link that is good once, for a minute; then a cookie and a key.

The link's secret is in the fragment of its address, which no log and no Referer has. The cookie only allows
to look: a browser sends it to every port of this machine. Who decides needs the key as well, which the page
keeps to itself.
"""

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from runner.clock import Clock

LINK_SECONDS = 60.0
WRONG_A_MINUTE = 5
_BYTES = 32


class Rights(StrEnum):
    """What a page lets a person do. Paying is not among it."""

    LOOK = "look"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person gets who comes by a link."""

    cookie: str
    key: str | None
    """None where the page lets nobody decide."""


@dataclass(slots=True)
class PageSession:
    """The secrets of one page, from its start to its end."""

    clock: Clock
    rights: Rights = Rights.DECIDE
    laid: Callable[[str], bool] = lambda _link: False
    """Whether another process of this user has made a link; it is used up by the question."""
    _links: dict[str, float] = field(default_factory=dict)
    """Those not used yet, with the time until which they are good."""
    _cookies: list[str] = field(default_factory=list)
    _keys: list[str] = field(default_factory=list)
    _wrong: deque[float] = field(default_factory=lambda: deque(maxlen=WRONG_A_MINUTE))

    def new_link(self) -> str:
        """The secret of a link, good for a minute from now."""
        link = new_secret()
        self._links[link] = self.clock.monotonic() + LINK_SECONDS
        return link

    def enter(self, link: str) -> Entry | None:
        """A new cookie and key, for a link that is used for the first time; None for any other.

        After some wrong ones in a minute every one is.
        """
        now = self.clock.monotonic()
        if len(self._wrong) == WRONG_A_MINUTE and now - self._wrong[0] < 60:
            return None
        if not self._is_good(link, now):
            self._wrong.append(now)
            return None
        self._cookies.append(new_secret())
        if self.rights is Rights.LOOK:
            return Entry(self._cookies[-1], None)
        self._keys.append(new_secret())
        return Entry(self._cookies[-1], self._keys[-1])

    def _is_good(self, link: str, now: float) -> bool:
        found = [known for known in self._links if _same(known, link)]
        return self._links.pop(found[0]) >= now if found else self.laid(link)

    def knows(self, cookie: str) -> bool:
        """Whether this is the value of a cookie that was given."""
        return any(_same(known, cookie) for known in self._cookies)

    def may_decide(self, key: str) -> bool:
        """Whether this is a key that was given."""
        return any(_same(known, key) for known in self._keys)


def new_secret() -> str:
    """256 bits, as text that fits into an address."""
    return secrets.token_urlsafe(_BYTES)


def _same(known: str, told: str) -> bool:
    return hmac.compare_digest(known.encode(), told.encode("utf-8", "surrogatepass"))
