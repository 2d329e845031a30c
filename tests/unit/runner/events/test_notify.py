"""Who is told when a run pauses or ends: what they get, what they never get, and that they stop nothing."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import pytest

from jobs.errors import UsageProblem
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import Account, Pause
from runner.events.notify import LONGEST_SECONDS, Notifier, event, event_of, notifier_for
from runner.events.report import RunReport
from runner.limits.brake import Brake, Reach
from runner.providers.runcomfy.texts import TOKEN_VARIABLES
from runner.settings import Settings
from tests.support.night import TOKEN, night
from tests.support.tables import NIGHT
from tests.support.virtual_time import virtual

COUNTS = dict.fromkeys(JobState, 0) | {JobState.SUCCEEDED: 2, JobState.QUEUED: 5}
ACCOUNT = Account(Decimal("0.16"), Decimal("0.04"), 3)
PAUSE = Pause(PauseReason.BALANCE, "used up", NIGHT)
EVENT = event("paused", "night", COUNTS, ACCOUNT, PAUSE)
HOOK = "https://hooks.example/secret-path"

LISTENER = """\
import json, os, sys
told = {"arguments": sys.argv[2:], "input": sys.stdin.read(), "env": dict(os.environ)}
print("nobody is to see this"); print("nor this", file=sys.stderr)
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(told) + "\\n")
"""


def to_tell(*command: str, webhook: str | None = None, **env: str) -> tuple[Notifier, list[str]]:
    """A herald with a command of these words, and the notices that it gives."""
    notices: list[str] = []
    environment = {"PATH": os.environ["PATH"]} | env
    return Notifier(command, webhook, environment, notices.append), notices


@pytest.fixture
def listener(tmp_path: Path) -> tuple[tuple[str, ...], Callable[[], list[dict[str, Any]]]]:
    """A command that writes down all that it gets, and what it wrote."""
    script, notes = tmp_path / "listener.py", tmp_path / "notes.jsonl"
    script.write_text(LISTENER)

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    return (sys.executable, str(script), str(notes)), read


# -- what is told ----------------------------------------------------------------------------------------


def test_an_event_to_the_letter() -> None:
    """Scripts read it: every state is there, and null where nothing is to be said."""
    assert json.loads(json.dumps(EVENT)) == {
        "event": "paused",
        "batch": "night",
        "exit_code": None,
        "counts": {
            "queued": 5,
            "submitting": 0,
            "running": 0,
            "fetching": 0,
            "succeeded": 2,
            "failed": 0,
            "cancelled": 0,
            "unconfirmed": 0,
        },
        "submits": 3,
        "spent_usd": 0.2,
        "paused": {"reason": "balance", "detail": "used up"},
    }
    assert event("ended", "night", COUNTS, ACCOUNT, None, 0)["paused"] is None


@pytest.mark.parametrize(
    ("paused", "interrupted", "what", "code"),
    [
        (None, False, "ended", 1),
        (PAUSE, False, "paused", 75),
        (None, True, "interrupted", 130),
        (PAUSE, True, "interrupted", 130),
    ],
)
def test_the_end_of_a_run(paused: Pause | None, interrupted: bool, what: str, code: int) -> None:
    """Its word fits its exit code."""
    report = RunReport("night", COUNTS, ACCOUNT, 4, 60.0, paused, interrupted, 0, 0, Path("o"), ())
    told = event_of(report)
    assert (told["event"], told["exit_code"], told["batch"]) == (what, code, "night")
    assert told["counts"] == {str(state): many for state, many in COUNTS.items()}
    assert told["paused"] == ({"reason": "balance", "detail": "used up"} if paused else None)


# -- the command -----------------------------------------------------------------------------------------


async def test_a_command_gets_the_json_on_its_input(
    listener: tuple[tuple[str, ...], Callable[[], list[dict[str, Any]]]], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its words as they are, for no shell reads them; what it prints is nobody's business."""
    words, heard = listener
    who, notices = to_tell(*words, "$HOME", "a;b", "*")
    await who.send(EVENT)
    (got,) = heard()
    assert json.loads(got["input"]) == EVENT
    assert got["arguments"] == ["$HOME", "a;b", "*"]
    assert notices == []
    assert capfd.readouterr() == ("", "")


async def test_the_token_is_not_in_the_command_s_environment(
    listener: tuple[tuple[str, ...], Callable[[], list[dict[str, Any]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By none of its names, neither from this process nor from what was passed in; the rest is there."""
    words, heard = listener
    tokens = {name: f"canary-{name}" for name in TOKEN_VARIABLES}
    for name, token in tokens.items():
        monkeypatch.setenv(name, token)
    env = tokens | {"PATH": os.environ["PATH"], "MAIL_TO": "me"}
    who = notifier_for(Settings(on_event=" ".join(words)), env, list[str]().append)
    await who.send(EVENT)
    (got,) = heard()
    assert got["env"]["MAIL_TO"] == "me"
    assert "canary" not in json.dumps(got)


async def test_a_command_that_fails_is_a_notice(tmp_path: Path) -> None:
    """With its exit code, or the system's word."""
    (plain := tmp_path / "plain.txt").write_text("no program")
    failing = {
        (sys.executable, "-c", "raise SystemExit(3)"): "it ended with exit code 3",
        (str(tmp_path / "nothing"),): "No such file or directory",
        (str(plain),): "Permission denied",
        ("",): "",
    }
    for words, why in failing.items():
        who, notices = to_tell(*words)
        await who.send(EVENT)
        (notice,) = notices
        assert notice.startswith(f"--on-event did not take the news: {why}")


async def test_a_command_that_does_not_read_is_fine() -> None:
    """It may only want to know that something happened."""
    who, notices = to_tell(sys.executable, "-c", "")
    await who.send(EVENT)
    assert notices == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no sleep")
async def test_a_command_that_hangs_is_ended() -> None:
    """And leaves no process behind."""
    loop, scope = asyncio.get_running_loop(), anyio.CancelScope()
    made: list[asyncio.SubprocessTransport] = []
    real = loop.subprocess_exec

    async def start(*words: Any, **options: Any) -> Any:
        transport, protocol = await real(*words, **options)
        made.append(transport)
        loop.call_soon(scope.cancel)
        return transport, protocol

    @contextmanager
    def until_it_runs(_seconds: float) -> Iterator[None]:
        """In the place of half a minute."""
        with scope:
            yield
        raise TimeoutError

    who, notices = to_tell("sleep", "1000")
    with mock.patch("anyio.fail_after", until_it_runs), mock.patch.object(loop, "subprocess_exec", start):
        await who.send(EVENT)
    assert notices == ["--on-event did not take the news: it had not ended after 30 s."]
    assert [transport.get_returncode() for transport in made] == [-9]


# -- what is set, and what cannot be ---------------------------------------------------------------------


async def test_nobody_to_tell() -> None:
    """Nothing set, nothing done; an empty command is none."""
    for settings in (Settings(), Settings(on_event="  ", webhook="")):
        notices: list[str] = []
        who = notifier_for(settings, {}, notices.append)
        with mock.patch("anyio.run_process") as run, mock.patch("runner.events.notify.post_json") as post:
            await who.send(EVENT)
        assert (run.call_count, post.call_count, notices) == (0, 0, [])


def test_a_command_is_read_as_a_shell_reads_words() -> None:
    """Quotes keep words together."""
    who = notifier_for(Settings(on_event="notify 'two words' \"$HOME\" plain"), {}, list[str]().append)
    assert who.command == ("notify", "two words", "$HOME", "plain")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"on_event": "notify 'open"}, "--on-event cannot be read as a command"),
        ({"webhook": "ftp://a/"}, "not an http"),
    ],
)
def test_what_cannot_be_told_to_is_refused(settings: dict[str, Any], said: str) -> None:
    """Before the night, and not in the middle of it."""
    with pytest.raises(UsageProblem, match=said):
        notifier_for(Settings(**settings), {}, list[str]().append)


# -- both, in virtual time -------------------------------------------------------------------------------


@dataclass
class Outside:
    """Stands in for commands and webhooks: what they were told, and how they behave."""

    command: Callable[[], Any] | None = None
    """Awaited for each call of the command; None: it takes the news at once."""
    hook: str | None = None
    """Why the webhook does not take the news."""
    told: list[dict[str, Any]] = field(default_factory=list)
    posted: list[tuple[str, dict[str, Any], float]] = field(default_factory=list)
    envs: list[Mapping[str, str]] = field(default_factory=list)

    async def run(self, _words: Any, *, input: bytes, env: Mapping[str, str], **_more: Any) -> Any:
        self.told.append(json.loads(input))
        self.envs.append(env)
        if self.command is not None:
            await self.command()
        return mock.Mock(returncode=0)

    async def post(self, url: str, body: bytes, *, timeout_seconds: float, tls: object) -> str | None:
        self.posted.append((url, json.loads(body), timeout_seconds))
        return self.hook

    @contextmanager
    def there(self) -> Iterator["Outside"]:
        with (
            mock.patch("anyio.run_process", self.run),
            mock.patch("runner.events.notify.post_json", self.post),
        ):
            yield self


async def explode() -> None:
    raise OSError(5, "Input/output error")


@virtual
async def test_both_are_told_and_neither_keeps_the_other_from_it() -> None:
    """A command that hangs is given half a minute; then the webhook gets the same."""
    loop = asyncio.get_running_loop()
    who, notices = to_tell("listen", webhook=HOOK)
    with Outside(anyio.sleep_forever, hook="HTTP 500").there() as outside:
        await who.send(EVENT)
    assert loop.time() == LONGEST_SECONDS == 30
    assert outside.told == [EVENT]
    assert outside.posted == [(HOOK, EVENT, 30.0)]
    assert notices == [
        "--on-event did not take the news: it had not ended after 30 s.",
        "The webhook did not take the news: HTTP 500.",
    ]
    assert HOOK not in "".join(notices)


@virtual
async def test_a_cancel_does_not_cut_the_news_off() -> None:
    """Ctrl-C while it is told: it is told to its end."""
    heard: list[float] = []
    loop = asyncio.get_running_loop()

    async def slowly() -> None:
        await anyio.sleep(5)
        heard.append(loop.time())

    who, _notices = to_tell("listen", webhook=HOOK)
    with Outside(slowly).there() as outside, anyio.move_on_after(1):
        await who.send(EVENT)
    assert heard == [5]
    assert len(outside.posted) == 1


# -- whole runs ------------------------------------------------------------------------------------------


@virtual
async def test_the_end_of_a_run_is_told_once(tmp_path: Path) -> None:
    """To both, with what the run came to, when it is all written down."""
    async with night(tmp_path) as w:
        manifest = tmp_path / "outputs" / "sheet" / "manifest.jsonl"
        there: list[bool] = []

        async def look() -> None:
            there.append(manifest.exists())

        with Outside(look).there() as outside:
            report = await w.run(w.sheet(4), on_event="listen", webhook=HOOK)
        (told,) = outside.told
        assert told == event_of(report)
        assert (told["event"], told["exit_code"], told["counts"]["succeeded"]) == ("ended", 0, 4)
        assert [body for _url, body, _seconds in outside.posted] == [told]
        assert there == [True]
        assert TOKEN not in repr(outside.envs)
        assert "RUNCOMFY_MODEL_API_BASE" in outside.envs[0]


@virtual
async def test_a_pause_is_told_when_it_happens_and_again_at_the_end(tmp_path: Path) -> None:
    """So that somebody may mend its cause while what is paid for comes home."""
    async with night(tmp_path, balance_usd=Decimal("0.20"), median_seconds=60, sigma=0) as w:
        at: list[float] = []

        async def note() -> None:
            at.append(w.clock.monotonic())

        with Outside(note).there() as outside:
            await w.run(w.sheet(12), on_event="listen")
        first, last = outside.told
        assert (first["event"], first["exit_code"]) == ("paused", None)
        assert first["counts"]["running"] > 0
        assert (last["event"], last["exit_code"], last["counts"]["running"]) == ("paused", 75, 0)
        assert first["paused"] == last["paused"]
        assert first["paused"]["reason"] == "balance"
        assert at[0] < 10 < 60 < at[1]


@pytest.mark.parametrize("behaviour", [anyio.sleep_forever, explode])
def test_nobody_outside_stops_or_fails_a_run(tmp_path: Path, behaviour: Callable[[], Any]) -> None:
    """What is paid for comes home, the exit code is the run's own, and a person is told."""

    @virtual
    async def test() -> None:
        async with night(tmp_path, balance_usd=Decimal("0.20"), median_seconds=30, sigma=0) as w:
            with Outside(behaviour, hook="ConnectError").there() as outside:
                report = await w.run(w.sheet(12), on_event="listen", webhook=HOOK)
                assert (report.exit_code, len(outside.told)) == (75, 2)
                assert set(w.states()) == {JobState.SUCCEEDED, JobState.QUEUED}
                w.service.set_balance(Decimal(5))
                resumed = await w.resume(on_event="listen", webhook=HOOK)
            assert resumed is not None
            assert resumed.exit_code == 0
            w.everything_once(12)
            complaints = [text for text in w.watching.notices if "did not take the news" in text]
            assert len(complaints) == 6

    test()


@virtual
async def test_an_interruption_is_told(tmp_path: Path) -> None:
    """Somebody may have stopped it who is not the one who waits for it."""
    async with night(tmp_path, median_seconds=30, sigma=0) as w:
        with (
            Outside().there() as outside,
            mock.patch("runner.lifecycle.signals.obey_signals", interrupt_at_once),
        ):
            report = await w.run(w.sheet(4), on_event="listen")
        assert report.interrupted
        assert [told["event"] for told in outside.told] == ["interrupted"]


async def interrupt_at_once(brake: Brake, *_more: object) -> None:
    """In the place of a signal."""
    brake.interrupt(Reach.POLLS)


@virtual
async def test_a_command_that_cannot_be_read_costs_nothing(tmp_path: Path) -> None:
    """Exit 2, before the API is asked anything."""
    async with night(tmp_path) as w:
        with pytest.raises(UsageProblem):
            await w.run(w.sheet(4), on_event="listen 'open")
        assert w.transport.calls == []
