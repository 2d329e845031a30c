"""Named lists of reference pictures, which a row's `images` may name instead of writing them out."""

from collections.abc import Mapping

from jobs.catalog.references import why_not
from jobs.problems import Problem
from jobs.sheets.rows import shown
from jobs.sheets.tree import Items, Node, Scalar, Table

_SHAPE = "hero: [https://...]"


def read_image_sets(file: str, node: Node) -> tuple[Mapping[str, tuple[str, ...]], list[Problem]]:
    """The sets by name, and every problem in them. An address is judged here, once, not in each row."""
    if not isinstance(node, Table):
        if node == Scalar(None, node.line):
            return {}, []
        message = "Image sets are names, each with a list of addresses."
        return {}, [Problem(file, node.line, "image_sets", None, message, _SHAPE)]
    sets: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for name, value in node.nodes.items():
        nodes = value.nodes if isinstance(value, Items) else [value]
        addresses = [item.text.strip() for item in nodes if isinstance(item, Scalar) and item.text]
        if not addresses or len(addresses) < len(nodes):
            message = "An image set is a list of addresses, one at least."
            problems.append(Problem(file, value.line, shown(name), None, message, _SHAPE))
        else:
            wrong = [
                (item.line, address, why_not(address)) for item, address in zip(nodes, addresses, strict=True)
            ]
            problems += [
                Problem(file, line, shown(name), shown(address), sentence)
                for line, address, sentence in wrong
                if sentence
            ]
        sets[name] = tuple(addresses)
    return sets, problems
