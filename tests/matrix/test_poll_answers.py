"""Every answer to a poll and to the question for the result: a paid request is never given up for trouble."""

from pathlib import Path

import pytest

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.providers.base import RemoteStatus, RemoteStatusReport, ResultNotReady, ResultReady
from runner.workers.poll import watch
from tests.matrix.nights import accepted, ends, posts, sheet, strikes
from tests.support.night import SERIES, SINGLE, night
from tests.support.scripted import DONE, URL, WORKING
from tests.support.shell import Shell
from tests.support.tables import select
from tests.support.virtual_time import virtual
from tests.support.world import at_the_api

TROUBLE = {
    "closed": {"kind": FaultKind.DROP},
    "reset": {"kind": FaultKind.RESET},
    "silent": {"kind": FaultKind.STALL},
    "cut-short": {"kind": FaultKind.TRUNCATE},
    "no-json": {"kind": FaultKind.CUT},
    "dripping": {"kind": FaultKind.DRIP, "seconds": 5},
    "web-page": {"kind": FaultKind.HTML},
    "redirect": {"kind": FaultKind.REDIRECT, "url": "http://127.0.0.1:9/v1"},
    "error-on-200": {"kind": FaultKind.ERROR_ON_200},
    **{f"{n}": {"kind": FaultKind.HTTP, "status": n} for n in (400, 408, 429, 500, 502, 503, 504)},
    "404-of-a-gateway": {"kind": FaultKind.HTTP, "status": 404, "shape": "html"},
    "429-seconds": {"kind": FaultKind.HTTP, "status": 429, "retry_after": 20},
    "unknown-at-first": {"kind": FaultKind.UNKNOWN_ID},
    "odd-word": {"kind": FaultKind.WORD},
    "not-yet": {"kind": FaultKind.STAYS},
}


@pytest.mark.parametrize("endpoint", [Endpoint.STATUS, Endpoint.RESULT])
def test_trouble_that_passes_costs_nothing(tmp_path: Path, endpoint: Endpoint) -> None:
    """Two bad answers to each row, of every kind: all come home in the same run, nothing is sent again."""

    @virtual
    async def test() -> None:
        faults = [strikes(name, endpoint, times=2, **odd) for name, odd in TROUBLE.items()]  # type: ignore[arg-type]
        async with night(tmp_path, faults=faults) as w:
            report = await w.run(sheet(w, TROUBLE))
            assert report.exit_code == 0, ends(w)
            assert posts(w) == len(w.service.ledger) == len(TROUBLE)
            assert w.pictures_whole() == len(TROUBLE)

    test()


LASTING = {name: odd for name, odd in TROUBLE.items() if name != "unknown-at-first"}


@pytest.mark.parametrize("endpoint", [Endpoint.STATUS, Endpoint.RESULT])
def test_trouble_that_stays_leaves_the_row_at_the_api(tmp_path: Path, endpoint: Endpoint) -> None:
    """While others are answered: the run ends at the deadline with exit 1, the next one fetches them all."""

    @virtual
    async def test() -> None:
        faults = [strikes(name, endpoint, **odd) for name, odd in LASTING.items()]  # type: ignore[arg-type]
        async with night(tmp_path, faults=faults) as w:
            rows = sheet(w, [*LASTING, "well"])
            report = await w.run(rows, deadline=900, outage_limit=7200, concurrency=40)
            assert (report.exit_code, report.paused, report.overdue) == (1, None, len(LASTING))
            assert ends(w) == dict.fromkeys(LASTING, "running") | {"well": "succeeded"}
            w.service.faults = ()
            resumed = await w.resume()
            assert resumed is not None
            assert (resumed.exit_code, set(ends(w).values())) == (0, {"succeeded"})
            assert posts(w) == len(LASTING) + 1

    test()


@virtual
async def test_an_unheard_of_word_is_told(tmp_path: Path) -> None:
    """Once a row, with the word itself; meanwhile it is taken for work in progress."""
    async with night(
        tmp_path, faults=[strikes("a", Endpoint.STATUS, FaultKind.WORD, 4, word="dreaming")]
    ) as w:
        assert (await w.run(sheet(w, "abc"))).exit_code == 0
        assert [notice for notice in w.watching.notices if "'dreaming'" in notice] == [
            "Job 'a': the API says 'dreaming', which Nightsheet does not know. It keeps asking."
        ]


@pytest.mark.parametrize("endpoint", [Endpoint.STATUS, Endpoint.RESULT])
def test_an_id_that_is_gone_is_lost_and_never_bought_again(tmp_path: Path, endpoint: Endpoint) -> None:
    """Not even where failed runs may be sent again; `retry` would have to be told, and asks for the price."""

    @virtual
    async def test() -> None:
        async with night(tmp_path, faults=[strikes("a", endpoint, FaultKind.UNKNOWN_ID)]) as w:
            report = await w.run(sheet(w, "abc"), max_attempts=5)
            assert report.exit_code == 1
            assert ends(w) == {"a": "lost", "b": "succeeded", "c": "succeeded"}
            assert posts(w) == 3

    test()


@virtual
async def test_minutes_of_404_for_everybody_lose_nothing(tmp_path: Path) -> None:
    """A failover: the API knows no id at all for a while, and then all of them."""
    failover = Fault(
        endpoint=Endpoint.STATUS,
        kind=FaultKind.UNKNOWN_ID,
        times=None,
        after_seconds=5,
        for_seconds=20 * 60,
    )
    async with night(tmp_path, faults=[failover], median_seconds=60) as w:
        report = await w.run(sheet(w, "abcdef"))
        assert report.exit_code == 0, ends(w)
        assert posts(w) == len(w.service.ledger) == 6


FOREIGN = {"kind": FaultKind.HTTP, "status": 403, "error_code": 403001}


def test_one_id_that_is_another_account_s_stops_nobody_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others come home in the same run, and the next ones ask for it; a person gives it up."""
    shell = Shell(tmp_path, capsys)
    everywhere = (Endpoint.STATUS, Endpoint.RESULT, Endpoint.CANCEL)
    shell.service.faults = [
        Fault(endpoint=endpoint, prompt="boat a", times=None, **FOREIGN) for endpoint in everywhere
    ]
    rows = "".join(f"{key},{SINGLE},A boat {key}\n" for key in "abc")
    (tmp_path / "sheet.csv").write_text(f"id,model,prompt\n{rows}")
    for words in (("run", "sheet.csv", "--yes"), ("resume",)):
        assert shell.run(*words, "--deadline", "300").code == 1
        assert states(shell) == {"a": "running", "b": "succeeded", "c": "succeeded"}
    ran = shell.run("cancel", "--job", "a")
    assert (ran.code, "1 job given up as lost" in ran.out) == (0, True)
    assert states(shell)["a"] == "failed"
    assert shell.run("resume").code == 1
    assert len(shell.service.ledger) == 3
    shell.service.faults = ()
    assert "1 job" in shell.run("retry", "--free").out
    assert shell.run("resume").code == 0
    assert set(states(shell).values()) == {"succeeded"}
    assert len(shell.service.ledger) == 3


def states(shell: Shell) -> dict[str, str]:
    """Where the jobs stand, on disk."""
    return {job["key"]: job["state"] for job in select(shell.database, "SELECT key, state FROM job")}


@virtual
async def test_another_account_s_token_pauses_once_and_then_asks_on(tmp_path: Path) -> None:
    """All that was under way is unknown: nothing is lost, and with the right token all comes home."""
    foreign = Fault(endpoint=Endpoint.STATUS, times=None, **FOREIGN)
    late = Fault(endpoint=Endpoint.STATUS, kind=FaultKind.STAYS, times=None)
    async with night(tmp_path, faults=[late]) as w:
        assert (await w.run(sheet(w, "abcd"), deadline=120)).exit_code == 1
        w.service.faults = (foreign,)
        exits = []
        for _morning in range(2):
            report = await w.resume(deadline=1800)
            assert report is not None
            assert set(ends(w).values()) == {"running"}
            exits.append((report.exit_code, report.paused and report.paused.reason))
        assert exits == [(77, "token"), (1, None)]
        w.service.faults = ()
        report = await w.resume()
        assert report is not None
        assert report.exit_code == 0
        assert posts(w) == 4


@virtual
async def test_a_page_about_one_id_is_no_end_and_no_outage(tmp_path: Path) -> None:
    """A gateway that has no way to one request: the run waits for it until the deadline, which it tells."""
    page = {"kind": FaultKind.HTTP, "status": 404, "shape": "html"}
    async with night(tmp_path, faults=[strikes("a", Endpoint.STATUS, **page)]) as w:  # type: ignore[arg-type]
        report = await w.run(sheet(w, "abc"), deadline=3600, outage_limit=600)
        assert (report.exit_code, report.paused, report.overdue) == (1, None, 1)
        assert ends(w) == {"a": "running", "b": "succeeded", "c": "succeeded"}
        (told,) = (text for text in w.watching.notices if "waits no longer" in text)
        assert "Job 'a' has not ended" in told
        assert "the API's last answer: HTTP 404" in told


@virtual
async def test_a_status_that_goes_backwards_is_followed(tmp_path: Path) -> None:
    """Done, without a result, back in the queue, at work: it ends when it ends, and is paid once."""
    queued = RemoteStatusReport(RemoteStatus.QUEUED, "in_queue", 4)
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says("status", WORKING, queued, DONE, WORKING, queued, DONE)
        w.provider.says("result", ResultNotReady("in_progress"), ResultReady((URL,), None))
        done = await watch(w.run, job)
        assert done is not None
        assert (done.urls, done.request_id) == ((URL,), "req-1")
        assert len(w.provider.asked("status")) == 6


ENDINGS = {
    "failed": ({"kind": FaultKind.FAILED}, "remote_failed"),
    "moderated": ({"kind": FaultKind.MODERATED}, "moderated"),
    "nothing": ({"kind": FaultKind.NO_PICTURES}, "no_images"),
    "no-output": ({"kind": FaultKind.NO_OUTPUT}, "no_images"),
    "fewer": ({"kind": FaultKind.FEWER_PICTURES}, "succeeded"),
    "more": ({"kind": FaultKind.MORE_PICTURES}, "succeeded"),
    "well": (None, "succeeded"),
}


@virtual
async def test_how_a_run_ends_at_the_api(tmp_path: Path) -> None:
    """Each in its own kind, paid once and not sent again; another number of pictures is a warning."""
    faults = [
        strikes(name, Endpoint.RESULT, **odd)  # type: ignore[arg-type]
        for name, (odd, _end) in ENDINGS.items()
        if odd is not None
    ]
    async with night(tmp_path, faults=faults) as w:
        report = await w.run(sheet(w, ENDINGS, SERIES, "3"))
        assert report.exit_code == 1
        assert ends(w) == {name: end for name, (_odd, end) in ENDINGS.items()}
        assert {name: accepted(w, name) for name in ENDINGS} == dict.fromkeys(ENDINGS, 1)
        records = {record["key"]: record for record in w.manifest()}
        assert {name: len(records[name]["images"]) for name in ("fewer", "more", "well")} == {
            "fewer": 2,
            "more": 4,
            "well": 3,
        }
        assert records["fewer"]["warnings"][-1] == "2 of 3 pictures came."
        assert records["more"]["warnings"][-1] == "4 pictures came, 3 were asked for."
        assert records["failed"]["request_id"], "kept, for a talk with the support"


@virtual
async def test_warnings_do_not_change_the_exit_code(tmp_path: Path) -> None:
    """Fewer pictures than asked for is still a success."""
    async with night(tmp_path, faults=[strikes("a", Endpoint.RESULT, FaultKind.FEWER_PICTURES)]) as w:
        report = await w.run(sheet(w, "ab", SERIES, "2"))
        assert (report.exit_code, report.warned) == (0, 2)


@virtual
async def test_a_token_refused_on_a_poll_stops_polls_too(tmp_path: Path) -> None:
    """What is paid for stays `running` with its id, and comes home once there is another token."""
    refused = Fault(endpoint=Endpoint.STATUS, kind=FaultKind.TOKEN, times=None)
    async with night(tmp_path, faults=[refused]) as w:
        report = await w.run(sheet(w, "abc"))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (77, "token")
        assert "failed" not in ends(w).values()
        w.service.faults = ()
        resumed = await w.resume()
        assert resumed is not None
        assert resumed.exit_code == 0
        assert set(w.submits().values()) == {1}
