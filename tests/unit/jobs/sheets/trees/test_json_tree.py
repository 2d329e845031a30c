"""JSON as a tree with lines."""

import pytest

from jobs.sheets.trees import tree_builder
from jobs.sheets.trees.json_tree import read_tree
from jobs.sheets.trees.tree import ListNode, MappingNode, Scalar
from jobs.sheets.trees.tree_builder import BadDocument, RepeatedKey


def test_everything_has_its_line() -> None:
    """As an editor counts."""
    root, repeated = read_tree('\n{\n "a": [1,\n  "x"],\n "b":\n  null}\n')
    items = ListNode(3, [Scalar("1", 3), Scalar("x", 4)])
    assert root == MappingNode(2, {"a": items, "b": Scalar(None, 6)}, {"a": 3, "b": 5})
    assert repeated == []


@pytest.mark.parametrize(
    "text", ["1", "-0", "012"[1:], "1.50", "1e5", "12345678901234567890", "true", "false"]
)
def test_what_is_no_text_keeps_its_letters(text: str) -> None:
    """The column decides what it is."""
    assert read_tree(text)[0] == Scalar(text, 1)


def test_escapes_are_read() -> None:
    """Those of programs that write nothing but ASCII, too."""
    assert read_tree(r'"\ud83d\ude00 \/ \" \n \u00fc"')[0] == Scalar('\U0001f600 / " \n \u00fc', 1)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "nothing stands here"),
        (" \n ", 2, "nothing stands here"),
        ("[1,\n2", 2, "a comma or ] is missing"),
        ("[1\n2]", 2, "a comma or ] is missing"),
        ('{"a": 1', 1, "a comma or } is missing"),
        ("[1}", 1, "a comma or ] is missing"),
        ("[1,]", 1, "a value is missing"),
        ('{"a": 1,}', 1, "a name in double quotes is missing"),
        ("{a: 1}", 1, "a name in double quotes is missing"),
        ('{"a" 1}', 1, "a colon is missing"),
        ('{"a":\n}', 2, "a value is missing"),
        ("[1] 2", 1, "the document has ended before this"),
        ("]", 1, "a value is missing"),
        ("[NaN]", 1, "a value is missing"),
        ("[tru]", 1, "a value is missing"),
        ('"a', 1, "unterminated string starting"),
        ('"a\nb"', 1, "invalid control character"),
        ('"\\x"', 1, "invalid \\escape"),
        ("'a'", 1, "a value is missing"),
        ("[01]", 1, "a comma or ] is missing"),
    ],
)
def test_what_is_no_json_is_refused_at_its_line(text: str, line: int, what: str) -> None:
    """Nothing after it can be trusted."""
    with pytest.raises(BadDocument) as caught:
        read_tree(text)
    assert caught.value.line == line
    assert caught.value.message.startswith("This is not JSON: ")
    assert what in caught.value.message


def test_a_repeated_name_is_told() -> None:
    """The first one counts."""
    root, repeated = read_tree('{"a": 1,\n"a": [2]}')
    assert root == MappingNode(1, {"a": Scalar("1", 1)}, {"a": 1})
    assert repeated == [RepeatedKey("a", 2)]


def test_depth_and_number_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without recursion, so that no depth is too much to be refused."""
    with pytest.raises(BadDocument, match="Nested more than 20 deep"):
        read_tree("[" * 1_000_000)
    monkeypatch.setattr(tree_builder, "MOST_NODES", 10)
    read_tree("[1,1,1,1,1,1,1,1,1]")
    with pytest.raises(BadDocument, match="More than 10 values"):
        read_tree("[1,1,1,1,1,1,1,1,1,1]")
