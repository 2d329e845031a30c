"""cancel, review, retry: every state has its way out, and each command says what it costs."""

import json
from pathlib import Path

import pytest

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.support.command import QUICK, desk, interrupt, until, wait

pytestmark = pytest.mark.process


async def test_cancel_without_a_runner(tmp_path: Path) -> None:
    """One slot at the API: one job works, some wait there, some here."""
    async with desk(tmp_path, slots=1, speed=1.0) as here:
        process = here.start("run", here.sheet(12), *QUICK, "--concurrency", "4")
        await until(lambda: len(here.service.ledger) >= 4, process)
        interrupt(process)
        assert (await wait(process)).code == 130
        cancelled = await here.call("cancel")
        assert cancelled.code == 0, cancelled.err
        status = await here.status()
        assert status["counts"]["queued"] == 0
        assert status["counts"]["cancelled"] == 11
        assert status["counts"]["running"] == 1, "what is worked on already cannot be cancelled"
        assert len(here.service.ledger) == 4


async def test_cancel_beside_a_runner(tmp_path: Path) -> None:
    async with desk(tmp_path, slots=1, speed=2.0) as here:
        process = here.start("run", here.sheet(12), *QUICK, "--concurrency", "4")
        await until(lambda: len(here.service.ledger) >= 4, process)
        assert (await here.call("cancel")).code == 0
        ended = await wait(process)
        assert ended.code == 1, ended.err
        counts = (await here.status())["counts"]
        assert counts["succeeded"] + counts["cancelled"] == 12
        assert counts["cancelled"] >= 8
        assert len(here.service.ledger) <= 6


async def test_review(tmp_path: Path) -> None:
    """Three submits are taken, and their answers lost: one is attached, one sent again, one let go."""
    lost = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, times=3, accepted=True)
    async with desk(tmp_path, faults=(lost,)) as here:
        ended = await here.call("run", here.sheet(8), *QUICK, "--submit-gate", "1")
        assert ended.code == 1
        assert "review" in ended.out + ended.err
        listed = json.loads((await here.call("review", "--json")).out)
        keys = [entry["key"] for entry in listed]
        assert len(keys) == (await here.status())["unconfirmed"] == 3
        ids = {str(s.body.get("prompt") or s.body.get("text")): s.request_id for s in here.service.ledger}
        of = {key: ids[f"A paper boat, row {key.removeprefix('row-')}"] for key in keys}

        wrong = await here.call("review", "--attach", f"{keys[0]}=no-such-request")
        assert wrong.code != 0
        assert (await here.status())["unconfirmed"] == 3
        taken = await here.call(
            "review",
            "--attach",
            f"{keys[0]}={of[keys[0]]}",
            "--resubmit",
            keys[1],
            "--discard",
            keys[2],
            "--yes",
        )
        assert taken.code == 0, taken.err
        again = await here.call("resume", *QUICK)
        assert again.code == 1
        counts = (await here.status())["counts"]
        assert (counts["succeeded"], counts["failed"], counts["unconfirmed"]) == (7, 1, 0)
        assert len(here.service.ledger) == 9, "only the one that was to be sent again was"
        records = {record["key"]: record for record in here.manifest()}
        assert records[keys[0]]["request_id"] == of[keys[0]]
        assert records[keys[2]]["error"]["kind"] == "discarded"


async def test_retry_of_a_download_pays_nothing(tmp_path: Path) -> None:
    broken = Fault(endpoint=Endpoint.MEDIA, kind=FaultKind.WRONG_BYTES, times=None, job=2)
    async with desk(tmp_path, faults=(broken,)) as here:
        ended = await here.call("run", here.sheet(4), *QUICK)
        assert ended.code == 1
        (bad,) = [record for record in here.manifest() if record["error"]]
        assert bad["error"]["kind"] == "bad_picture"
        here.service.faults = ()
        assert (await here.call("retry", "--yes")).code == 0
        assert (await here.call("resume", *QUICK)).code == 0
        assert len(here.service.ledger) == 4
        here.assert_pictures_whole()


async def test_retry_of_a_failed_run_is_a_new_submit(tmp_path: Path) -> None:
    failed = Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FAILED, times=None, job=2)
    async with desk(tmp_path, faults=(failed,)) as here:
        assert (await here.call("run", here.sheet(4), *QUICK)).code == 1
        assert len(here.service.ledger) == 4
        retried = await here.call("retry", "--yes")
        assert retried.code == 0, retried.err
        assert (await here.call("run", "sheet.csv", *QUICK)).code == 0
        assert len(here.service.ledger) == 5
        assert [record["attempts"] for record in here.manifest()].count(2) == 1
