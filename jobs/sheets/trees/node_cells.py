"""Nodes of a document as cells: rejects what JSON and YAML can express and a sheet cannot."""

from dataclasses import dataclass

from jobs.problems import Problem, at
from jobs.sheets.row import Cell, Row, is_blank
from jobs.sheets.text_rules import LIST, OBJECT, why_not_text
from jobs.sheets.trees.tree import MappingNode, Node, Scalar


@dataclass(frozen=True, slots=True)
class InvalidNode:
    """Why a value is no cell, and its line."""

    line: int
    message: str


def read_row(file: str, table: MappingNode) -> tuple[Row, list[Problem]]:
    """A mapping as a row, and the problems of values that cannot be read."""
    cells: dict[str, Cell] = {}
    problems: list[Problem] = []
    unread: set[str] = set()
    for name, node in table.nodes.items():
        cell = as_cell(node)
        if isinstance(cell, InvalidNode):
            problems.append(at(file, cell.line, column=name).problem(cell.message))
            unread.add(name)
        elif cell:
            cells[name] = cell
    return Row(table.line, cells, table.lines, unread), problems


def as_cell(node: Node) -> Cell | InvalidNode:
    """A text or a list of texts; empty for an absent value."""
    if isinstance(node, MappingNode):
        return InvalidNode(node.line, OBJECT)
    if isinstance(node, Scalar):
        return _text(node)
    texts: list[str] = []
    for item in node.nodes:
        text = _text(item) if isinstance(item, Scalar) else ""
        if isinstance(text, InvalidNode):
            return text
        if not text:
            return InvalidNode(item.line, LIST)
        texts.append(text)
    return tuple(texts)


def _text(node: Scalar) -> str | InvalidNode:
    text = node.text or ""
    sentence = why_not_text(text)
    if sentence:
        return InvalidNode(node.line, sentence)
    return "" if is_blank(text) else text
