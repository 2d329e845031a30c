"""A process that was started without a standard stream."""

import io
import sys
import warnings

import pytest

from runner.cli.console.streams import prepare


def test_a_stream_that_is_missing_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is gone, what is read is empty; a stream that is there stays."""
    there = io.StringIO()
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", there)
    prepare()
    with sys.stdin as given, sys.stdout as taken:
        print("into nowhere", file=taken)
        assert given.read() == ""
    assert sys.stderr is there


def test_pillow_has_nothing_to_say() -> None:
    """What others warn of is shown as ever."""
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        prepare()
        warnings.warn_explicit("odd EXIF", UserWarning, "TiffImagePlugin.py", 1, module="PIL.TiffImagePlugin")
        warnings.warn_explicit("odd", UserWarning, "other.py", 1, module="other")
    assert [str(one.message) for one in shown] == ["odd"]
