"""A sheet that is a document, not a table: values for all jobs, then the jobs."""

from collections.abc import Iterator, Mapping, Sequence, Set

from jobs.catalog.registry import MODELS, find
from jobs.problems import Problem, at, excerpt
from jobs.sheets.documents.image_sets import read_image_sets
from jobs.sheets.families.expand import expand
from jobs.sheets.families.members import Family
from jobs.sheets.families.parse import read_family
from jobs.sheets.opened import DocumentSheet
from jobs.sheets.row import Row
from jobs.sheets.rows.column_names import FAMILY_PARTS, ID, MODEL, unknown_model
from jobs.sheets.source import SheetSource
from jobs.sheets.text_rules import why_not_text
from jobs.sheets.trees.node_cells import holds_objects, may_be_own, read_row
from jobs.sheets.trees.tree import ABSENT, ListNode, MappingNode, Node, Scalar
from jobs.suggestions import closest, did_you_mean

PARTS = ("batch", "model", "defaults", "model_defaults", "image_sets", "jobs")
_INPUTS = frozenset(word for spec in MODELS.values() for word in spec.vocabulary)
_SHAPE = f"A sheet has the parts {', '.join(PARTS[:-1])} and jobs."


def open_document(
    source: SheetSource, root: Node, problems: Sequence[Problem] = (), warnings: Sequence[Problem] = ()
) -> DocumentSheet:
    """Read the parts of a document. `problems` and `warnings` are those already found in it."""
    file = source.name
    found = [*problems]
    if isinstance(root, ListNode):
        part = "jobs" if any(isinstance(item, MappingNode) for item in root.nodes) else "prompts"
        root = MappingNode(root.line, {part: root}, {part: root.line})
    if not isinstance(root, MappingNode):
        root = MappingNode(root.line)
        found.append(at(file, root.line).problem("The sheet does not begin with a name.", _SHAPE))
    found.extend(_unknown_parts(file, root))
    batch, model = (_single_text(file, root, name, found) for name in ("batch", "model"))
    defaults = _defaults(file, "defaults", root.nodes.get("defaults", ABSENT), found)
    if model is None and isinstance(named := defaults.cells.get(MODEL), str):
        model = named.strip()
    model_defaults = _model_defaults(file, root.nodes.get("model_defaults", ABSENT), found)
    album = source.album()
    image_sets, wrong = read_image_sets(file, root.nodes.get("image_sets", ABSENT), album)
    found.extend(wrong)
    family = read_family(source, root, found)
    jobs = _jobs(file, root, family, found)
    return DocumentSheet(
        file,
        rows=lambda: _rows(source, jobs, family),
        columns=tuple(_columns(source, [defaults, *model_defaults.values()], jobs, family)),
        problems=tuple(found),
        own=_own(jobs),
        warnings=tuple(warnings),
        batch=batch,
        batch_line=root.lines.get("batch"),
        model=model,
        model_line=root.lines.get(MODEL, defaults.line_of(MODEL)),
        defaults=defaults,
        model_defaults=model_defaults,
        image_sets=image_sets,
        album=album,
    )


def _unknown_parts(file: str, root: MappingNode) -> Iterator[Problem]:
    for name, line in root.lines.items():
        if name not in (*PARTS, *FAMILY_PARTS):
            hint = did_you_mean(closest(name, (*PARTS, *FAMILY_PARTS)), _SHAPE)
            if name in _INPUTS:
                hint = "Write it under defaults, where it holds for all jobs, or into a job."
            yield at(file, line, column=name).problem("A sheet has no such part.", hint)


def _single_text(file: str, root: MappingNode, name: str, found: list[Problem]) -> str | None:
    node = root.nodes.get(name, ABSENT)
    text = node.text or "" if isinstance(node, Scalar) else ""
    sentence = why_not_text(text) if isinstance(node, Scalar) else f"The {name} is a single text."
    if sentence:
        found.append(at(file, node.line, column=name).problem(sentence, f"Write {name}: NAME"))
        return None
    return text.strip() or None


def _defaults(file: str, part: str, node: Node, found: list[Problem]) -> Row:
    if not isinstance(node, MappingNode):
        if node != Scalar(None, node.line):
            place = at(file, node.line, column=part)
            found.append(place.problem("Defaults are names with values.", "size: 2K"))
        return Row(node.line, {})
    families = [name for name in node.nodes if name in FAMILY_PARTS]
    for name in families:
        message = "This makes many jobs of one, and is no default."
        hint = "Write it beside the defaults: there it holds for all jobs."
        found.append(at(file, node.lines[name], column=name).problem(message, hint))
    row, problems = read_row(file, _without(node, families))
    found.extend(problems)
    if ID not in row.cells:
        return row
    message = "An id is one job's own name: it cannot be a default."
    place = at(file, row.line_of(ID), column=ID)
    found.append(place.problem(message, "Give each job its own id, or none."))
    return row._replace(cells={name: cell for name, cell in row.cells.items() if name != ID})


def _model_defaults(file: str, node: Node, found: list[Problem]) -> Mapping[str, Row]:
    """Defaults by the id of their model."""
    if not isinstance(node, MappingNode):
        if node != Scalar(None, node.line):
            place = at(file, node.line, column="model_defaults")
            found.append(place.problem("These are models, each with its defaults.", "MODEL: {size: 2K}"))
        return {}
    for name, line in node.lines.items():
        if find(name) is None:
            place = at(file, line, column="model_defaults", value=name)
            found.append(place.problem(*unknown_model(name)))
    return {name: _defaults(file, excerpt(name) or "", inner, found) for name, inner in node.nodes.items()}


def _jobs(file: str, root: MappingNode, family: Family | None, found: list[Problem]) -> list[Node]:
    node = root.nodes.get("jobs", ABSENT)
    if isinstance(node, ListNode):
        return node.nodes
    if node != Scalar(None, node.line):
        place = at(file, node.line, column="jobs")
        found.append(place.problem("The jobs are a list.", "Begin each with a hyphen."))
    # A family needs no list of jobs: the values for all jobs are then the one job that it multiplies.
    return [MappingNode(root.line)] if family is not None and "jobs" not in root.nodes else []


def _columns(
    source: SheetSource, defaults: Sequence[Row], jobs: Sequence[Node], family: Family | None
) -> Mapping[str, None]:
    columns = dict.fromkeys(name for row in defaults for name in row.lines)
    columns.update(dict.fromkeys(family.names if family else ()))
    for job in jobs:
        if isinstance(job, MappingNode):
            columns.update(dict.fromkeys(name for name in job.nodes if name not in FAMILY_PARTS))
            own = read_family(source, job, [])  # its problems are reported with its row
            columns.update(dict.fromkeys(own.names if own else ()))
    return columns


def _own(jobs: Sequence[Node]) -> Set[str]:
    """Columns that hold objects in some job, which no input does."""
    found = (
        name
        for job in jobs
        if isinstance(job, MappingNode)
        for name, node in job.nodes.items()
        if holds_objects(node) and may_be_own(name)
    )
    return frozenset(found)


def _rows(source: SheetSource, jobs: Sequence[Node], family: Family | None) -> Iterator[Row | Problem]:
    file = source.name
    for job in jobs:
        if not isinstance(job, MappingNode):
            place = at(file, job.line, value=job.text if isinstance(job, Scalar) else None)
            yield place.problem("A job is names with values.", "- prompt: A lighthouse")
            continue
        problems: list[Problem] = []
        own = read_family(source, job, problems) or family
        row, unread = read_row(file, _without(job, FAMILY_PARTS))
        yield from problems
        yield from unread
        yield from (row,) if own is None else expand(file, row, own)


def _without(table: MappingNode, names: Sequence[str]) -> MappingNode:
    """A mapping without these names in it."""
    if not any(name in table.nodes for name in names):
        return table
    nodes = {name: node for name, node in table.nodes.items() if name not in names}
    return MappingNode(table.line, nodes, {name: table.lines[name] for name in nodes})
