"""From the bytes of a document to its tree, or to what is wrong with it as a whole."""

from collections.abc import Callable

from jobs.problems import Problem, at
from jobs.sheets.files.decode import BadText, read_whole
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.tree import Node
from jobs.sheets.trees.tree_builder import MOST_BYTES, BadDocument, RepeatedKey

ReadTree = Callable[[str], tuple[Node, list[RepeatedKey]]]


def read_document(source: SheetSource, read_tree: ReadTree) -> tuple[Node, list[Problem]] | Problem:
    """The whole document: what is said once may stand below the jobs it is said for."""
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
