"""What the API's own host says of the account and of the time: one free question, for `nightsheet doctor`."""

from runner.http.api_client import ApiClient
from runner.http.replies import NoAnswer, NotSent
from runner.providers.base import AccountReport, CallFailed
from runner.providers.runcomfy.documents import balance_in
from runner.providers.runcomfy.responses import document_of, http_date

_PATH = "/prod/v2/balance"
"""Documented for another host of the vendor's. The token stays with the API's own, which alone is asked."""


async def account(client: ApiClient, timeout_seconds: float) -> AccountReport:
    """Ask for the balance. `client` has the API's origin for its base, and a token if there is one."""
    reply = await client.request("GET", _PATH, timeout_seconds=timeout_seconds)
    if isinstance(reply, NotSent):
        return AccountReport(unreachable=CallFailed(reply.reason, certificate=reply.certificate))
    if isinstance(reply, NoAnswer):
        return AccountReport(unreachable=CallFailed(reply.reason))
    usd = balance_in(document_of(reply) or {}) if reply.status == 200 else None
    return AccountReport(usd, http_date(reply.headers.get("date", "")))
