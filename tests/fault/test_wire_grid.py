"""Every way that a wire can break, at every endpoint, once and for ever: each ends as it must.

The real run over real sockets; only its waits are shortened.
"""

import hashlib
import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import httpx
import pytest

from jobs.states import JobState
from runner.downloads.download import DownloadLimits, Downloads
from runner.environment import Environment
from runner.events.report import RunReport
from runner.lifecycle.order import LoadOptions
from runner.planning.consent import agreed_to_all
from runner.run import run_sheet
from runner.settings import Settings
from tests.support import broken_api as breaks
from tests.support.broken_api import Break, BrokenApi, a_picture, broken_api
from tests.support.night import Watching
from tests.support.tables import select

S = JobState
ROWS = 3
TEXT_TO_IMAGE = "bytedance/seedream-4-5/text-to-image"
HURRY = 100
"""How much faster the run's waits go by."""

HARMLESS: tuple[Break, ...] = (breaks.goes_away_unasked, breaks.says_too_much)
"""The answer is whole: nobody may mind what follows it."""
HARMFUL: tuple[Break, ...] = (
    breaks.hangs_up,
    breaks.resets,
    breaks.is_silent,
    breaks.half_a_head,
    breaks.half_a_head_and_silence,
    breaks.half_a_body,
    breaks.half_a_body_and_reset,
    breaks.half_a_body_and_silence,
    breaks.drips,
    breaks.garbage,
    breaks.endless_head,
    breaks.broken_chunks,
    breaks.chunks_without_an_end,
    breaks.gzip_that_is_none,
)
ENDPOINTS = ("submit", "status", "result", "picture")
READ_ALL_THE_SAME = {(breaks.gzip_that_is_none, endpoint) for endpoint in ENDPOINTS if endpoint != "picture"}
"""A document that is not packed, whatever its headers say, is read as it came."""
GRID = [
    (how, endpoint) for endpoint in ENDPOINTS for how in HARMFUL if (how, endpoint) not in READ_ALL_THE_SAME
]
HARMLESS_GRID = [
    *((how, endpoint) for endpoint in ENDPOINTS for how in HARMLESS),
    *sorted(READ_ALL_THE_SAME, key=lambda pair: pair[1]),
]


class HurriedClock:
    """The machine's clock, faster."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 22, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def cpu(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return (time.monotonic() - self._begun) * HURRY

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds / HURRY))


async def run(
    folder: Path,
    api: BrokenApi,
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    deadline: int = 1000,
) -> RunReport:
    """The sheet of three rows, against it. The outage is to end first, however busy the machine is."""
    sheet = folder / "sheet.csv"
    sheet.write_text("id,prompt\n" + "".join(f"{row},A boat no. {row}\n" for row in range(ROWS)))
    settings = Settings(
        db=folder / "night.db",
        output_dir=folder / "outputs",
        submit_timeout=0.6,  # of the machine: a busy one may be slow, and what is not answered is in doubt
        timeout=0.25,
        submit_gate=1,
        outage_limit=100,
        deadline=deadline,
    )
    env = {"RUNCOMFY_MODEL_API_BASE": api.base, "RUNCOMFY_API_TOKEN": "canary-wire-token"}
    environment = Environment(env, folder, HurriedClock(), random.Random(5), transport=transport)
    with anyio.fail_after(45):
        return await run_sheet(
            sheet,
            LoadOptions(model=TEXT_TO_IMAGE),
            settings=settings,
            environment=environment,
            consent=agreed_to_all,
            observer=Watching(),
        )


def states(report: RunReport) -> dict[JobState, int]:
    return {state: count for state, count in report.counts.items() if count}


def paid_once_and_known(folder: Path, api: BrokenApi) -> None:
    """No row was accepted twice, and every id is held by the row that it was given out for, or in doubt."""
    assert sorted(api.accepted.values()) == [f"A boat no. {row}" for row in range(ROWS)]
    found = select(
        folder / "night.db",
        "SELECT request_id, state, inputs FROM job JOIN attempt ON attempt.job_id = job.id",
    )
    held = {row["request_id"]: row["inputs"] for row in found if row["request_id"]}
    assert all(api.accepted[request_id] in inputs for request_id, inputs in held.items())
    in_doubt = sum(row["state"] == "unconfirmed" for row in found)
    assert len(api.accepted) - len(held) == in_doubt


@pytest.fixture(autouse=True)
def hurried_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = DownloadLimits(connect_seconds=0.25, idle_seconds=0.15, total_seconds=0.3)
    monkeypatch.setattr("runner.lifecycle.build.Downloads", partial(Downloads, limits=limits))


def name(part: Break | str) -> str:
    return part if isinstance(part, str) else part.__name__


@pytest.mark.parametrize(("how", "endpoint"), GRID, ids=name)
async def test_once(tmp_path: Path, how: Break, endpoint: str) -> None:
    """A submit is in doubt, and is not sent again; all else is asked again until it comes."""
    async with broken_api(endpoint, how, for_ever=False) as api:
        report = await run(tmp_path, api)
    if endpoint == "submit":
        assert (report.exit_code, states(report)) == (1, {S.UNCONFIRMED: 1, S.SUCCEEDED: 2})
    else:
        assert (report.exit_code, states(report)) == (0, {S.SUCCEEDED: ROWS})
    assert api.asked["submit"] == ROWS
    paid_once_and_known(tmp_path, api)


FOR_EVER = {
    "submit": (1, {S.UNCONFIRMED: ROWS}),
    "status": (69, {S.RUNNING: ROWS}),
    "result": (1, {S.RUNNING: ROWS}),  # its status is told: the API is there, and waited for
}
BROKEN_PICTURES = {
    breaks.half_a_body,
    breaks.half_a_body_and_reset,
    breaks.chunks_without_an_end,
    breaks.gzip_that_is_none,
}
"""The picture's server is there, and what it sends is no picture: that is the picture's own trouble."""


@pytest.mark.parametrize(("how", "endpoint"), GRID, ids=name)
async def test_for_ever(tmp_path: Path, how: Break, endpoint: str) -> None:
    """Paused, with what is paid for kept; and when it is mended, the next run brings it home."""
    async with broken_api(endpoint, how, for_ever=True) as api:
        report = await run(tmp_path, api, deadline=150 if endpoint == "result" else 1000)
        if endpoint == "picture":
            expected = (1, {S.FAILED: ROWS}) if how in BROKEN_PICTURES else (69, {S.FETCHING: ROWS})
        else:
            expected = FOR_EVER[endpoint]
        assert (report.exit_code, states(report)) == expected
        assert api.asked["submit"] == ROWS
        api.mended = True
        again = await run(tmp_path, api)
        assert api.asked["submit"] == ROWS  # whatever happened, nothing was bought twice
        if endpoint != "submit" and S.FAILED not in expected[1]:
            assert (again.exit_code, states(again)) == (0, {S.SUCCEEDED: ROWS})
    paid_once_and_known(tmp_path, api)


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize(("how", "endpoint"), HARMLESS_GRID, ids=name)
async def test_what_follows_a_whole_answer(tmp_path: Path, how: Break, endpoint: str, for_ever: bool) -> None:
    """Costs nothing, and does not spoil what comes next on the connection."""
    async with broken_api(endpoint, how, for_ever=for_ever) as api:
        report = await run(tmp_path, api)
    assert (report.exit_code, states(report)) == (0, {S.SUCCEEDED: ROWS})
    assert api.asked["submit"] == ROWS
    paid_once_and_known(tmp_path, api)
    hashes = select(tmp_path / "night.db", "SELECT sha256 FROM artifact")
    assert hashes == [{"sha256": hashlib.sha256(a_picture()).hexdigest()}] * ROWS


@pytest.mark.parametrize(("how", "endpoint"), GRID, ids=name)
async def test_over_httpcore(tmp_path: Path, how: Break, endpoint: str) -> None:
    """The transport that httpx brings along can stand in for ours, and no submit is sent twice by it."""
    async with broken_api(endpoint, how, for_ever=False) as api, httpx.AsyncHTTPTransport() as plain:
        report = await run(tmp_path, api, plain)
    expected = {S.UNCONFIRMED: 1, S.SUCCEEDED: 2} if endpoint == "submit" else {S.SUCCEEDED: ROWS}
    assert states(report) == expected
    assert api.asked["submit"] == ROWS
    paid_once_and_known(tmp_path, api)
