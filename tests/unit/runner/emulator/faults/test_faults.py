"""Which fault strikes which call."""

from typing import Any

import pytest
from pydantic import ValidationError

from runner.emulator.faults.faults import Endpoint, Fault, FaultBook, FaultKind


def _fault(**fields: Any) -> Fault:
    return Fault.model_validate({"endpoint": "status", "kind": "http"} | fields)


def _struck(fault: Fault, calls: int, **call: Any) -> list[int]:
    """The numbers of those of `calls` equal calls that are struck, from 1."""
    book = FaultBook([fault], seed=0)
    return [n for n in range(1, calls + 1) if book.choose(Endpoint.STATUS, 0.0, **call) is fault]


def test_how_often_and_from_when() -> None:
    """Once, N times, for ever; from call k."""
    assert _struck(_fault(), 5) == [1]
    assert _struck(_fault(times="once"), 5) == [1]
    assert _struck(_fault(times=3), 5) == [1, 2, 3]
    assert _struck(_fault(times=None), 5) == [1, 2, 3, 4, 5]
    assert _struck(_fault(times="for ever", from_call=4), 5) == [4, 5]
    assert _struck(_fault(times=2, from_call=2), 5) == [2, 3]


def test_each_request_may_be_counted_by_itself() -> None:
    """The first two polls of every request, the first fetch of every picture."""
    book = FaultBook([_fault(times=2, each=True)], seed=0)
    struck = [book.choose(Endpoint.STATUS, 0.0, job=job) is not None for job in (1, 2, 1, 2, 1, 2)]
    assert struck == [True, True, True, True, False, False]
    book = FaultBook([_fault(endpoint="media", each=True)], seed=0)
    struck = [book.choose(Endpoint.MEDIA, 0.0, job=1, picture=n) is not None for n in (1, 2, 1, 2)]
    assert struck == [True, True, False, False]


def test_whom_it_is_meant_for() -> None:
    """An ordinal, a text in the prompt, a picture, an endpoint or any."""
    assert _struck(_fault(job=2), 1, job=2) == [1]
    assert _struck(_fault(job=2), 1, job=3) == []
    assert _struck(_fault(prompt="cat"), 1, prompt="a cat on a mat") == [1]
    assert _struck(_fault(prompt="cat"), 1, prompt="a dog") == []
    assert _struck(_fault(endpoint="any", picture=2), 1, picture=2) == [1]
    assert _struck(_fault(endpoint="any", picture=2), 1, picture=1) == []
    assert _struck(_fault(endpoint="result"), 1) == []


def test_a_call_that_was_not_meant_is_not_counted() -> None:
    """`from_call` counts what fits."""
    book = FaultBook([_fault(prompt="cat", from_call=2)], seed=0)
    struck = [book.choose(Endpoint.STATUS, 0.0, prompt=prompt) for prompt in ("cat", "dog", "cat")]
    assert [fault is not None for fault in struck] == [False, False, True]


def test_a_window() -> None:
    """From its beginning on, up to its end."""
    book = FaultBook([_fault(times=None, after_seconds=10, for_seconds=5)], seed=0)
    struck = [at for at in (0, 9.9, 10, 14.9, 15, 99) if book.choose(Endpoint.STATUS, at)]
    assert struck == [10, 14.9]


def test_chance_is_drawn_anew_for_each_call_and_replays() -> None:
    """About as often as it says, and the same with the same seed."""
    fault = _fault(times=None, chance=0.3)
    assert 250 < len(_struck(fault, 1000)) < 350
    assert _struck(fault, 50) == _struck(fault, 50)
    assert _struck(_fault(times=2, chance=0.3), 100) == _struck(fault, 100)[:2]
    assert _struck(_fault(times=None, chance=0.0), 100) == []


def test_outcomes_are_drawn_once_for_a_request() -> None:
    """A failed run does not succeed when one asks again."""
    book = FaultBook([_fault(endpoint="result", kind="failed", times=None, chance=0.5)], seed=0)
    fates = [
        {book.choose(Endpoint.RESULT, 0.0, job=job) is not None for _ in range(5)} for job in range(1, 40)
    ]
    assert all(len(fate) == 1 for fate in fates)
    assert 10 < sum(True in fate for fate in fates) < 30


def test_the_first_that_strikes_wins() -> None:
    """And one that is used up lets the next one have the call."""
    first, second = _fault(status=500), _fault(status=502)
    book = FaultBook([first, second], seed=0)
    assert [book.choose(Endpoint.STATUS, 0.0) for _ in range(3)] == [first, second, None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "no_id"},
        {"kind": "word", "endpoint": "submit"},
        {"kind": "gzip", "endpoint": "result"},
        {"kind": "moderated"},
        {"kind": "pictures"},
        {"times": 0},
        {"status": 204},
        {"status": 304},
        {"retry_after": "soon", "retry_after_date": True},
        {"retry_after_date": True},
        {"chance": 2},
        {"surprise": 1},
    ],
)
def test_faults_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """When they are made, not when they would strike."""
    with pytest.raises(ValidationError):
        _fault(**wrong)


def test_every_kind_happens_somewhere() -> None:
    """No kind is locked out of every endpoint."""
    for kind in FaultKind:
        made = 0
        for endpoint in Endpoint:
            try:
                Fault(endpoint=endpoint, kind=kind)
            except ValidationError:
                continue
            made += 1
        assert made, kind
