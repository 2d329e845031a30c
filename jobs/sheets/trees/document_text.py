"""From the bytes of a document to its tree, or to the problem that makes it unreadable."""

from collections.abc import Callable
from dataclasses import dataclass

from jobs.problems import Problem, at, excerpt
from jobs.sheets.files.decode import BadText, read_whole
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.tree import Node
from jobs.sheets.trees.tree_builder import MOST_BYTES, BadDocument, CutText, Oddity, RepeatedKey

ReadTree = Callable[[str], tuple[Node, list[Oddity]]]


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The tree of a document, and what was found wrong or odd in its text."""

    root: Node
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read_document(source: SheetSource, read_tree: ReadTree) -> DocumentText | Problem:
    """Read the whole document: the defaults of jobs may stand below the jobs."""
    try:
        root, odd = read_tree(read_whole(source.path, MOST_BYTES, source.encoding))
    except (BadText, BadDocument) as bad:
        return at(source.name, bad.line).problem(bad.message, bad.hint)
    return DocumentText(
        root,
        tuple(
            at(source.name, again.line, column=again.key).problem(
                "This name appears twice here.", "Keep one of them."
            )
            for again in odd
            if isinstance(again, RepeatedKey)
        ),
        tuple(
            at(source.name, one.line, value=one.text).problem(
                f"The text ends before {excerpt(one.comment)}, which is a comment in YAML.",
                "If it belongs to the text, put the text into quotes.",
            )
            for one in odd
            if isinstance(one, CutText)
        ),
    )
