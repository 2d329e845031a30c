"""Cases by turns, and what stands in the table."""

import json
from itertools import count

import pytest

from benchmarks.rounds import Column, Row, by_turns, table, tell
from benchmarks.scheduling import bound, ends

COLUMNS = (Column("ms", "ms", ratio=True), Column("mb", "MB", 0))


def test_each_round_measures_every_case() -> None:
    """A slow minute meets them all."""
    order = count()
    rows = by_turns({"a": lambda: {"at": next(order)}, "b": lambda: {"at": next(order)}}, 3)
    assert [(row.case, [sample["at"] for sample in row.samples]) for row in rows] == [
        ("a", [0, 2, 4]),
        ("b", [1, 3, 5]),
    ]


def test_a_figure_is_the_median_and_its_noise_the_spread() -> None:
    """One slow round changes the noise, not the figure."""
    row = Row("a", [{"ms": 10.0}, {"ms": 12.0}, {"ms": 40.0}])
    assert row.median("ms") == 12
    assert row.spread("ms") == 30 / 12
    assert Row("a", [{"ms": 0.0}, {"ms": 0.0}]).spread("ms") == 0


def test_the_table_has_ratios_to_the_first_that_was_measured() -> None:
    """What is not installed is said, and is no base."""
    rows = [
        Row("peer", skipped="not installed: skipped"),
        Row("naive", [{"ms": 20.0, "mb": 50.0}]),
        Row("ours", [{"ms": 5.0, "mb": 60.0}]),
    ]
    title, head, peer, naive, ours = table("instant", rows, COLUMNS).splitlines()
    assert (title, head.split()) == ("instant", ["ms", "ratio", "MB"])
    assert peer.split() == ["peer", "-", "-", "-", "not", "installed:", "skipped"]
    assert naive.split() == ["naive", "20.0", "1.00", "50"]
    assert ours.split() == ["ours", "5.0", "0.25", "60"]


def test_several_rounds_show_their_noise() -> None:
    """Half of the spread, either way."""
    rows = [Row("a", [{"ms": 9.0, "mb": 0.0}, {"ms": 10.0, "mb": 0.0}, {"ms": 11.0, "mb": 0.0}])]
    assert table("", rows, COLUMNS).splitlines()[-1].split() == ["a", "10.0", "±10%", "1.00", "0", "±0%"]


def test_a_base_of_nothing_has_no_ratio() -> None:
    """Nor does it end the measurement."""
    assert table("", [Row("a", [{"ms": 0.0, "mb": 1.0}])], COLUMNS).splitlines()[-1].split() == [
        *("a", "0.0", "-", "1")
    ]


def test_json_has_every_single_figure(capsys: pytest.CaptureFixture[str]) -> None:
    """So that somebody else can make a table of it."""
    tell(True, [("t", [Row("a", [{"ms": 1.0}, {"ms": 3.0}])], COLUMNS)], ["a note"])
    told = json.loads(capsys.readouterr().out)
    (only,) = told["tables"]
    assert only["rows"] == [{"case": "a", "samples": [{"ms": 1.0}, {"ms": 3.0}], "skipped": None}]
    assert (told["notes"], told["machine"]["cores"] > 0) == (["a note"], True)


def test_jobs_end_first_come_first_served() -> None:
    """A slot that is free waits for the next to arrive; the others wait for a slot."""
    assert ends([(0.0, 4.0), (0.0, 1.0), (0.5, 1.0), (9.0, 1.0)], 2) == [4.0, 1.0, 2.0, 10.0]
    assert bound([4.0, 1.0, 1.0, 1.0], 2) == 4.0
    assert bound([3.0, 3.0, 3.0], 1) == 9.0
