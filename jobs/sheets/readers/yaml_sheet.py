"""YAML: a document with `batch`, `model`, `defaults`, `image_sets`, `jobs`, and families of jobs."""

from jobs.problems import Problem
from jobs.sheets.documents.document import open_document
from jobs.sheets.opened import OpenedSheet, unreadable
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.document_text import read_document
from jobs.sheets.trees.yaml_tree import read_tree


def open_yaml(source: SheetSource) -> OpenedSheet:
    """Read the document."""
    read = read_document(source, read_tree)
    return (
        unreadable(read)
        if isinstance(read, Problem)
        else open_document(source, read.root, read.problems, read.warnings)
    )
