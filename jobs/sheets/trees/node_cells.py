"""Nodes of a document as cells: rejects what JSON and YAML can express and a sheet cannot."""

import json
from dataclasses import dataclass

from pydantic import JsonValue

from jobs.problems import Problem, at
from jobs.sheets.row import Cell, Row, is_blank
from jobs.sheets.rows.column_names import FAMILY_PARTS, known_names
from jobs.sheets.text_rules import LIST, OBJECT, why_not_text
from jobs.sheets.trees.tree import ListNode, MappingNode, Node, Scalar
from jobs.suggestions import closest


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
        if holds_objects(node) and may_be_own(name):
            cells[name] = json.dumps(_plain(node), ensure_ascii=False)
            continue
        cell = as_cell(node)
        if isinstance(cell, InvalidNode):
            problems.append(at(file, cell.line, column=name).problem(cell.message))
            unread.add(name)
        elif cell:
            cells[name] = cell
    return Row(table.line, cells, table.lines, unread), problems


def holds_objects(node: Node) -> bool:
    """Whether a value is neither a text nor a list of texts."""
    if isinstance(node, ListNode):
        return any(not isinstance(item, Scalar) or not item.text for item in node.nodes)
    return isinstance(node, MappingNode)


def may_be_own(name: str) -> bool:
    """Whether a name that holds objects can be the user's own column, and no family that was misspelt."""
    return name not in known_names() and closest(name, FAMILY_PARTS) is None


def _plain(node: Node) -> JsonValue:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, ListNode):
        return [_plain(item) for item in node.nodes]
    return {name: _plain(inner) for name, inner in node.nodes.items()}


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
