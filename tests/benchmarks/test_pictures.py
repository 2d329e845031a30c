"""The measurement of pictures runs, and says what it measured."""

import json
import sys

import pytest

from benchmarks.pictures import main

pytestmark = pytest.mark.process


def test_the_command_measures_five_pictures_both_ways(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a table, and as JSON."""
    monkeypatch.setattr(sys, "argv", ["pictures", "--turns", "2", "--side", "96"])
    main()
    _title, _heads, *lines, _noise = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["small PNG", "PNG", "JPEG", "large PNG", "large JPEG"]
    assert ["->" in line for line in lines] == [False, True, True, True, True]
    monkeypatch.setattr(sys, "argv", ["pictures", "--turns", "2", "--side", "96", "--json"])
    main()
    told = json.loads(capsys.readouterr().out)
    assert told["turns"] == 2
    assert all(one["bytes"] > 0 for one in told["milliseconds"])
    for way in ("decoded", "proven", "later", "bare"):
        assert all(one[way]["low"] <= one[way]["median"] <= one[way]["high"] for one in told["milliseconds"])


def test_a_png_of_some_size_costs_less_than_it_did(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By far: half would be far too much."""
    monkeypatch.setattr(sys, "argv", ["pictures", "--turns", "3", "--side", "700", "--json"])
    main()
    told = {one["picture"]: one for one in json.loads(capsys.readouterr().out)["milliseconds"]}
    assert told["large PNG, 1400 x 1400"]["ratio"] < 0.5
