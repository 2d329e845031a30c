"""YAML as plain text in a tree: no tags, no aliases, no guessed types, and a limit on everything.

The parser's events are used directly. A loader would turn `no` into False, `012` into 10 and `12:30` into a
number, let the last of two equal keys win, and let 350 bytes of aliases grow into a quarter of a gigabyte.
"""

import re
from dataclasses import dataclass

import yaml

from jobs.sheets.cells import why_not_name
from jobs.sheets.tree import Items, Node, Scalar, Table

DEEPEST = 20
MOST_NODES = 1_000_000

_LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # the same events, ten times faster, where it is built
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Repeated:
    """A key that stands twice in one mapping: the second one is not read."""

    key: str
    line: int


class BadYaml(Exception):
    """What stands at this line is refused, and nothing after it can be trusted."""

    def __init__(self, line: int | None, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.hint = hint


def read_tree(text: str) -> tuple[Node, list[Repeated]]:
    """The one document in `text`, and the keys that were repeated. An empty text is an empty scalar.

    Raises:
        BadYaml: not YAML, or YAML that is refused here.
    """
    odd = _NOT_TEXT.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise BadYaml(line, f"A character that YAML does not allow: U+{ord(odd.group()):04X}.")
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # Without its C part PyYAML lets Python complain about escapes such as \UFFFFFFFF.
        mark = getattr(error, "problem_mark", None)
        sentence = getattr(error, "problem", None) or str(error)
        hint = 'Text with ": " or " #" in it, or beginning with a special character, must stand in quotes.'
        raise BadYaml(mark.line + 1 if mark else None, f"This is not YAML: {sentence}.", hint) from error
    return builder.root, builder.repeated


class _Builder:
    """Puts the parser's events together, never deeper or longer than allowed, and without recursion."""

    def __init__(self) -> None:
        self.root: Node = Scalar(None, 1)
        self.repeated: list[Repeated] = []
        self._documents = 0
        self._nodes = 0
        self._open: list[Items | Table] = []
        self._keys: list[Scalar | None] = []

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.ScalarEvent):
            _refuse_tag(event.tag, line)
            plain_null = event.implicit[0] and event.value in _NULLS
            self._put(Scalar(None if plain_null else event.value, line))
        elif isinstance(event, yaml.CollectionStartEvent):
            _refuse_tag(event.tag, line)
            node = Items(line) if isinstance(event, yaml.SequenceStartEvent) else Table(line)
            self._put(node)
            self._open.append(node)
            self._keys.append(None)
            if len(self._open) > DEEPEST:
                raise BadYaml(line, f"Nested more than {DEEPEST} deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise BadYaml(line, f"An alias (*{event.anchor}): aliases are not read.", "Write the value out.")
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise BadYaml(line, "A second document begins here: a sheet is one document.")

    def _put(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise BadYaml(
                node.line, f"More than {MOST_NODES:,} values.", "Write a sheet of this size as CSV."
            )
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Items):
            parent.nodes.append(node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = _as_key(node)
            return
        self._keys[-1] = None
        name = str(key.text)
        if name in parent.nodes:
            self.repeated.append(Repeated(name, key.line))
            return
        parent.nodes[name] = node
        parent.lines[name] = key.line


def _as_key(node: Node) -> Scalar:
    name = node.text or "" if isinstance(node, Scalar) else ""
    sentence = why_not_name(name)
    if sentence:
        raise BadYaml(node.line, sentence)
    return Scalar(name.strip(), node.line)


def _refuse_tag(tag: str | None, line: int) -> None:
    if tag is not None:
        raise BadYaml(line, f"A tag ({tag}): tags are not read.", "Write the value without it.")
