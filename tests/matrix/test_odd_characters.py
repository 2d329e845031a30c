"""Characters that no text should have, anywhere in an answer: a row may suffer for them, a run does not.

JSON can spell a NUL, half of a surrogate pair, and a line separator. Some databases and files take none.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.failures import FailureKind
from jobs.states import JobState
from tests.support.in_process import InProcess
from tests.support.night import Night, night
from tests.support.virtual_time import virtual

ROWS = 3
ODD = ("\u0000", "\ud800", "\u2028")
S = JobState
ENDS = (S.FAILED, S.FAILED, S.SUCCEEDED)
"""How a job ends that has such a character behind the address of its image."""


@dataclass
class OddAnswers(httpx.AsyncBaseTransport):
    """Puts an odd character into the answers of one endpoint."""

    inner: InProcess
    endpoint: str
    odd: str
    as_error: bool = False
    """Instead of the answer: an error with the character in all of its texts."""
    changed: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        if _endpoint(request) != self.endpoint:
            return response
        self.changed += 1
        document = json.loads(await response.aread())
        if self.as_error:
            odd = self.odd
            document = {
                "error_code": f"422001{odd}",
                "message": f"Not {odd} so",
                "detail": {f"a{odd}": [odd]},
            }
        status = 422 if self.as_error else response.status_code
        return httpx.Response(status, content=json.dumps(_with(document, self.odd)).encode("ascii"))


def _endpoint(request: httpx.Request) -> str:
    path = request.url.path
    if request.method == "POST":
        return "submit"
    if "/models/" in path:
        return "price"
    return path.rpartition("/")[2] if path.endswith(("/status", "/result")) else "media"


def _with(value: Any, odd: str) -> Any:
    """The same, with the character at the end of every text."""
    match value:
        case str():
            return value + odd
        case dict():
            return {name: _with(inner, odd) for name, inner in value.items()}
        case list():
            return [_with(inner, odd) for inner in value]
        case _:
            return value


async def _night(w: Night, endpoint: str, odd: str, *, as_error: bool) -> dict[JobState, int]:
    """How the rows stand after a run whose answers are odd, which pauses nothing and has no defect."""
    w.transport = answers = OddAnswers(w.transport, endpoint, odd, as_error)  # type: ignore[assignment]  # as far as a night uses it
    report = await w.run(w.sheet(ROWS), deadline=60)
    w.transport = answers.inner
    assert answers.changed, "the answers were not odd"
    assert report.paused is None
    assert [notice for notice in w.watching.notices if "defect" in notice or "refuses" in notice] == []
    assert max(w.submits().values(), default=1) == 1
    assert len(w.manifest()) == ROWS
    return {state: count for state, count in report.counts.items() if count}


def _fails(endpoint: str, kind: FailureKind, *, as_error: bool = False) -> Any:
    return pytest.param(endpoint, as_error, {S.FAILED: ROWS}, kind, id=f"{endpoint}-{as_error}")


def _passes(endpoint: str, *, as_error: bool = False) -> Any:
    return pytest.param(endpoint, as_error, {S.SUCCEEDED: ROWS}, None, id=f"{endpoint}-{as_error}")


@pytest.mark.parametrize("odd", ODD, ids=ascii)
@pytest.mark.parametrize(
    ("endpoint", "as_error", "states", "kind"),
    [
        _passes("price"),
        _passes("price", as_error=True),
        _passes("submit"),  # its id is cleaned of nothing: it is found in the addresses of the answer
        _passes("status"),
        _fails("submit", FailureKind.REFUSED, as_error=True),
    ],
)
def test_an_odd_character_pauses_nothing(
    tmp_path: Path,
    endpoint: str,
    as_error: bool,
    states: dict[JobState, int],
    kind: FailureKind | None,
    odd: str,
) -> None:
    """It costs at most its row, is shown as no character, and the next run goes on as usual."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            assert await _night(w, endpoint, odd, as_error=as_error) == states
            for job in w.jobs():
                assert job["error_kind"] == (None if kind is None else kind.value)
                assert odd not in (job["error_message"] or "")
            again = await w.run(w.sheet(ROWS))
            assert {state: count for state, count in again.counts.items() if count} == states

    test()


@pytest.mark.parametrize(("odd", "state"), [*zip(ODD, ENDS, strict=True)], ids=ascii)
def test_an_odd_address_is_none_or_is_trimmed(tmp_path: Path, odd: str, state: JobState) -> None:
    """Some white space behind an address is no part of it; what no address holds is blocked."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            assert await _night(w, "result", odd, as_error=False) == {state: ROWS}
            kinds = {job["error_kind"] for job in w.jobs()}
            assert kinds == ({None} if state is S.SUCCEEDED else {FailureKind.BLOCKED.value})

    test()


@pytest.mark.parametrize("odd", ODD, ids=ascii)
@pytest.mark.parametrize("endpoint", ["status", "result"])
def test_an_odd_error_of_a_free_call_is_asked_again(tmp_path: Path, endpoint: str, odd: str) -> None:
    """The rows are paid for: they wait, and come home once the answers are as they should be."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            assert await _night(w, endpoint, odd, as_error=True) == {S.RUNNING: ROWS}
            resumed = await w.resume()
            assert resumed is not None
            w.everything_once(ROWS)

    test()
