"""Posts JSON to an address of the user's own choice: without the token, without redirects, once."""

import httpx

from jobs.errors import UsageProblem


def checked_webhook(url: str) -> str:
    """The address as it is. Raises UsageProblem for one that is no http(s) URL."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise UsageProblem("The webhook is no http(s) address.", hint="Give the whole of it, with https://.")
    return url


async def post_json(
    url: str, body: bytes, *, timeout_seconds: float, transport: httpx.AsyncBaseTransport | None = None
) -> str | None:
    """None when the other side took it, else why not."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=timeout_seconds, transport=transport) as client:
            answer = await client.post(url, content=body, headers={"content-type": "application/json"})
    except httpx.HTTPError as error:
        return type(error).__name__
    return None if answer.is_success else f"HTTP {answer.status_code}"
