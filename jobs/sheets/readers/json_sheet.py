"""JSON: a document as in YAML, or the bare list of its jobs."""

from jobs.problems import Problem
from jobs.sheets.documents.document import PARTS, open_document
from jobs.sheets.opened import OpenedSheet, unreadable
from jobs.sheets.rows.column_names import FAMILY_PARTS, known_inputs
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.document_text import read_document
from jobs.sheets.trees.json_tree import read_tree
from jobs.sheets.trees.tree import ABSENT, ListNode, MappingNode, Node, Scalar


def open_json(source: SheetSource) -> OpenedSheet:
    """Read the document. Where all of it is on one line, a job's row is its number, counted from 1."""
    read = read_document(source, read_tree)
    if isinstance(read, Problem):
        return unreadable(read)
    root = read.root
    if isinstance(root, MappingNode) and _is_a_job(root):
        root = ListNode(root.line, [root])
    jobs = root.nodes.get("jobs", ABSENT) if isinstance(root, MappingNode) else root
    if isinstance(jobs, ListNode) and len(jobs.nodes) > 1 and len({job.line for job in jobs.nodes}) == 1:
        jobs.nodes[:] = [_on_line(job, number) for number, job in enumerate(jobs.nodes, 1)]
    return open_document(source, root, read.problems)


def _is_a_job(root: MappingNode) -> bool:
    """Whether an object is one job, and no document: it names inputs where parts would stand."""
    parts = {*PARTS, *FAMILY_PARTS} - {"model"}
    return parts.isdisjoint(root.nodes) and any(name in known_inputs() for name in root.nodes)


def _on_line(node: Node, line: int) -> Node:
    """A copy of the node with this line throughout."""
    if isinstance(node, Scalar):
        return Scalar(node.text, line)
    if isinstance(node, ListNode):
        return ListNode(line, [_on_line(item, line) for item in node.nodes])
    nodes = {name: _on_line(inner, line) for name, inner in node.nodes.items()}
    return MappingNode(line, nodes, dict.fromkeys(nodes, line))
