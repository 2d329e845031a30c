"""Named lists of references."""

from jobs.sheets.documents.image_sets import read_image_sets
from jobs.sheets.trees.tree import ABSENT
from jobs.sheets.trees.yaml_tree import read_tree


def read(
    text: str,
) -> tuple[dict[str, tuple[str, ...]], list[tuple[int | None, str | None, str | None, str]]]:
    """The sets, and line, column, value and message of the problems."""
    sets, problems = read_image_sets("a.yaml", read_tree(text)[0])
    texts = {
        name: tuple(entry for entry in entries if isinstance(entry, str)) for name, entries in sets.items()
    }
    return texts, [(found.row, found.column, found.value, found.message) for found in problems]


def test_a_set_is_a_list_or_a_single_address() -> None:
    """Blanks around an address do not count."""
    assert read("a: ['https://a.example/1.png ', http://127.0.0.1/2.png]\nb: https://a.example/3.png") == (
        {"a": ("https://a.example/1.png", "http://127.0.0.1/2.png"), "b": ("https://a.example/3.png",)},
        [],
    )


def test_no_sets_at_all() -> None:
    """An absent part is no problem."""
    assert read_image_sets("a.yaml", ABSENT) == ({}, [])
    assert read("") == ({}, [])


def test_each_bad_address_is_told_once_where_it_stands() -> None:
    """The set is there all the same, so that the rows that name it are not told about it."""
    sets, problems = read("a:\n  - https://a.example/1.png\n  - pier.png\n  - http://a.example/2.png\n")
    assert sets == {"a": ("https://a.example/1.png", "pier.png", "http://a.example/2.png")}
    assert [(row, column, value) for row, column, value, _ in problems] == [
        (3, "a", "pier.png"),
        (4, "a", "http://a.example/2.png"),
    ]


def test_a_set_of_nothing_or_of_lists_is_told() -> None:
    """A set has one address at least, and addresses only."""
    message = "An image set is a list of pictures, one at least."
    sets, problems = read("a: []\nb:\nc: [https://a.example/1.png, [x]]\nd: {x: y}\n")
    assert sets == {"a": (), "b": (), "c": ("https://a.example/1.png",), "d": ()}
    assert [(row, column, told) for row, column, _, told in problems] == [
        (1, "a", message),
        (2, "b", message),
        (3, "c", message),
        (4, "d", message),
    ]
