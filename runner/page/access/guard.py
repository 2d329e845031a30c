"""Which requests reach the page, before anything looks at them. In front of everything, static files too.

Another site in the same browser may send requests here: by its own name for this address (Host), with its
own Origin, or as a picture in its pages (Sec-Fetch-Site). Other programs of this machine may send anything,
and have no cookie; one that a browser sent it to has no key, without which nothing is changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.page.access.session import PageSession

ENTER = "/enter"
STATIC = "/s/"
KEY = "x-nightsheet-key"
"""The header that lets a request change something."""
MOST_BODY_BYTES = 100_000


def policy(style: str = "'none'") -> str:
    """What a browser may load for one of our answers. `style`: the hash of the only style that it has."""
    return "; ".join(
        [
            "default-src 'none'",
            *(f"{kind}-src 'self'" for kind in ("script", "img", "connect")),
            f"style-src {style}",
            *(f"{what} 'none'" for what in ("base-uri", "form-action", "frame-ancestors")),
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


HEADERS = {
    "content-security-policy": policy(),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""On every response that does not say otherwise."""

_WORDS = {
    400: "This is no request of the page.",
    401: "Open the link that `nightsheet view` printed. It works once, within a minute; "
    "`nightsheet view --link` prints another.",
    403: "This request did not come from the page, or the page may only look.",
    413: "This request is too large.",
    415: "Only JSON is taken here.",
    404: "There is no such thing here.",
    405: "This cannot be done here.",
    421: "This is not the page's address.",
    500: "The page failed. Nothing was changed.",
    503: "Too much was asked for at once.",
}


@dataclass(frozen=True, slots=True)
class PageGuard:
    """The application behind its checks. `report` is told what went wrong in it."""

    app: ASGIApp
    port: int
    session: PageSession
    report: Callable[[Exception], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        began = False

        async def guarded(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        status = refusal(scope, self.port, self.session)
        if status is not None:
            await refused(status)(scope, receive, guarded)
            return
        try:
            await self.app(scope, receive, guarded)
        except Exception as error:  # of one request: the page goes on
            self.report(error)
            if not began:
                await refused(500)(scope, receive, guarded)


def refusal(scope: Scope, port: int, session: PageSession) -> int | None:
    """The status of a request that is not let in; None for one that is. In this order: whose address, whose
    page, which person, what content, what right."""
    headers = Headers(scope=scope)
    own = [f"{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]")]
    hosts = headers.getlist("host")
    if len(hosts) != 1 or hosts[0] not in own:
        return 421
    origins = headers.getlist("origin")
    if any(origin != f"http://{hosts[0]}" for origin in origins):
        return 403
    path, is_reading = scope["path"], scope["method"] in ("GET", "HEAD")
    visits_shell = is_reading and is_shell(path)
    sites = headers.getlist("sec-fetch-site")
    if any(site not in ("same-origin", "none") for site in sites) and not (
        visits_shell and _is_visit(headers)
    ):
        return 403
    if not is_reading and not (origins or sites):
        return 403
    is_open = visits_shell or (is_reading and path.startswith(STATIC)) or path == ENTER
    if not is_open and not session.knows(_cookie(headers, port)):
        return 401
    if is_reading:
        return None
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415
    if path != ENTER and not session.may_decide(headers.get(KEY, "")):
        return 403
    return None


def is_shell(path: str) -> bool:
    """Whether a path is one of the addresses of the page, which all have the same document."""
    return path == "/" or path.startswith("/b/")


def refused(status: int) -> JSONResponse:
    """A page that says nothing of this machine."""
    return JSONResponse({"error": _WORDS.get(status, _WORDS[400])}, status)


def cookie_name(port: int) -> str:
    """Cookies do not know ports: a second page on this machine has another one."""
    return f"nightsheet-{port}"


def _is_visit(headers: Headers) -> bool:
    """Whether a person follows a link, which may stand on any page; not a frame in one."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _cookie(headers: Headers, port: int) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie_name(port))
    except CookieError:
        return ""
    return "" if found is None else found.value
