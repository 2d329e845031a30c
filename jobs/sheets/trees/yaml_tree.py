"""YAML as a tree of plain text: no tags, no aliases, no guessed types, and limits on size and depth.

This uses the parser's events directly. A loader would turn `no` into False, `012` into 10 and `12:30` into a
number, let the last of two equal keys win, and let 350 bytes of aliases grow into a quarter of a gigabyte.
"""

import re

import yaml

from jobs.sheets.trees.tree import ListNode, MappingNode, Node
from jobs.sheets.trees.tree_builder import BadDocument, CutText, Oddity, TreeBuilder

_LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # the same events, ten times faster, where it is built
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def read_tree(text: str) -> tuple[Node, list[Oddity]]:
    """The one document in `text`, and its repeated keys and cut texts. An empty text is an empty scalar.

    Raises:
        BadDocument: not YAML, or YAML that is rejected here.
    """
    odd = _NOT_TEXT.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise BadDocument(line, f"A character that YAML does not allow: U+{ord(odd.group()):04X}.")
    builder = TreeBuilder()
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            documents += isinstance(event, yaml.DocumentStartEvent)
            _take(event, builder, documents)
            if isinstance(event, yaml.ScalarEvent) and (found := _cut(event, text)):
                builder.odd.append(found)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # Without its C part PyYAML lets Python complain about escapes such as \UFFFFFFFF.
        mark = getattr(error, "problem_mark", None)
        sentence = getattr(error, "problem", None) or str(error)
        hint = 'Text with ": " or " #" in it, or beginning with a special character, must stand in quotes.'
        raise BadDocument(mark.line + 1 if mark else None, f"This is not YAML: {sentence}.", hint) from error
    return builder.root, builder.odd


_COMMENT = re.compile(r"[ \t]+(#[^\n\r]*)")


def _cut(event: yaml.ScalarEvent, text: str) -> CutText | None:
    """A text without quotes that ends at a comment, where the comment may well be meant as a part of it.

    `size: 2K # as always` is a value and a comment; `A fox #1` and `A sign # and nothing else` need not be.
    """
    if event.style or not event.end_mark:  # a plain text has no style; None or empty, by the parser
        return None
    comment = _COMMENT.match(text, event.end_mark.index)
    if comment is None or (" " not in event.value and comment[1][1:2] in ("", " ", "\t")):
        return None
    return CutText(event.value, comment[1], event.end_mark.line + 1)


def _take(event: yaml.Event, builder: TreeBuilder, documents: int) -> None:
    line = event.start_mark.line + 1 if event.start_mark else 0
    if isinstance(event, yaml.ScalarEvent):
        _refuse_tag(event.tag, line)
        plain_null = event.implicit[0] and event.value in _NULLS
        builder.scalar(None if plain_null else event.value, line)
    elif isinstance(event, yaml.CollectionStartEvent):
        _refuse_tag(event.tag, line)
        builder.begin(ListNode(line) if isinstance(event, yaml.SequenceStartEvent) else MappingNode(line))
    elif isinstance(event, yaml.CollectionEndEvent):
        builder.end()
    elif isinstance(event, yaml.AliasEvent):
        raise BadDocument(line, f"An alias (*{event.anchor}): aliases are not read.", "Write the value out.")
    elif documents > 1:
        raise BadDocument(line, "A second document begins here: a sheet is one document.")


def _refuse_tag(tag: str | None, line: int) -> None:
    if tag is not None:
        raise BadDocument(line, f"A tag ({tag}): tags are not read.", "Write the value without it.")
