"""YAML: `batch`, `model`, `defaults`, `image_sets` and `jobs`."""

from pathlib import Path

from jobs.problems import Problem
from jobs.sheets.document import open_document
from jobs.sheets.rows import Opened, refused, shown
from jobs.sheets.text import BadText, read_whole
from jobs.sheets.yaml_tree import BadYaml, read_tree

MOST_BYTES = 20_000_000


def open_yaml(path: Path) -> Opened:
    """Read the whole document: what is said once may stand below the jobs it is said for."""
    try:
        root, repeated = read_tree(read_whole(path, MOST_BYTES))
    except (BadText, BadYaml) as bad:
        return refused(Problem(str(path), bad.line, None, None, bad.message, bad.hint))
    twice = tuple(
        Problem(
            str(path), again.line, shown(again.key), None, "This name stands here twice.", "Keep one of them."
        )
        for again in repeated
    )
    return open_document(path, root, twice)
