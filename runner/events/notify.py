"""Notifies a command or a webhook when a run pauses or ends: a pause at night must not be silent.

A command gets the JSON on its standard input, a webhook as its body. Neither gets the token, and neither can
stop a run: if one fails, a notice says so.
"""

import json
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from jobs.errors import UsageProblem
from jobs.states import JobState
from jobs.views import Account, Pause
from runner.events.report import RunReport
from runner.http.transport import tls_context
from runner.http.webhook import checked_webhook, post_json
from runner.providers.vendor import VENDOR
from runner.settings import Settings

LONGEST_SECONDS = 30.0


def event(
    what: str,
    batch: str,
    counts: Mapping[JobState, int],
    account: Account,
    paused: Pause | None,
    exit_code: int | None = None,
) -> dict[str, Any]:
    """The JSON of a notification. `what` is `paused`, `ended` or `interrupted`.

    `exit_code` is None before the end of the run.
    """
    return {
        "event": what,
        "batch": batch,
        "exit_code": exit_code,
        "counts": {str(state): many for state, many in counts.items()},
        "submits": account.submits,
        "spent_usd": float(account.spent_usd),
        "paused": {"reason": str(paused.reason), "detail": paused.detail} if paused else None,
    }


def event_of(report: RunReport) -> dict[str, Any]:
    """The JSON of the notification at the end of a run."""
    what = "interrupted" if report.interrupted else "paused" if report.paused else "ended"
    return event(what, report.batch, report.counts, report.account, report.paused, report.exit_code)


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends notifications to a command, a webhook, both or neither."""

    command: tuple[str, ...]
    webhook: str | None
    env: Mapping[str, str]
    notice: Callable[[str], None]
    ca: str | None = None
    """More certificate authorities, for the webhook; see `tls_context`."""

    async def send(self, news: Mapping[str, Any]) -> None:
        """Notify each receiver, for at most 30 s each. Cancellation does not interrupt it."""
        body = json.dumps(news).encode()
        with anyio.CancelScope(shield=True):
            if self.command:
                self._complain("--on-event", await _run(self.command, body, self.env))
            if self.webhook:
                told = await post_json(
                    self.webhook, body, timeout_seconds=LONGEST_SECONDS, tls=tls_context(self.ca)
                )
                self._complain("The webhook", told)

    def _complain(self, who: str, why: str | None) -> None:
        if why is not None:
            self.notice(f"{who} did not take the news: {why}.")


def notifier_for(settings: Settings, env: Mapping[str, str], notice: Callable[[str], None]) -> Notifier:
    """The notifier that the settings describe.

    Raises:
        UsageProblem: the command cannot be parsed, or the webhook is not an http(s) URL.
    """
    safe = {name: value for name, value in env.items() if name not in VENDOR.token_variables}
    webhook = checked_webhook(settings.webhook) if settings.webhook else None
    return Notifier(_words(settings.on_event), webhook, safe, notice, settings.ca)


def _words(command: str | None) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command or ""))
    except ValueError as error:
        raise UsageProblem(f"--on-event cannot be read as a command: {error}.") from error


async def _run(words: tuple[str, ...], body: bytes, env: Mapping[str, str]) -> str | None:
    """Run the command without a shell; None if it succeeded, else the reason."""
    try:
        with anyio.fail_after(LONGEST_SECONDS):
            done = await anyio.run_process(
                words,
                input=body,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                env=env,
            )
    except TimeoutError:
        return f"it had not ended after {LONGEST_SECONDS:g} s"
    except (OSError, ValueError) as error:  # ValueError: a NUL character in a word
        return getattr(error, "strerror", None) or type(error).__name__
    return None if done.returncode == 0 else f"it ended with exit code {done.returncode}"
