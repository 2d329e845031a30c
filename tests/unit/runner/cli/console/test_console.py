"""What reaches the terminal: no control characters, no markup, no ANSI where there is none to read it."""

import io
import json
import os
import re
import sys
from typing import Any

import pytest

from runner.cli.console import console, streams
from runner.cli.console.formatting import brief_model


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard output on a terminal that knows colours. Not a fixture: pytest's own stdout comes after."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    made = Terminal()
    monkeypatch.setattr(sys, "stdout", made)
    return made


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain Ü 中", "plain Ü 中"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x9b31mb", "a\\x9b31mb"),
        ("two\nlines\tand\r\n", "two lines and  "),
        ("\u202eevil", "\\u202eevil"),
        ("a\u00a0b", "a b"),
        ("\x00\x07\x7f\x85", "\\x00\\x07\\x7f\\x85"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_nothing_that_a_terminal_acts_on(text: str, clean: str) -> None:
    """What cannot be seen is spelt out; a line stays one line."""
    assert console.clean(text) == clean


def test_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A prompt may look like Rich's own language."""
    console.result("[bold]x[/bold] :smile: [/nothing]")
    console.message("[red]y")
    console.table(("[a]",), [("[b]c[/b]",)])
    out, err = capsys.readouterr()
    assert "[bold]x[/bold] :smile: [/nothing]\n" in out
    assert "[a]" in out
    assert "[b]c[/b]" in out
    assert err == "[red]y\n"


def test_no_ansi_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where somebody forces colours; and no line is cut."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    console.result("x" * 500, "bold red")
    console.table(("k",), [("y" * 500,)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines()[0] == "x" * 500
    assert "y" * 500 in out


def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they help."""
    terminal = at_a_terminal(monkeypatch)
    console.result("x", "bold red")
    assert "\x1b[1;31m" in terminal.getvalue()


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """As no-color.org asks for."""
    terminal = at_a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    console.result("x", "red")
    assert terminal.getvalue() == "x\n"


def test_an_export_on_a_terminal_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for reading there; in a file it is to the byte."""
    terminal = at_a_terminal(monkeypatch)
    console.raw(b"a,\x1b[31m\r\nb\n")
    assert terminal.getvalue() == "a,\\x1b[31m\nb\n"


def test_an_export_in_a_file_is_to_the_byte(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Nothing is added or escaped."""
    console.raw(b"a,\x1b\xff\r\n")
    assert capfdbinary.readouterr().out == b"a,\x1b\xff\r\n"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole in any encoding, harmless on a terminal."""
    console.as_json({"a": "Ü\x9b\x7f"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"a": "Ü\x9b\x7f"}


@pytest.mark.parametrize("many", [0, 1, 3])
def test_an_array_is_written_as_it_comes(capsys: pytest.CaptureFixture[str], many: int) -> None:
    """And is one JSON document however long."""
    with console.json_array() as write:
        for number in range(many):
            write({"n": number})
    assert json.loads(capsys.readouterr().out) == [{"n": number} for number in range(many)]


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("yup\n", False)],
)
def test_only_yes_is_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, agreed: bool
) -> None:
    """Money is never spent by pressing Enter."""
    reading, writing = os.pipe()
    os.write(writing, typed.encode())
    os.close(writing)

    class Keyboard:
        def fileno(self) -> int:
            return reading

    monkeypatch.setattr(sys, "stdin", Keyboard())
    assert console.ask("Pay \x1b?") is agreed
    os.close(reading)
    assert capsys.readouterr().err == "Pay \\x1b? [y/N] "


@pytest.mark.parametrize(("stdin", "stderr"), [(False, True), (True, False), (False, False), (True, True)])
def test_a_person_needs_both_ends(monkeypatch: pytest.MonkeyPatch, stdin: bool, stderr: bool) -> None:
    """A keyboard to answer with, and a screen to be asked on."""

    class Stream:
        def __init__(self, answer: bool) -> None:
            self._answer = answer

        def isatty(self) -> bool:
            return self._answer

    monkeypatch.setattr(sys, "stdin", Stream(stdin))
    monkeypatch.setattr(sys, "stderr", Stream(stderr))
    assert console.is_interactive() is (stdin and stderr)


def test_a_poor_encoding_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it lacks is spelt out."""
    raw = io.BytesIO()
    stream: Any = io.TextIOWrapper(raw, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    streams.prepare()
    console.result("Ü")
    stream.flush()
    assert raw.getvalue() == b"\\xdc\n"


def test_redrawn_lines_follow_each_other_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no place to draw again."""
    with console.redrawn() as draw:
        draw([("one", "bold"), ("two", "")])
        draw([("three", "")])
    assert capsys.readouterr().out == "one\ntwo\nthree\n"


def test_redrawn_lines_take_the_place_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal."""
    terminal = at_a_terminal(monkeypatch)
    with console.redrawn() as draw:
        draw([("one", "")])
        draw([("two", "")])
    assert "\x1b[2K" in terminal.getvalue()


def test_redrawn_lines_are_folded_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal the end of a line is there, too."""
    terminal = at_a_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "20")
    with console.redrawn() as draw:
        draw([("Spent $0.16 in 3 submits, up to $0.40", "")])
    shown = re.split(r"[\r\n]+", re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", terminal.getvalue()))
    assert "submits, up to $0.40" in shown
    assert max(map(len, shown)) <= 20


def test_a_dumb_terminal_is_written_to_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot draw again in the same place."""
    terminal = at_a_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    with console.redrawn() as draw:
        draw([("one", "")])
        draw([("two", "")])
    assert terminal.getvalue() == "one\ntwo\n"


def test_a_table_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models by their short names, spare columns left out, keys and ids whole."""
    terminal = at_a_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    key, request_id = "a-rather-long-key-x", "6d2b7a10-0000-4000-8000-000000000000"
    console.table(("key", "try", "request_id"), [(key, 1, request_id)], spare=("try",))
    console.table(
        ("key", "model", "reason"),
        [(key, "bytedance/seedream-4-5/sequential", "It was refused for a long reason.")],
        flowing=("reason",),
        brief={"model": brief_model},
    )
    written = terminal.getvalue()
    assert f"{key}  {request_id}" in written
    assert f"{key}  seedream-4-5/sequential  " in written
    assert "bytedance" not in written


def test_a_key_longer_than_the_terminal_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be copied: the terminal folds it, not we."""
    terminal = at_a_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "60")
    console.table(("key", "state"), [("k" * 90, "failed")])
    assert f"{'k' * 90}  failed" in terminal.getvalue()


def test_short_texts() -> None:
    """One line, cut, clean."""
    assert console.short("a\n b\x1b") == "a b\\x1b"
    assert console.short("x" * 61) == "x" * 59 + "…"
