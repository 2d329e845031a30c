"""Every answer to a submit, and the lack of one: which rows are in doubt, fail, or are sent again."""

from pathlib import Path
from typing import Any

import pytest

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.matrix.nights import accepted, ends, posts, sheet, strikes
from tests.support.night import night
from tests.support.virtual_time import virtual

SUBMIT = Endpoint.SUBMIT


def struck(name: str, kind: FaultKind, times: int | None = None, **more: Any) -> Fault:
    return strikes(name, SUBMIT, kind, times, **more)


IN_DOUBT = {
    "closed": struck("closed", FaultKind.DROP),
    "closed-taken": struck("closed-taken", FaultKind.DROP, accepted=True),
    "reset": struck("reset", FaultKind.RESET),
    "reset-taken": struck("reset-taken", FaultKind.RESET, accepted=True),
    "silent": struck("silent", FaultKind.STALL),
    "silent-taken": struck("silent-taken", FaultKind.STALL, accepted=True),
    "dripping": struck("dripping", FaultKind.DRIP, seconds=20, accepted=True),
    "cut-short": struck("cut-short", FaultKind.TRUNCATE, count=20, accepted=True),
    "plain-400": struck("plain-400", FaultKind.HTTP, status=400, shape="text"),
    "408": struck("408", FaultKind.HTTP, status=408),
    "503-page": struck("503-page", FaultKind.HTTP, status=503, shape="html", retry_after=1, accepted=True),
    "no-id": struck("no-id", FaultKind.NO_ID),
    "error-on-200": struck("error-on-200", FaultKind.ERROR_ON_200, accepted=True),
    "web-page": struck("web-page", FaultKind.HTML, accepted=True),
    **{f"{n}": struck(f"{n}", FaultKind.HTTP, status=n) for n in (500, 502, 503, 504)},
    **{
        f"{n}-taken": struck(f"{n}-taken", FaultKind.HTTP, status=n, accepted=True)
        for n in (500, 502, 503, 504)
    },
    "gateway-page": struck("gateway-page", FaultKind.HTTP, status=502, shape="html", accepted=True),
    **{
        f"to-{n}": struck(f"to-{n}", FaultKind.REDIRECT, status=n, url="/v1/models")
        for n in (301, 302, 303, 307)
    },
    "to-308": struck("to-308", FaultKind.REDIRECT, status=308, url="http://127.0.0.1:9/v1", accepted=True),
}


@virtual
async def test_without_a_readable_answer_a_row_is_unconfirmed(tmp_path: Path) -> None:
    """Whether it was taken or not: it left once, and a second run does not send it either."""
    async with night(tmp_path, faults=tuple(IN_DOUBT.values())) as w:
        rows = sheet(w, [*IN_DOUBT, "well"])
        for _ in range(2):
            report = await w.run(rows, guard_unconfirmed=0)
            assert (report.exit_code, report.paused) == (1, None)
            assert ends(w) == dict.fromkeys(IN_DOUBT, "unconfirmed") | {"well": "succeeded"}
            assert posts(w) == len(IN_DOUBT) + 1
        taken = {name for name, fault in IN_DOUBT.items() if fault.accepted} | {"no-id", "well"}
        assert {name for name in [*IN_DOUBT, "well"] if accepted(w, name)} == taken


@virtual
async def test_too_many_doubts_pause_the_batch(tmp_path: Path) -> None:
    """Whatever is wrong there, it is not one row's own trouble."""
    async with night(tmp_path, faults=(Fault(endpoint=SUBMIT, kind=FaultKind.HTML, times=None),)) as w:
        report = await w.run(w.sheet(40))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (75, "guard")
        assert posts(w) == 21


@virtual
async def test_a_captive_portal_is_an_outage(tmp_path: Path) -> None:
    """A web page in place of every answer: nothing is sent, as not even a free question is answered."""
    portal = Fault(endpoint=Endpoint.ANY, kind=FaultKind.HTML, times=None)
    async with night(tmp_path, faults=(portal,)) as w:
        report = await w.run(sheet(w, "abc"), outage_limit=300)
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason, posts(w)) == (69, "outage", 0)
        assert "an HTML page" in report.paused.detail


@virtual
async def test_a_receipt_that_broke_off_behind_its_id_is_a_receipt(tmp_path: Path) -> None:
    """What is paid for is not given up because the end of a line is missing."""
    torn = [
        strikes("a", SUBMIT, FaultKind.TRUNCATE, count=100),
        strikes("b", SUBMIT, FaultKind.DRIP, seconds=3),
        strikes("c", SUBMIT, FaultKind.CUT, accepted=True),
    ]
    async with night(tmp_path, faults=torn) as w:
        report = await w.run(sheet(w, "abc"))
        assert report.exit_code == 0, ends(w)
        assert posts(w) == 3


REFUSED = {f"{n}": struck(f"{n}", FaultKind.HTTP, status=n) for n in (400, 404, 409, 413, 415, 422)} | {
    "text-413": struck("text-413", FaultKind.HTTP, status=413, shape="text"),
    "page-403": struck("page-403", FaultKind.HTTP, status=403, shape="html"),
    "code-on-200": struck("code-on-200", FaultKind.ERROR_ON_200, error_code=422001),
}
"""The last but one is a firewall that dislikes a row's words: a free question is not refused."""


@virtual
async def test_what_the_api_refuses_fails_alone_and_free(tmp_path: Path) -> None:
    """With its words; the others go on, and nothing was paid for it."""
    faults = (*REFUSED.values(), struck("rude", FaultKind.MODERATED))
    async with night(tmp_path, faults=faults) as w:
        report = await w.run(sheet(w, [*REFUSED, "rude", "well"]))
        assert (report.exit_code, report.paused) == (1, None)
        assert ends(w) == dict.fromkeys(REFUSED, "refused") | {"rude": "moderated", "well": "succeeded"}
        assert posts(w) == len(REFUSED) + 2
        assert len(w.service.ledger) == report.account.submits == 1
        (field,) = [record["error"] for record in w.manifest() if record["key"] == "422"]
        assert field["message"], "the API's own words"


AGAIN = {
    "408": struck("408", FaultKind.HTTP, 3, status=408, retry_after=1),
    "425": struck("425", FaultKind.HTTP, 3, status=425, retry_after=1),
    "429": struck("429", FaultKind.HTTP, 3, status=429),
    "429-seconds": struck("429-seconds", FaultKind.HTTP, 3, status=429, retry_after=7),
    "429-date": struck("429-date", FaultKind.HTTP, 3, status=429, retry_after=7, retry_after_date=True),
    "429-junk": struck("429-junk", FaultKind.HTTP, 3, status=429, retry_after="inf"),
    "503-seconds": struck("503-seconds", FaultKind.HTTP, 3, status=503, retry_after=7),
    "code-on-200": struck("code-on-200", FaultKind.ERROR_ON_200, 3, error_code=429001),
}


@virtual
async def test_what_was_surely_not_taken_is_sent_again(tmp_path: Path) -> None:
    """Until it is taken: once, and paid once. No row is in doubt for it."""
    async with night(tmp_path, faults=tuple(AGAIN.values())) as w:
        report = await w.run(sheet(w, AGAIN))
        assert report.exit_code == 0, ends(w)
        assert {name: accepted(w, name) for name in AGAIN} == dict.fromkeys(AGAIN, 1)
        assert posts(w) == 4 * len(AGAIN)
        assert report.account.submits == len(AGAIN)


@pytest.mark.parametrize("dated", [False, True])
def test_retry_after_is_kept_to_by_everybody(tmp_path: Path, dated: bool) -> None:
    """One answer with it stops all submits for that long, whichever row it was given to."""

    @virtual
    async def test() -> None:
        busy = Fault(
            endpoint=SUBMIT, kind=FaultKind.HTTP, status=429, retry_after=300, retry_after_date=dated
        )
        async with night(tmp_path, faults=(busy,)) as w:
            report = await w.run(sheet(w, "abcdefghijkl"), submit_gate=1)
            assert report.exit_code == 0
            sent = [at for at, method, path in w.transport.calls if method == "POST" and "/models/" in path]
            assert 299 <= sent[1] - sent[0] < 320
            assert len(sent) == 13

    test()


def stops(kind: FaultKind, **more: Any) -> tuple[Fault, ...]:
    """The second submit is answered so."""
    return (Fault(endpoint=SUBMIT, kind=kind, from_call=2, **more),)


def refuses(status: int, shape: str) -> tuple[Fault, ...]:
    """The second submit is answered so by something in front, and from then on a free question too."""
    how: dict[str, Any] = {"kind": FaultKind.HTTP, "status": status, "shape": shape}
    return (*stops(**how), Fault(endpoint=Endpoint.STATUS, **how))


STOPS = {
    "token": (stops(FaultKind.TOKEN), 77),
    "token-401": (refuses(401, "empty"), 77),
    "token-403": (refuses(403, "text"), 77),
    "token-on-200": (stops(FaultKind.ERROR_ON_200, error_code=400004), 77),
    "balance": (stops(FaultKind.BALANCE), 75),
    "balance-402": (stops(FaultKind.HTTP, status=402, shape="empty"), 75),
    "balance-10001": (stops(FaultKind.ERROR_ON_200, error_code=10001), 75),
}


@pytest.mark.parametrize("name", STOPS)
def test_token_and_balance_stop_the_batch_and_blame_no_row(tmp_path: Path, name: str) -> None:
    """The row goes back to the queue, nothing is in doubt, and the next run ends the batch."""

    @virtual
    async def test() -> None:
        faults, code = STOPS[name]
        async with night(tmp_path, faults=faults) as w:
            report = await w.run(sheet(w, "abcde"), submit_gate=1)
            assert report.paused is not None
            assert (report.exit_code, report.paused.reason) == (code, name.split("-")[0])
            assert (posts(w), len(w.service.ledger)) == (2, 1)
            assert set(ends(w).values()) <= {"queued", "running", "succeeded"}
            resumed = await w.resume()
            assert resumed is not None
            assert resumed.exit_code == 0
            assert set(w.submits().values()) == {1}

    test()
