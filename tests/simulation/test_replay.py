"""One seed has one history: in this process, in another, and whatever Python's hashes are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.trial import run_trial

ROOT = Path(__file__).parents[2]
SEEDS = (5, 42, 301)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_twice(seed: int) -> None:
    """Requests with their times, moves of jobs, pauses, deaths: byte for byte."""
    first, again = run_trial(seed), run_trial(seed)
    assert first.history.text == again.history.text
    assert first.virtual_seconds == again.virtual_seconds
    assert " -> " in first.history.text
    assert "POST /models/" in first.history.text


def test_other_seeds_differ() -> None:
    """No two of them are alike."""
    digests = {run_trial(seed).history.digest for seed in range(20)}
    assert len(digests) == 20


def test_other_processes_and_hashes() -> None:
    """What is replayed elsewhere is what was found here."""
    here = run_trial(SEEDS[1]).history.text
    for hashes in ("1", "2"):
        replayed = subprocess.run(
            [sys.executable, "-m", "tests.simulation.replay", str(SEEDS[1])],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
            check=True,
        )
        assert here in replayed.stdout
