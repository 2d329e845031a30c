"""From the bytes of a document to its tree, or to the problem that makes it unreadable."""

from collections.abc import Callable

from jobs.problems import Problem, at
from jobs.sheets.files.decode import BadText, read_whole
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.tree import Node
from jobs.sheets.trees.tree_builder import MOST_BYTES, BadDocument, RepeatedKey

ReadTree = Callable[[str], tuple[Node, list[RepeatedKey]]]


def read_document(source: SheetSource, read_tree: ReadTree) -> tuple[Node, list[Problem]] | Problem:
    """Read the whole document: the defaults of jobs may stand below the jobs."""
    try:
        root, repeated = read_tree(read_whole(source.path, MOST_BYTES, source.encoding))
    except (BadText, BadDocument) as bad:
        return at(source.name, bad.line).problem(bad.message, bad.hint)
    return root, [
        at(source.name, again.line, column=again.key).problem(
            "This name stands here twice.", "Keep one of them."
        )
        for again in repeated
    ]
