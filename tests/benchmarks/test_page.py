"""The measurements of the page run, small, where there is a browser; how fast it is belongs into no test."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page, page_commits, page_live
from benchmarks.rounds import Row
from benchmarks.viewed import CHROMIUM, percentile

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


@pytest.fixture
def chromium() -> None:
    """Skip where there is no browser, or nothing that drives one."""
    pytest.importorskip("playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}: install one, or name it in NIGHTSHEET_CHROMIUM")


def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], main: Callable[[], None], *words: str
) -> tuple[list[list[Row]], list[str]]:
    """What a measurement with these words says: the rows of its tables, and its notes."""
    monkeypatch.setattr(sys, "argv", ["measurement", *words, "--json"])
    main()
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return [[Row(**row) for row in one["rows"]] for one in found["tables"]], found["notes"]


@pytest.mark.usefixtures("chromium")
def test_the_page_is_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Opening, using and holding it; no screen is full before anything was painted."""
    words = ("--tiles", "400", "--side", "64", "--rounds", "1", "--idle-seconds", "1")
    (opening, using, holding), (shipped,) = told(monkeypatch, capsys, page.main, *words)
    assert [row.case for row in opening] == [
        f"400 tiles, {kind}, {how}" for kind in ("JPEG", "PNG") for how in ("cold", "warm")
    ]
    for row in opening:
        assert 0 < row.median("paint_ms") <= row.median("screen_ms")
        assert 400 * 12 <= row.median("list_mb") * 1_000_000 < 400 * 12 + 2000
    for row in using:
        assert 0 < row.median("frame_p95_ms") <= row.median("frame_most_ms")
        assert row.median("key_p95_ms") > 0
        assert row.median("next_ms") > 0
        assert row.median("far_ms") > 0
    for row in holding:
        assert 0 < row.median("heap_mb") < row.median("renderer_mb")
        assert row.median("server_mb") > 10
    assert "KB packed" in shipped


@pytest.mark.usefixtures("chromium")
def test_commits_are_measured_alone_and_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each turn makes all of its claims."""
    words = ("--tiles", "300", "--claims", "20", "--side", "64", "--rounds", "1", "--pause", "0.001")
    (rows,), (note,) = told(monkeypatch, capsys, page_commits.main, *words)
    assert [row.case for row in rows] == ["alone", "looked at", "a copy looked at"]
    for row in rows:
        assert row.median("claims") == 20
        assert 0 < row.median("p50_ms") <= row.median("p99_ms") <= row.median("most_ms")
    assert "p99" in note


@pytest.mark.usefixtures("chromium")
def test_commits_are_seen_and_verdicts_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each commit comes to the page, and each key of verdicts into the table."""
    words = ("--tiles", "300", "--side", "64", "--commits", "2", "--rest", "0.1", "--seconds", "2")
    ((seen,), (kept,)), _notes = told(monkeypatch, capsys, page_live.main, *words)
    assert seen.median("commits") == 2
    assert 0 < seen.median("seen_p50_ms") <= seen.median("seen_p95_ms")
    assert (kept.median("pressed"), kept.median("lost")) == (40, 0)


def test_a_percentile_is_one_of_the_values() -> None:
    """The last one is the most."""
    assert [percentile([3, 1, 2, 4], percent) for percent in (0, 50, 100)] == [1, 3, 4]


def test_what_is_shipped_stays_small() -> None:
    """Packed; the promise of the page is 30 KB."""
    assert 10_000 < page.shipped_bytes() < 30 * 1024
