"""What comes of each accepted request."""

import math
import statistics

from runner.emulator.service.draws import draw
from runner.emulator.settings import EmulatorSettings


def test_service_times_have_the_median_that_was_asked_for() -> None:
    """12 s at speed 20 is 0.6 s, give or take the sample."""
    settings = EmulatorSettings()
    times = [draw(settings, ordinal, 1).seconds for ordinal in range(1, 2001)]
    assert 0.57 < statistics.median(times) < 0.63
    assert 0.35 < statistics.stdev(map(math.log, times)) < 0.45


def test_a_request_has_one_fate() -> None:
    """It hangs on the seed and the ordinal, not on what was drawn before."""
    settings = EmulatorSettings(failed_share=0.3, moderated_share=0.3, short_share=0.5)
    forward = [draw(settings, ordinal, 4) for ordinal in range(1, 50)]
    backward = [draw(settings, ordinal, 4) for ordinal in reversed(range(1, 50))]
    assert forward == backward[::-1]
    assert {fate.outcome for fate in forward} == {"succeeded", "failed", "moderated"}
    assert draw(settings.model_copy(update={"seed": 1}), 1, 4) != forward[0]


def test_only_what_succeeds_brings_pictures_and_never_more_than_asked() -> None:
    """A short run brings at least one picture, and fewer than asked."""
    settings = EmulatorSettings(failed_share=0.2, short_share=0.5)
    for fate in (draw(settings, ordinal, 4) for ordinal in range(1, 100)):
        assert (fate.pictures == 0) == (fate.outcome != "succeeded")
        assert fate.pictures <= 4
    counts = {draw(settings, ordinal, 4).pictures for ordinal in range(1, 100)}
    assert counts == {0, 1, 2, 3, 4}
    single = EmulatorSettings(short_share=1.0)
    assert {draw(single, ordinal, 1).pictures for ordinal in range(1, 20)} == {1}
