"""JSON as a tree of plain text with the line of every node, which Python's own reader does not provide.

Numbers keep the digits they are written with: the column decides their type.
"""

import re
from collections.abc import Callable
from json import decoder

from jobs.sheets.trees.tree import ListNode, MappingNode, Node
from jobs.sheets.trees.tree_builder import BadDocument, Oddity, TreeBuilder

# The C function behind json.loads: takes the position after the opening quote, gives the text and its end.
_scan_string: Callable[[str, int, bool], tuple[str, int]] = decoder.scanstring  # type: ignore[attr-defined]
_BLANK = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")


def read_tree(text: str) -> tuple[Node, list[Oddity]]:
    """The one value in `text`, and its repeated keys.

    Raises:
        BadDocument: not JSON, or beyond the limits of size and depth.
    """
    reader = _JsonReader(text)
    reader.read()
    return reader.builder.root, reader.builder.odd


class _JsonReader:
    """One pass over the text, without recursion. `_ends` has the closing bracket of every open node."""

    def __init__(self, text: str) -> None:
        self.builder = TreeBuilder()
        self._text = text
        self._at = 0
        self._line = 1
        self._ends: list[str] = []

    def read(self) -> None:
        self._skip()
        if self._at == len(self._text):
            raise self._wrong("nothing stands here")
        self._value()
        while self._ends:
            self._skip()
            if not self._peek(self._ends[-1]):
                self._in_between()
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("the document has ended before this")

    def _in_between(self) -> None:
        """After a value: a comma and the next one, or the end of the open node."""
        if self._peek(","):
            self._step()
            if self._ends[-1] == "}":
                self._key()
            self._value()
            return
        raise self._wrong(f"a comma or {self._ends[-1]} is missing")

    def _peek(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        if mark in "]}":
            self._at += 1
            self._ends.pop()
            self.builder.end()
        return True

    def _value(self) -> None:
        """Read a value; of a list or a mapping the beginning and the first value, if any."""
        while True:
            mark = self._text[self._at : self._at + 1]
            if mark not in ("[", "{"):
                break
            self.builder.begin(ListNode(self._line) if mark == "[" else MappingNode(self._line))
            self._ends.append("]" if mark == "[" else "}")
            self._step()
            if self._peek(self._ends[-1]):
                return
            if mark == "{":
                self._key()
        if mark == '"':
            line = self._line
            self.builder.scalar(self._string(), line)
            return
        plain = _PLAIN.match(self._text, self._at)
        if plain is None:
            raise self._wrong("a value is missing")
        self._at = plain.end()
        self.builder.scalar(None if plain.group() == "null" else plain.group(), self._line)

    def _key(self) -> None:
        if not self._text.startswith('"', self._at):
            raise self._wrong("a name in double quotes is missing")
        line = self._line
        self.builder.scalar(self._string(), line)
        self._skip()
        if not self._text.startswith(":", self._at):
            raise self._wrong("a colon is missing")
        self._step()

    def _string(self) -> str:
        try:
            text, self._at = _scan_string(self._text, self._at + 1, True)
        except decoder.JSONDecodeError as error:
            raise self._wrong(f"{error.msg[:1].lower()}{error.msg[1:].removesuffix(' at')}") from error
        return text

    def _step(self) -> None:
        self._at += 1
        self._skip()

    def _skip(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        if blank is not None:
            self._line += self._text.count("\n", self._at, blank.end())
            self._at = blank.end()

    def _wrong(self, what: str) -> BadDocument:
        return BadDocument(self._line, f"This is not JSON: {what}.")
