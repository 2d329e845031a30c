"""JSON: a document as in YAML, or the bare list of its jobs."""

from jobs.problems import Problem
from jobs.sheets.documents.document import open_document
from jobs.sheets.opened import OpenedSheet, unreadable
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.document_text import read_document
from jobs.sheets.trees.json_tree import read_tree
from jobs.sheets.trees.tree import ABSENT, ListNode, MappingNode, Node, Scalar


def open_json(source: SheetSource) -> OpenedSheet:
    """Read the document. Where all of it is on one line, a job's row is its number, counted from 1."""
    read = read_document(source, read_tree)
    if isinstance(read, Problem):
        return unreadable(read)
    root, problems = read
    if isinstance(root, ListNode):
        root = MappingNode(root.line, {"jobs": root}, {"jobs": root.line})
    jobs = root.nodes.get("jobs", ABSENT) if isinstance(root, MappingNode) else ABSENT
    if isinstance(jobs, ListNode) and len(jobs.nodes) > 1 and len({job.line for job in jobs.nodes}) == 1:
        jobs.nodes[:] = [_on_line(job, number) for number, job in enumerate(jobs.nodes, 1)]
    return open_document(source, root, problems)


def _on_line(node: Node, line: int) -> Node:
    """A copy of the node with this line throughout."""
    if isinstance(node, Scalar):
        return Scalar(node.text, line)
    if isinstance(node, ListNode):
        return ListNode(line, [_on_line(item, line) for item in node.nodes])
    nodes = {name: _on_line(inner, line) for name, inner in node.nodes.items()}
    return MappingNode(line, nodes, dict.fromkeys(nodes, line))
