"""A document as a tree of plain text, the same for every format. Lines count from 1."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as it is written; None for an empty value or `null`."""

    text: str | None
    line: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    line: int
    nodes: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping; `lines` has the line of each key."""

    line: int
    nodes: dict[str, "Node"] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


Node = Scalar | ListNode | MappingNode

ABSENT = Scalar(None, 0)
