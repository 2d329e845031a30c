"""Sentences folded at the width of a terminal."""

import pytest
from rich.cells import cell_len

from runner.cli.console.folding import folded


def test_lines_break_between_words_and_hang() -> None:
    """What goes on is further in than what began, so that a list of sentences can be read."""
    text = "  a.csv:3: the prompt is longer than what the model reads, and its end is not drawn"
    assert folded(text, 40) == [
        "  a.csv:3: the prompt is longer than",
        "    what the model reads, and its end is",
        "    not drawn",
    ]
    assert folded(text, 40, hang="")[1].startswith("what")


@pytest.mark.parametrize("wide", [None, 200])
def test_what_fits_stays_one_line(wide: int | None) -> None:
    """And so does everything where there is no terminal."""
    text = "one sentence,  as it was written"
    assert folded(text, wide) == [text]


def test_a_command_is_whole() -> None:
    """It is copied: a line break would run the half of it. The sentence goes on after it."""
    command = "nightsheet resume my-night --emulator --db /a/b.db"
    for text in (f"Paused by a person. Go on with: {command}", f"To go on: {command}. Then look at it."):
        assert any(command in line for line in folded(text, 60))
    assert folded(f"Then `{command}` or wait until the API answers again, whenever that is", 60)[-1] == (
        "  wait until the API answers again, whenever that is"
    )


def test_a_command_that_fits_no_line_is_left_to_the_terminal() -> None:
    """It stays where it is, in one piece."""
    command = f"nightsheet resume {'n' * 70}"
    assert folded(f"Go on with: {command}", 60) == [f"Go on with: {command}"]


def test_a_path_is_whole_and_other_long_words_are_not() -> None:
    """A path is copied, too. Letters without blanks between them fill the lines, two cells each."""
    path = f"/{'p' * 80}/a.png"
    assert any(path in line for line in folded(f"The picture {path} is not there any more", 60))
    lines = folded("\u65e5\u672c" * 40, 61)
    assert max(map(cell_len, lines)) <= 61
    assert "".join(line.strip() for line in lines) == "\u65e5\u672c" * 40


def test_a_terminal_without_width_is_not_taken_at_its_word() -> None:
    """Some say 0 or 1: a letter a line would be worse."""
    assert len(folded("a few words that are some more than one", 1)) == 2
