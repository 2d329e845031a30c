"""A sheet that is a document, not a table: what is said once for all jobs, then the jobs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jobs.catalog.near import closest
from jobs.problems import Problem
from jobs.sheets.cells import LIST, OBJECT, why_not_text
from jobs.sheets.image_sets import read_image_sets
from jobs.sheets.names import ID, MODEL
from jobs.sheets.rows import Cell, Opened, Row, is_blank, shown
from jobs.sheets.source import Source
from jobs.sheets.tree import ABSENT, Items, Node, Scalar, Table

_PARTS = ("batch", "model", "defaults", "image_sets", "jobs")
_SHAPE = "A sheet has the parts batch, model, defaults, image_sets and jobs."


def open_document(source: Source, root: Node, problems: Sequence[Problem] = ()) -> Opened:
    """Take a document apart. `problems` are those already found in it."""
    file = source.name
    found = [*problems]
    if not isinstance(root, Table):
        root = Table(root.line)
        found.append(Problem(file, root.line, None, None, "The sheet does not begin with a name.", _SHAPE))
    found.extend(_unknown_parts(file, root))
    batch, model = (_single_text(file, root, name, found) for name in ("batch", "model"))
    defaults = _defaults(file, root.nodes.get("defaults", ABSENT), found)
    if model is None and isinstance(named := defaults.cells.get(MODEL), str):
        model = named.strip()
    image_sets, wrong = read_image_sets(file, root.nodes.get("image_sets", ABSENT))
    found.extend(wrong)
    jobs = _jobs(file, root.nodes.get("jobs", ABSENT), found)
    columns = dict.fromkeys(defaults.lines)
    for job in jobs:
        columns.update(dict.fromkeys(job.nodes) if isinstance(job, Table) else {})
    return Opened(
        file,
        rows=lambda: _rows(file, jobs),
        columns=tuple(columns),
        problems=tuple(found),
        batch=batch,
        batch_line=root.lines.get("batch"),
        model=model,
        model_line=root.lines.get(MODEL, defaults.line_of(MODEL)),
        defaults=defaults,
        image_sets=image_sets,
    )


def _unknown_parts(file: str, root: Table) -> Iterator[Problem]:
    for name, line in root.lines.items():
        if name not in _PARTS:
            meant = closest(name, _PARTS)
            hint = f"Did you mean {meant}?" if meant else _SHAPE
            yield Problem(file, line, shown(name), None, "A sheet has no such part.", hint)


def _single_text(file: str, root: Table, name: str, found: list[Problem]) -> str | None:
    node = root.nodes.get(name, ABSENT)
    text = node.text or "" if isinstance(node, Scalar) else ""
    sentence = why_not_text(text) if isinstance(node, Scalar) else f"The {name} is a single text."
    if sentence:
        found.append(Problem(file, node.line, name, None, sentence, f"Write {name}: NAME"))
        return None
    return text.strip() or None


def _defaults(file: str, node: Node, found: list[Problem]) -> Row:
    if not isinstance(node, Table):
        if node != Scalar(None, node.line):
            found.append(
                Problem(file, node.line, "defaults", None, "Defaults are names with values.", "size: 2K")
            )
        return Row(node.line, {})
    row, problems = _read_row(file, node)
    found.extend(problems)
    if ID not in row.cells:
        return row
    message = "An id is one job's own name: it cannot be a default."
    found.append(Problem(file, row.line_of(ID), ID, None, message, "Give each job its own id, or none."))
    return replace(row, cells={name: cell for name, cell in row.cells.items() if name != ID})


def _jobs(file: str, node: Node, found: list[Problem]) -> list[Node]:
    if isinstance(node, Items):
        return node.nodes
    if node != Scalar(None, node.line):
        found.append(
            Problem(file, node.line, "jobs", None, "The jobs are a list.", "Begin each with a hyphen.")
        )
    return []


def _rows(file: str, jobs: Sequence[Node]) -> Iterator[Row | Problem]:
    for job in jobs:
        if isinstance(job, Table):
            row, problems = _read_row(file, job)
            yield from problems
            yield row
        else:
            value = shown(job.text) if isinstance(job, Scalar) else None
            yield Problem(
                file, job.line, None, value, "A job is names with values.", "- prompt: A lighthouse"
            )


@dataclass(frozen=True, slots=True)
class _Refused:
    line: int
    message: str


def _read_row(file: str, table: Table) -> tuple[Row, list[Problem]]:
    cells: dict[str, Cell] = {}
    problems: list[Problem] = []
    unread: set[str] = set()
    for name, node in table.nodes.items():
        cell = _cell(node)
        if isinstance(cell, _Refused):
            problems.append(Problem(file, cell.line, shown(name), None, cell.message))
            unread.add(name)
        elif cell:
            cells[name] = cell
    return Row(table.line, cells, table.lines, unread), problems


def _cell(node: Node) -> Cell | _Refused:
    """A text or a list of texts, empty where nothing is said."""
    if isinstance(node, Table):
        return _Refused(node.line, OBJECT)
    if isinstance(node, Scalar):
        return _text(node)
    texts: list[str] = []
    for item in node.nodes:
        text = _text(item) if isinstance(item, Scalar) else ""
        if isinstance(text, _Refused):
            return text
        if not text:
            return _Refused(item.line, LIST)
        texts.append(text)
    return tuple(texts)


def _text(node: Scalar) -> str | _Refused:
    text = node.text or ""
    sentence = why_not_text(text)
    if sentence:
        return _Refused(node.line, sentence)
    return "" if is_blank(text) else text
