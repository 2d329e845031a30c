"""The neutral tree of a document."""

from jobs.sheets.trees.tree import ABSENT, ListNode, MappingNode


def test_every_node_has_its_own_children() -> None:
    """Two empty nodes share nothing."""
    one, other = MappingNode(1), MappingNode(1)
    one.nodes["a"] = ABSENT
    one.lines["a"] = 1
    assert (other.nodes, other.lines) == ({}, {})
    ListNode(1).nodes.append(ABSENT)
    assert ListNode(1).nodes == []


def test_what_is_absent_says_nothing() -> None:
    """It has no text."""
    assert ABSENT.text is None
