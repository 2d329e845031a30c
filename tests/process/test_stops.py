"""What stops a run: a token revoked, an empty account, an API that is down, Ctrl-C, a second runner."""

import json
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from anyio import to_thread

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.support.command import QUICK, TOKEN, Desk, desk, interrupt, until, wait

pytestmark = pytest.mark.process

ROWS = 40
GATE = 4


async def _paused(here: Desk, reason: str) -> None:
    """No row failed, at most the gate's four are in doubt, and the table says why."""
    status = await here.status()
    assert status["paused"]["reason"] == reason
    assert status["counts"]["failed"] == 0
    assert status["unconfirmed"] <= GATE
    assert status["counts"]["queued"] > 0


async def _goes_on(here: Desk) -> None:
    """`resume` ends the batch, and nothing was paid twice."""
    ended = await here.call("resume", *QUICK)
    status = await here.status()
    assert ended.code == (1 if status["unconfirmed"] else 0), ended.err
    assert status["paused"] is None
    assert status["counts"]["succeeded"] == ROWS - status["unconfirmed"]
    assert set(here.submits().values()) == {1}


async def test_token_revoked(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        process = here.start("run", here.sheet(ROWS), *QUICK)
        await until(lambda: len(here.service.ledger) >= 10, process)
        here.service.revoke(TOKEN)
        ended = await wait(process)
        assert ended.code == 77, ended.err
        await _paused(here, "token")
        here.service.accept_tokens(None)
        await _goes_on(here)


async def test_balance_gone(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        process = here.start("run", here.sheet(ROWS), *QUICK)
        await until(lambda: len(here.service.ledger) >= 10, process)
        here.service.set_balance(Decimal(0))
        ended = await wait(process)
        assert ended.code == 75, ended.err
        await _paused(here, "balance")
        status = await here.status()
        assert status["counts"]["running"] == status["counts"]["fetching"] == 0, "what is paid came home"
        here.service.set_balance(Decimal(100))
        await _goes_on(here)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.HTTP, FaultKind.RESET])
async def test_api_down(tmp_path: Path, kind: FaultKind) -> None:
    async with desk(tmp_path) as here:
        process = here.start("run", here.sheet(ROWS), *QUICK, "--outage-limit", "1")
        await until(lambda: len(here.service.ledger) >= 10, process)
        here.service.faults = (Fault(endpoint=Endpoint.ANY, kind=kind, times=None),)
        ended = await wait(process)
        assert ended.code == 69, ended.err
        await _paused(here, "outage")
        here.service.faults = ()
        await _goes_on(here)


async def test_api_gone_altogether(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.sheet(3)
    ended = await here.call("run", "sheet.csv", *QUICK, "--outage-limit", "0.5")
    assert ended.code == 69, ended.err
    assert (await here.status())["counts"]["queued"] == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_interrupted_once_drains(tmp_path: Path, number: int) -> None:
    async with desk(tmp_path, speed=10.0) as here:
        process = here.start("run", here.sheet(ROWS), *QUICK)
        await until(lambda: len(here.service.ledger) >= 10, process)
        interrupt(process, number)
        ended = await wait(process)
        assert ended.code == 130, ended.err
        assert "resume" in ended.err + ended.out
        status = await here.status()
        assert status["unconfirmed"] == status["counts"]["submitting"] == 0, "the POSTs in hand were recorded"
        assert status["counts"]["running"] > 0, "remote work is left running"
        assert status["submits"] == len(here.service.ledger)
        assert status["paused"] is None
        await _goes_on(here)


async def test_interrupted_twice_ends_at_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        process = here.start("run", here.sheet(ROWS), *QUICK)
        await until(lambda: len(here.service.ledger) >= 10, process)
        here.service.faults = (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.STALL, times=None),)
        seen = here.service.calls["submit"]
        await until(lambda: here.service.calls["submit"] > seen, process)
        interrupt(process)
        assert process.stderr is not None
        while "Stopping" not in await to_thread.run_sync(process.stderr.readline):
            pass  # two signals at once would be one
        interrupt(process)
        ended = await wait(process)
        assert ended.code == 130
        again = await here.status()
        assert again["counts"]["submitting"] > 0, "it did not wait for the POST"
        assert "on their way when the run was ended: perhaps paid" in ended.err
        assert "in doubt" in ended.err
        assert "Go on with: nightsheet resume sheet\n" in ended.err
        assert again["cost"]["in_doubt_usd"] > 0
        told = json.loads((tmp_path / "outputs" / "sheet" / "summary.json").read_text())
        assert told["exit_code"] == 130
        assert told["next"][0]["command"] == "nightsheet resume sheet"


async def test_second_runner_is_told_who_holds_it(tmp_path: Path) -> None:
    async with desk(tmp_path, speed=1.0) as here:
        process = here.start("run", here.sheet(ROWS), *QUICK)
        await until(lambda: len(here.service.ledger) >= 3, process)
        second = await here.call("run", "sheet.csv", *QUICK)
        assert second.code == 73
        assert str(process.pid) in second.err
        assert (await here.status())["total"] == ROWS
        interrupt(process)
        assert (await wait(process)).code == 130
