"""YAML as plain text in a tree, within limits."""

import contextlib
import time

import pytest
import yaml

from jobs.sheets.trees import tree_builder, yaml_tree
from jobs.sheets.trees.tree import ListNode, MappingNode, Node, Scalar
from jobs.sheets.trees.tree_builder import BadDocument, RepeatedKey
from jobs.sheets.trees.yaml_tree import read_tree


@pytest.fixture(params=["as it is built", "in Python alone"], autouse=True)
def _both_parsers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML comes with and without its C part: both must say the same."""
    if request.param == "in Python alone":
        monkeypatch.setattr(yaml_tree, "_LOADER", yaml.SafeLoader)


def plain(node: Node) -> object:
    """A tree without its lines."""
    if isinstance(node, MappingNode):
        return {name: plain(value) for name, value in node.nodes.items()}
    if isinstance(node, ListNode):
        return [plain(value) for value in node.nodes]
    return node.text


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "012", "0x1F", "12:30:45", "1e3", "3.0", "2024-01-01", "NaN", "=", "1_000", "off", "True"],
)
def test_no_type_is_guessed(text: str) -> None:
    """What a person wrote stays what they wrote."""
    assert plain(read_tree(f"a: {text}")[0]) == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:", None),
        ("a: ~", None),
        ("a: null", None),
        ("a: NULL", None),
        ("a: 'null'", "null"),
        ('a: ""', ""),
        ("a: |\n  one\n  two\n", "one\ntwo\n"),
        ("a: >-\n  one\n  two\n", "one two"),
        ('a: "\\u00fc\\t"', "\u00fc\t"),
        ("a: [x, [y]]", ["x", ["y"]]),
        ("a: {b: c}", {"b": "c"}),
        ("a: []", []),
        ("a: &anchor x", "x"),
    ],
)
def test_nothing_quoted_text_lists_and_tables(text: str, value: object) -> None:
    """Only an unquoted null is nothing. An anchor that nothing refers to does no harm."""
    assert plain(read_tree(text)[0]) == {"a": value}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~"])
def test_an_empty_document_is_nothing(text: str) -> None:
    """It has no text."""
    root, repeated = read_tree(text)
    assert isinstance(root, Scalar)
    assert (root.text, repeated) == (None, [])


def test_everything_knows_its_line() -> None:
    """Keys, values, lists and tables, counted from 1."""
    root, _ = read_tree(
        "# comment\nbatch: b\njobs:\n  - prompt:\n      x\n    count: 3\n  - images:\n    - u\n"
    )
    assert root == MappingNode(
        2,
        {
            "batch": Scalar("b", 2),
            "jobs": ListNode(
                4,
                [
                    MappingNode(
                        4, {"prompt": Scalar("x", 5), "count": Scalar("3", 6)}, {"prompt": 4, "count": 6}
                    ),
                    MappingNode(7, {"images": ListNode(8, [Scalar("u", 8)])}, {"images": 7}),
                ],
            ),
        },
        {"batch": 2, "jobs": 3},
    )


def test_a_repeated_key_is_told_and_the_first_counts() -> None:
    """Every one of them, at any depth; what stands under it is not mixed in."""
    root, repeated = read_tree("a: 1\nb: {c: 1, c: {d: e}}\na: [2]\na: 3\n")
    assert plain(root) == {"a": "1", "b": {"c": "1"}}
    assert repeated == [RepeatedKey("c", 2), RepeatedKey("a", 3), RepeatedKey("a", 4)]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: &x 1\nb: *x", 2, "An alias (*x): aliases are not read."),
        (
            "a: !!python/object/apply:os.system [ls]",
            1,
            "A tag (tag:yaml.org,2002:python/object/apply:os.system)",
        ),
        ("a: !!str 1", 1, "A tag (tag:yaml.org,2002:str): tags are not read."),
        ("a: !mine {}", 1, "A tag (!mine): tags are not read."),
        ("a: 1\n---\nb: 2", 2, "A second document begins here"),
        ("? [a, b]\n: 1", 1, "The name of a column is empty."),
        ("? {a: b}\n: 1", 1, "The name of a column is empty."),
        ("a: 1\n'': 2", 2, "The name of a column is empty."),
        ('"\\0": 2', 1, "The text holds a NUL character."),
        ("a: b: c", 1, "This is not YAML: mapping values are not allowed"),
        ("jobs:\n\t- a", 2, "This is not YAML: found character"),
        ("a: 'x", 1, "This is not YAML: found unexpected end of stream."),
        ("a: @x", 1, "This is not YAML: found character"),
        ("a: 1\nb: \x07", 2, "A character that YAML does not allow: U+0007."),
        ("a: 1\nb: \ufffe", 2, "A character that YAML does not allow: U+FFFE."),
    ],
)
def test_what_is_refused(text: str, line: int, message: str) -> None:
    """With its line, and in words."""
    with pytest.raises(BadDocument) as caught:
        read_tree(text)
    assert caught.value.message.startswith(message)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text", ['a: "\\UFFFFFFFF"', "%YAML 1.99999999999999999999999\n---\na", "%YAML 2.0\n---\na"]
)
def test_odd_escapes_and_versions_are_a_typed_problem_or_read(text: str) -> None:
    """Whatever the parser makes of them, nothing but a BadDocument comes out."""
    with contextlib.suppress(BadDocument):
        read_tree(text)


def test_twenty_levels_pass_and_twenty_one_do_not() -> None:
    """Brackets by the thousand are stopped at once, and never met by recursion."""
    read_tree("[" * 20 + "]" * 20)
    for depth in (21, 100_000):
        with pytest.raises(BadDocument, match="Nested more than 20 deep"):
            read_tree("[" * depth)


def test_an_alias_bomb_is_stopped_at_its_first_alias() -> None:
    """Doubling lists would grow into gigabytes."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    started = time.perf_counter()
    with pytest.raises(BadDocument, match="An alias"):
        read_tree("\n".join(lines))
    assert time.perf_counter() - started < 1


def test_the_number_of_values_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit itself passes; the list counts too."""
    monkeypatch.setattr(tree_builder, "MOST_NODES", 10)
    read_tree("[" + "x," * 9 + "]")
    with pytest.raises(BadDocument, match="More than 10 values"):
        read_tree("[" + "x," * 10 + "]")
