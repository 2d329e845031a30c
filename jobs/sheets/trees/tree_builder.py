"""Builds the tree of a document from a parser's events, within limits of depth and size."""

from dataclasses import dataclass

from jobs.sheets.text_rules import why_not_name
from jobs.sheets.trees.tree import ListNode, MappingNode, Node, Scalar

MOST_BYTES = 20_000_000
DEEPEST = 20
MOST_NODES = 1_000_000


@dataclass(frozen=True, slots=True)
class RepeatedKey:
    """A key that occurs twice in one mapping: the second one is ignored."""

    key: str
    line: int


@dataclass(frozen=True, slots=True)
class CutText:
    """A text that a comment behind it cuts off, perhaps against its author's will."""

    text: str
    comment: str
    line: int


Oddity = RepeatedKey | CutText


class BadDocument(Exception):
    """The document is rejected at this line, and not read beyond it."""

    def __init__(self, line: int | None, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.hint = hint


class TreeBuilder:
    """Takes the beginnings and ends of nodes in order; works without recursion."""

    def __init__(self) -> None:
        self.root: Node = Scalar(None, 1)
        self.odd: list[Oddity] = []
        self._nodes = 0
        self._open: list[ListNode | MappingNode] = []
        self._keys: list[Scalar | None] = []

    def scalar(self, text: str | None, line: int) -> None:
        """Add a value, or a key where one is due."""
        self._put(Scalar(text, line))

    def begin(self, node: ListNode | MappingNode) -> None:
        """Open a list or a mapping: what follows is in it, until `end`."""
        self._put(node)
        self._open.append(node)
        self._keys.append(None)
        if len(self._open) > DEEPEST:
            raise BadDocument(node.line, f"Nested more than {DEEPEST} deep.")

    def end(self) -> None:
        """Close the innermost list or mapping."""
        self._open.pop()
        self._keys.pop()

    def _put(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise BadDocument(
                node.line, f"More than {MOST_NODES:,} values.", "Write a sheet of this size as CSV."
            )
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent, ListNode):
            parent.nodes.append(node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = _as_key(node)
            return
        self._keys[-1] = None
        name = str(key.text)
        if name in parent.nodes:
            self.odd.append(RepeatedKey(name, key.line))
            return
        parent.nodes[name] = node
        parent.lines[name] = key.line


def _as_key(node: Node) -> Scalar:
    name = node.text or "" if isinstance(node, Scalar) else ""
    sentence = why_not_name(name)
    if sentence:
        raise BadDocument(node.line, sentence)
    return Scalar(name.strip(), node.line)
