"""A question at a terminal: answered, or left with one Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from runner.cli.steps.consent import put
from tests.unit.runner.cli.world import World, job, refused

ROOT = Path(__file__).parents[5]


@pytest.mark.parametrize("answer", [True, False])
async def test_the_answer_comes_back(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    """From the thread that reads."""
    monkeypatch.setattr("runner.cli.console.console.ask", lambda _question: answer)
    assert await put("Pay?") is answer


async def test_what_goes_wrong_with_the_keyboard_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not swallowed by a thread."""

    def gone(_question: str) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("runner.cli.console.console.ask", gone)
    with pytest.raises(OSError, match="Input/output error"):
        await put("Pay?")


async def test_an_interruption_does_not_wait(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody answers; the next line begins on a line of its own."""
    reading, writing = os.pipe()
    monkeypatch.setattr("runner.cli.console.console.ask", lambda _question: bool(os.read(reading, 1)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(put, "Pay?")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert capsys.readouterr().err == "\n"
    os.close(writing)


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_ctrl_c_at_the_question_ends_at_once(world: World) -> None:
    """Exit 130, with nobody pressing Enter, and without a traceback."""
    import pty

    world.load(job(0, "a"))
    world.move("a", refused())
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "runner.cli", "retry"],
        cwd=world.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        seen = _read_until(master, b"[y/N] ")
        assert b"would be sent and paid for again" in seen
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(20) == 130
        finally:
            process.kill()
        rest = _read_until(master, None)
    os.close(master)
    assert rest.replace(b"\r", b"") == b"\nInterrupted.\n"


def _read_until(terminal: int, end: bytes | None) -> bytes:
    """What the terminal shows up to `end`, or to its own."""
    seen = b""
    while end is None or end not in seen:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other side has gone
            break
        if not piece:
            break
        seen += piece
    return seen
