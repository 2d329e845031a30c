"""Folds a sentence at the width of a terminal: between words, and never within a command or a path. Pure."""

import re
from collections.abc import Iterator

_COMMAND = re.compile(r"nightsheet [a-z]+(?: [^\s`;,]*[^\s`;,.])*")
"""To its end: a person copies it, and a line break in it would run half of it."""
_KEPT = "\ue000"
"""Stands for a blank that no line ends at. Private use: no text of ours has it."""
_NARROWEST = 20
_HANG = "  "


def folded(text: str, wide: int | None, hang: str | None = None) -> list[str]:
    """Lines of at most `wide` cells; None folds nothing. What a person copies may be longer, and is whole.

    What follows the first line begins with `hang`, by default two blanks more than the text itself.
    """
    if wide is None:
        return [text]
    from rich.cells import cell_len  # only for a terminal

    if cell_len(text) <= wide:
        return [text]
    margin = text[: len(text) - len(text.lstrip(" "))]
    hang = margin + _HANG if hang is None else hang
    kept = _COMMAND.sub(lambda found: found[0].replace(" ", _KEPT), text.strip(" "))
    wide = max(wide, _NARROWEST)
    lines, line = [], margin
    for word in _words(kept, wide - len(hang)):
        fits_the_next = len(hang) + cell_len(word) <= wide
        if line.strip(" ") and fits_the_next and cell_len(line) + 1 + cell_len(word) > wide:
            lines.append(line)
            line = hang + word
        else:
            line += f" {word}" if line.strip(" ") else word
    return [one.replace(_KEPT, " ") for one in (*lines, line)]


def _words(text: str, room: int) -> Iterator[str]:
    from rich.cells import cell_len, chop_cells

    for word in text.split():
        if _KEPT in word or "/" in word or cell_len(word) <= room:
            yield word
        else:  # Chinese and Japanese have no blanks
            yield from chop_cells(word, room)
