"""The token is looked for in everything that a night leaves behind, and in all that it tells anybody."""

import base64
import sys
from pathlib import Path

import pytest

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.matrix.processes import start
from tests.support.command import QUICK, TOKEN, Desk, Ended, desk, until, wait

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]

SAYS = f"No: Bearer {TOKEN}"
LINK = f"https://x/?k={TOKEN}"
FAULTS = (
    Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, accepted=True, prompt="row 16"),
    Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.HTTP, status=422, message=SAYS, prompt="row 17"),
    Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FAILED, times=None, message=SAYS, prompt="row 18"),
    Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FOREIGN_URL, times=None, url=LINK, prompt="row 19"),
    Fault(endpoint=Endpoint.STATUS, kind=FaultKind.WORD, word=SAYS, times=2, prompt="row 20"),
)
"""The API is honest and clumsy here: it says the token back wherever it has words."""

DEFECT = """
import runner.workers.pool, runner.run
from runner.cli.app import main

async def defect(*arguments, **options):
    surroundings = options or arguments
    raise ZeroDivisionError("a defect of ours")

setattr({place}, defect)
main()
"""


def secrets() -> list[bytes]:
    """The token in every dress that it could wear."""
    encoded = base64.b64encode(TOKEN.encode()).rstrip(b"=")
    return [TOKEN.encode(), encoded[:-1], TOKEN[::-1].encode(), TOKEN.encode("utf-16-le")]


def assert_not_in(folder: Path, *ended: Ended) -> set[str]:
    """The token is in no file below `folder`, in no file's name, and in nothing that was said.

    Returns the endings of what was looked at.
    """
    seen = set()
    for path in folder.rglob("*"):
        held = str(path).encode() + (path.read_bytes() if path.is_file() else b"")
        assert not [secret for secret in secrets() if secret in held], path
        seen.add(path.suffix)
    for said in ended:
        for text in (said.out, said.err):
            assert not [secret for secret in secrets() if secret in text.encode()], text
    return seen


async def with_a_defect(here: Desk, place: str) -> Ended:
    """`resume --verbose`, as if Nightsheet had a defect at `place`."""
    words = ["resume", *QUICK, "--verbose"]
    process = start(here, words, [sys.executable, "-c", DEFECT.format(place=place)])
    return await wait(process)


async def test_the_token_is_nowhere(tmp_path: Path) -> None:
    """A killed run, failures of every sort, a pause, two defects, --verbose and --json."""
    listener = tmp_path / "listener.sh"
    listener.write_text(f'#!/bin/sh\n(cat; echo "$@"; env) >> "{tmp_path}/news.txt"\n')
    listener.chmod(0o755)
    loud = (*QUICK, "--verbose", "--on-event", str(listener))
    async with desk(tmp_path, faults=FAULTS, speed=60.0) as here:
        said = []
        process = here.start("run", here.sheet(24), *loud)
        await until(lambda: len(here.service.ledger) >= 9, process)
        process.kill()
        said.append(await wait(process))
        assert {".db-wal", ".journal", ".lock"} <= assert_not_in(tmp_path, *said), "as a crash leaves it"

        said += [await here.call("resume", *loud, "--json")]
        assert said[-1].code == 1, said[-1].err
        here.sheet(30)
        here.service.revoke(TOKEN)
        said += [await here.call("run", "sheet.csv", *loud)]
        assert said[-1].code == 77, said[-1].err
        here.service.accept_tokens(None)

        said += [await with_a_defect(here, "runner.lifecycle.stages, 'build'")]
        assert "Traceback" in said[-1].err
        said += [await with_a_defect(here, "runner.workers.pool, 'watch'")]
        assert "ZeroDivisionError" in said[-1].err
        for command in ("status --json", "jobs --json", "review", "export --all"):
            said += [await here.call(*command.split(), "--verbose")]
            assert said[-1].code == 0, said[-1].err

        kinds = {record["error"]["kind"] for record in here.manifest() if record["error"]}
        assert {"unconfirmed", "refused", "remote_failed", "blocked"} <= kinds
        assert '"event": "paused"' in (tmp_path / "news.txt").read_text()
        assert here.service.media_with_token == 0
        looked_at = assert_not_in(tmp_path, *said)
        assert {".db", ".csv", ".jsonl", ".jpg", ".txt"} <= looked_at
