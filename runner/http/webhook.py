"""Posts JSON to an address of the user: once, without the token, without following redirects."""

import ssl

import anyio
import httpx

from jobs.errors import UsageProblem
from runner.http.transport import tls_context

LAST_PORT = 65535


def checked_webhook(url: str) -> str:
    """The address as it is. Raises UsageProblem for one that is no http(s) URL."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host or (parsed.port or 1) > LAST_PORT:
        raise UsageProblem(
            "The webhook is not an http(s) address.", hint="Give the whole of it, with https://."
        )
    return url


async def post_json(
    url: str,
    body: bytes,
    *,
    timeout_seconds: float,
    transport: httpx.AsyncBaseTransport | None = None,
    tls: ssl.SSLContext | None = None,
) -> str | None:
    """None if the receiver accepted it, else the reason. Only the status of its answer is read."""
    headers = {"content-type": "application/json"}
    with anyio.move_on_after(timeout_seconds):
        try:
            async with (
                httpx.AsyncClient(
                    trust_env=False,
                    timeout=timeout_seconds,
                    transport=transport,
                    verify=tls or tls_context(),
                ) as client,
                client.stream("POST", url, content=body, headers=headers) as answer,
            ):
                return None if answer.is_success else f"HTTP {answer.status_code}"
        except httpx.HTTPError as error:
            return type(error).__name__
    return f"it had not answered after {timeout_seconds:g} s"
