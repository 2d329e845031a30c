"""From a second terminal: pause, resume, tune; and the audit of what was paid."""

import json
from pathlib import Path

import pytest

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.support.command import QUICK, desk, until, wait

pytestmark = pytest.mark.process


async def test_pause_and_resume_beside_a_runner(tmp_path: Path) -> None:
    """A pause ends the run once what is paid for is home; resume goes on."""
    news = tmp_path / "news.jsonl"
    listener = tmp_path / "listener.sh"
    listener.write_text(f'#!/bin/sh\ncat >> "{news}"; echo >> "{news}"; env >> "{tmp_path / "env.txt"}"\n')
    listener.chmod(0o755)
    async with desk(tmp_path, speed=5.0) as here:
        process = here.start("run", here.sheet(40), *QUICK, "--on-event", str(listener))
        await until(lambda: len(here.service.ledger) >= 6, process)
        assert (await here.call("pause")).code == 0
        ended = await wait(process)
        assert ended.code == 75, ended.err
        status = await here.status()
        assert status["paused"]["reason"] == "person"
        assert status["counts"]["running"] == status["counts"]["fetching"] == 0
        assert 0 < status["counts"]["queued"] == 40 - len(here.service.ledger)
        told = [json.loads(line) for line in news.read_text().splitlines() if line]
        assert {event["event"] for event in told} == {"paused"}
        assert told[-1]["exit_code"] == 75
        assert "canary" not in (tmp_path / "env.txt").read_text(), "the token is not for others"
        assert (await here.call("resume", *QUICK, "--concurrency", "32")).code == 0
        assert set(here.submits().values()) == {1}


async def test_tune_while_it_runs_and_afterwards(tmp_path: Path) -> None:
    async with desk(tmp_path, speed=4.0) as here:
        process = here.start("run", here.sheet(30), *QUICK)
        await until(lambda: len(here.service.ledger) >= 4, process)
        assert (await here.call("tune", "--budget", "0.5", "--concurrency", "2")).code == 0
        ended = await wait(process)
        assert ended.code == 75, ended.err
        status = await here.status()
        assert status["paused"]["reason"] == "budget"
        assert len(here.service.ledger) < 30, "some may leave before the command is done"
        before = len(here.service.ledger)
        again = await here.call("run", "sheet.csv", "--yes", "--poll-min", "0.02", "--poll-max", "0.1")
        assert again.code == 75, "the budget outlives the run"
        assert len(here.service.ledger) == before
        assert (await here.call("resume", *QUICK, "--budget", "100", "--concurrency", "32")).code == 0
        wrong = await here.call("tune", "--rate", "fast", "--concurrency", "0")
        assert wrong.code == 2
        assert "--rate fast" in wrong.err
        assert "--concurrency 0" in wrong.err


async def test_audit_shows_what_is_paid_and_not_in_hand(tmp_path: Path) -> None:
    faults = (
        Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, times=1, accepted=True, job=2),
        Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FAILED, times=None, job=3),
    )
    async with desk(tmp_path, faults=faults) as here:
        assert (await here.call("run", here.sheet(6), *QUICK)).code == 1
        books = json.loads((await here.call("audit", "--json")).out)
        assert books["balanced"]
        assert books["submits"] == len(here.service.ledger) == 6
        assert books["open_doubts"] == 1
        assert len(books["not_in_hand"]) == 2
        assert books["not_in_hand_usd"] > 0
        assert (await here.call("review", "--resubmit", "all", "--yes")).code == 0
        assert (await here.call("resume", *QUICK)).code == 1
        after = json.loads((await here.call("audit", "--json")).out)
        assert after["balanced"]
        assert (after["submits"], after["jobs_sent"], after["repeats_allowed"]) == (7, 6, 1)
        shown = await here.call("audit")
        assert shown.code == 0
        assert "The books balance" in shown.out


async def test_a_doubtful_submit_is_sent_again_only_where_a_setting_allows_it(tmp_path: Path) -> None:
    lost = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, times=3, accepted=True)
    async with desk(tmp_path, faults=(lost,)) as here:
        ended = await here.call(
            "run", here.sheet(6), *QUICK, "--submit-gate", "1", "--resubmit-unconfirmed", "2"
        )
        assert ended.code == 1
        assert (await here.status())["unconfirmed"] == 1
        assert len(here.service.ledger) == 8
        again = await here.call("resume", *QUICK, "--resubmit-unconfirmed", "2")
        assert again.code == 1
        assert len(here.service.ledger) == 8, "two were allowed, and two were sent"
        books = json.loads((await here.call("audit", "--json")).out)
        assert books["balanced"]
        assert sum(attempt["automatic"] for attempt in books["attempts"]) == 2
