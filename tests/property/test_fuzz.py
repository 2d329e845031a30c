"""The fuzzers, for as long as CI has time: `python -m tests.fuzz --seconds 600` searches on."""

import pytest

from tests.fuzz.answers import Api
from tests.fuzz.fuzzing import search
from tests.fuzz.sheets import read

EXECUTIONS = 2000


@pytest.mark.parametrize("seed", [1, 1_000_000])
def test_only_typed_errors_in_bounded_time_and_memory(seed: int) -> None:
    """Nearly right sheets and answers, by a seed that is always the same."""
    done = search(seed, lambda number: number < EXECUTIONS)
    assert list(done.findings.values()) == []
    assert sum(done.executions.values()) == EXECUTIONS


def test_a_finding_is_a_finding() -> None:
    """The targets look at what comes out: an answer that repeats a request_id of an odd form is told."""
    api = Api()
    try:
        api.hear(200, {}, b'{"request_id": "fine-1"}')
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.fuzz.answers.is_request_id", lambda _text: False)
            with pytest.raises(AssertionError):
                api.hear(200, {}, b'{"request_id": "fine-1"}')
    finally:
        api.loop.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.fuzz.sheets.plan", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            read(b"prompt,model\na,bytedance/seedream-4-5/text-to-image\n", ".csv")
