"""The neutral tree of a document."""

from jobs.sheets.trees.tree import ABSENT, Items, Table


def test_every_node_has_its_own_children() -> None:
    """Two empty nodes share nothing."""
    one, other = Table(1), Table(1)
    one.nodes["a"] = ABSENT
    one.lines["a"] = 1
    assert (other.nodes, other.lines) == ({}, {})
    Items(1).nodes.append(ABSENT)
    assert Items(1).nodes == []


def test_what_is_absent_says_nothing() -> None:
    """It has no text."""
    assert ABSENT.text is None
