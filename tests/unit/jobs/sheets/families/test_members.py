"""Families of jobs: which members they have, in which order."""

from itertools import islice
from typing import Any

import pytest

from jobs.sheets.families.members import Axis, Family, Member, Prompts


def axis(name: str, *values: str) -> Axis:
    return Axis((name,), [(value,) for value in values])


def told(family: Family) -> list[dict[str, Any]]:
    """Each member's variables, with what was added."""
    return [{**member.variables, **member.added} for member in family.members()]


COLOURS = axis("colour", "red", "blue")
SHAPES = axis("shape", "cube", "ball")


def test_nothing_said_is_one_member() -> None:
    """A job that is only repeated."""
    assert list(Family().members()) == [Member({}, {})]
    assert (Family(repeats=4).size, Family(seeds=("1", "2")).size) == (4, 2)


def test_every_combination_in_the_stated_order() -> None:
    """The first variable changes slowest."""
    family = Family((COLOURS, SHAPES))
    assert told(family) == [
        {"colour": "red", "shape": "cube"},
        {"colour": "red", "shape": "ball"},
        {"colour": "blue", "shape": "cube"},
        {"colour": "blue", "shape": "ball"},
    ]
    assert (family.size, family.names) == (4, ("colour", "shape"))


def test_a_zip_is_walked_in_step() -> None:
    """As one axis beside the others."""
    both = Axis(("mood", "light"), [("calm", "dim"), ("wild", "harsh")])
    assert told(Family((axis("shape", "cube"), both))) == [
        {"shape": "cube", "mood": "calm", "light": "dim"},
        {"shape": "cube", "mood": "wild", "light": "harsh"},
    ]


def test_what_is_excluded_is_left_out() -> None:
    """Wherever all that an entry says is so; before anything is included."""
    family = Family((COLOURS, SHAPES), exclude=({"colour": "red", "shape": "cube"}, {"shape": "ball"}))
    assert told(family) == [{"colour": "blue", "shape": "cube"}]


def test_what_is_included_is_added_where_it_fits_and_else_is_a_member() -> None:
    """The example that people know from CI."""
    family = Family(
        (axis("fruit", "apple", "pear"), axis("animal", "cat", "dog")),
        include=(
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ),
    )
    assert told(family) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    first = next(family.members())
    assert first.variables == {"fruit": "apple", "animal": "cat"}
    assert family.names == ("fruit", "animal", "color", "shape")


def test_entries_alone_are_members() -> None:
    """A list of them needs no matrix."""
    assert told(Family(include=({"a": "1"}, {"a": "2", "b": "3"}))) == [{"a": "1"}, {"a": "2", "b": "3"}]


def test_an_entry_for_what_was_excluded_is_a_member_of_its_own() -> None:
    """What is excluded is not there to be added to."""
    family = Family((COLOURS,), exclude=({"colour": "red"},), include=({"colour": "red", "size": "2K"},))
    assert told(family) == [{"colour": "blue"}, {"colour": "red", "size": "2K"}]


def test_prompts_come_first_and_each_knows_its_line() -> None:
    """Every combination for the first line, then for the second."""
    family = Family((COLOURS,), Prompts("ideas.txt", 2, [(1, "a fox"), (4, "an owl")]))
    assert [(m.variables["prompt"], m.variables["colour"], m.prompt_line) for m in family.members()] == [
        ("a fox", "red", 1),
        ("a fox", "blue", 1),
        ("an owl", "red", 4),
        ("an owl", "blue", 4),
    ]
    assert (family.size, family.names) == (4, ("prompt", "colour"))


@pytest.mark.parametrize("many", [10, 1000])
def test_members_are_never_held(many: int) -> None:
    """The first of a thousand million million is there at once."""
    axes = tuple(axis(f"v{number}", *map(str, range(many))) for number in range(5))
    family = Family(axes)
    assert family.size == many**5
    assert len(list(islice(family.members(), 3))) == 3
