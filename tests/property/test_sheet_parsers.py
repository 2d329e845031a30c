"""Whatever bytes a sheet is made of, what comes out is jobs, problems, or one of our own errors."""

import csv
import io
import json
import random
import string
import tempfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Literal, NoReturn

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
import xlsxwriter
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobs.catalog.registry import MODELS
from jobs.errors import SheetProblems
from jobs.problems import Problem, excerpt
from jobs.sheets import PlannedJob, open_sheet, plan
from jobs.sheets.opened import TableSheet
from jobs.sheets.readers.csv_sheet import open_csv
from jobs.sheets.readers.jsonl_sheet import open_jsonl
from jobs.sheets.row import Row
from jobs.sheets.rows.column_names import FAMILY_PARTS
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.json_tree import read_tree as read_json
from jobs.sheets.trees.tree import ListNode, Node, Scalar
from jobs.sheets.trees.tree_builder import BadDocument
from jobs.sheets.trees.yaml_tree import read_tree
from jobs.suggestions import edit_distance, match_choice, nearest_choice

FAMILY = "bytedance/seedream-4-5"
TEXT = f"{FAMILY}/text-to-image"
SUFFIXES = (".csv", ".tsv", ".yaml", ".json", ".jsonl", ".xlsx", ".parquet")
TEXTUAL = SUFFIXES[:5]
HEADS = {
    ".csv": "id,prompt,model,size,count,images,seed,note\n",
    ".tsv": "id\tprompt\tmodel\tsize\tcount\timages\tseed\tnote\n",
    ".json": '{"model": "bytedance/seedream-4-5/sequential", "jobs": [{"prompt": ',
    ".yaml": "model: bytedance/seedream-4-5/sequential\njobs:\n- prompt: ",
    ".jsonl": '{"prompt": "a", "model": "bytedance/seedream-4-5/edit", "images": ',
}
# Text with what matters to the formats in every other place.
TRICKY = st.text(st.one_of(st.sampled_from(',"\n\r\t|:{}[]&*!#-\\\0\ufeff'), st.characters()), max_size=60)
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAME = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5
).filter(lambda name: name == name.strip())
XML = [
    b"<",
    b">",
    b"/",
    b'"',
    b"999999999",
    b"-1",
    b"e",
    b'<row r="9"/>',
    b"<f>1</f>",
    b"<v>x</v>",
    b"&a;",
    b"",
]
# The alphabet of what a person writes into a cell, so that some of it is nearly right.
WORDS = st.sampled_from(
    [
        *("", " ", TEXT, *MODELS),
        *("3", "15", "16", "3.0", "2K", "2048x2048", "2048:2048 (1:1)"),
        *("https://a.example/1.png", "http://a.example", "a|b", "pier.png"),
        *("{note}", "{prompt}", "Generate 3 images", "x" * 700, "\u6d77", "\x1b[0m"),
    ]
)


def outcome(data: bytes, suffix: str) -> list[PlannedJob | Problem]:
    """What comes of a sheet; an error of ours counts as its problems."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sheet{suffix}"
        path.write_bytes(data)
        try:
            return list(plan(open_sheet(path), random.Random(0)))
        except SheetProblems as error:
            return list(error.problems)


def sound(items: list[PlannedJob | Problem]) -> None:
    """Every item can be stored, printed and sent, and nothing is missing without a word."""
    keys = [item.key for item in items if isinstance(item, PlannedJob)]
    assert len(set(keys)) == len(keys)
    for item in items:
        if isinstance(item, PlannedJob):
            json.dumps(
                [item.inputs, item.columns, item.warnings], ensure_ascii=False, allow_nan=False
            ).encode()
            assert MODELS[item.model].check(item.inputs).problems == ()
            assert item.pictures >= 1
        else:
            assert item.message
            assert all(text is None or text.isprintable() for text in (item.column, item.value))
    assert items


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.binary(max_size=300))
@example(data=b"")
@example(data=b"\xff\xfe")
@example(data=b"\xef\xbb\xbf")
@example(data=b"\xff\xfe\x00\x00")
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_typed_results(suffix: str, data: bytes) -> None:
    """No byte sequence raises anything else."""
    sound(outcome(data, suffix))


@pytest.mark.parametrize("suffix", TEXTUAL)
@given(text=TRICKY, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@settings(max_examples=150, deadline=None)
def test_any_text_after_a_sound_beginning_gives_typed_results(suffix: str, text: str, encoding: str) -> None:
    """The same where the first line is right, so that the rows are reached."""
    sound(outcome((HEADS[suffix] + text).encode(encoding, "surrogatepass"), suffix))


@given(rows=st.lists(st.lists(WORDS | CELL, min_size=8, max_size=8), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_rows_of_nearly_right_cells_give_typed_results(rows: list[list[str]]) -> None:
    """Whatever stands in which column, CSV and JSONL find the same jobs."""
    names = HEADS[".csv"].strip().split(",")
    written = io.StringIO()
    csv.writer(written).writerows([names, *rows])
    lines = "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows)
    from_csv, from_jsonl = outcome(written.getvalue().encode(), ".csv"), outcome(lines.encode(), ".jsonl")
    sound(from_csv)
    sound(from_jsonl)
    ours = [(job.key, job.inputs) for job in from_csv if isinstance(job, PlannedJob)]
    assert ours == [(job.key, job.inputs) for job in from_jsonl if isinstance(job, PlannedJob)]


@given(
    rows=st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=8),
    style=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\n", csv.QUOTE_ALL)]),
)
@settings(max_examples=200, deadline=None)
def test_what_a_csv_writer_wrote_comes_back(rows: list[list[str]], style: tuple[str, Literal[0, 1]]) -> None:
    """Cell for cell, on the line where an editor shows it."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator=style[0], quoting=style[1])
    writer.writerow(["prompt", "note"])
    expected: list[Row] = []
    for row in rows:
        line = len(written.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        writer.writerow(row)
        cells = {
            name: cell
            for name, cell in zip(["prompt", "note"], row, strict=True)
            if cell and not cell.isspace()
        }
        if cells:
            expected.append(Row(line, cells))
    found = [row._replace(warnings=()) for row in rows_of(".csv", written.getvalue()) if isinstance(row, Row)]
    assert found == expected


@given(rows=st.lists(st.dictionaries(st.sampled_from(["prompt", "note", "a b"]), CELL), max_size=8))
@settings(max_examples=100, deadline=None)
def test_what_a_json_writer_wrote_comes_back(rows: list[dict[str, str]]) -> None:
    """One row a line, blank cells aside."""
    expected = [
        Row(line, {name: cell for name, cell in row.items() if cell and not cell.isspace()})
        for line, row in enumerate(rows, 1)
    ]
    assert rows_of(".jsonl", "".join(json.dumps(row) + "\n" for row in rows)) == expected


def rows_of(suffix: str, text: str) -> list[Row | Problem]:
    """The rows that a format's reader hands over."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sheet{suffix}"
        path.write_bytes(text.encode())
        opened: TableSheet = {".csv": open_csv, ".jsonl": open_jsonl}[suffix](SheetSource(path))
        assert opened.problems == ()
        return list(opened.rows())


@given(text=TRICKY, loader=st.sampled_from([yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]))
@settings(max_examples=300, deadline=None)
@example(text='"\\UFFFFFFFF"', loader=yaml.SafeLoader)
@example(text="%YAML 1." + "9" * 5000 + "\n---\n", loader=yaml.SafeLoader)
def test_a_document_is_a_tree_or_refused(text: str, loader: type) -> None:
    """By the parser in C and by the one in Python alike."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.sheets.trees.yaml_tree._LOADER", loader)
        try:
            root, repeated = read_tree(text)
        except BadDocument as bad:
            refused = bad
        else:
            assert root.line >= 1
            assert all(again.line >= 1 for again in repeated)
            return
    assert refused.message


def workbook() -> bytes:
    """A small workbook with shared texts, numbers, a date and a formula."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "prompt", "model", "count", "due", "note"])
        for row in range(1, 6):
            sheet.write_row(row, 0, [f"r{row}", "Generate 3 images of a pier", f"{FAMILY}/sequential", 3])
            sheet.write(row, 4, 46000 + row, book.add_format({"num_format": "yyyy-mm-dd"}))
            sheet.write_formula(row, 5, "=1+2", value=3)
    return made.getvalue()


def table() -> bytes:
    """A small Parquet file with texts, numbers, lists and a date."""
    made = io.BytesIO()
    columns = {
        "prompt": ["Generate 3 images of a pier"] * 50,
        "model": [f"{FAMILY}/sequential"] * 50,
        "seed": list(range(50)),
        "count": [3.0, None] * 25,
        "tags": [["a", "b"]] * 50,
        "due": [date(2026, 3, 4)] * 50,
    }
    parquet.write_table(arrow.table(columns), made, row_group_size=20)
    return made.getvalue()


WORKBOOK, TABLE = workbook(), table()


@pytest.mark.parametrize(("suffix", "sound_bytes"), [(".xlsx", WORKBOOK), (".parquet", TABLE)])
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_gives_typed_results(suffix: str, sound_bytes: bytes, data: st.DataObject) -> None:
    """Cut off, or with some bytes changed."""
    damaged = bytearray(sound_bytes)
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(damaged) - 1), st.integers(0, 255)), max_size=4)
    ):
        damaged[at] = byte
    sound(outcome(bytes(damaged[: data.draw(st.integers(0, len(damaged) * 2))]), suffix))


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_workbook_of_damaged_xml_gives_typed_results(data: st.DataObject) -> None:
    """Packed soundly, with something else in one of its parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    text = bytearray(parts[name])
    at = data.draw(st.integers(0, len(text)))
    text[at : at + data.draw(st.integers(0, 8))] = data.draw(st.sampled_from(XML) | st.binary(max_size=4))
    parts[name] = bytes(text)
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    sound(outcome(made.getvalue(), ".xlsx"))


def plain(node: Node) -> object:
    """The tree as `json.loads` would give it, with numbers as text."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, ListNode):
        return [plain(item) for item in node.nodes]
    return {name: plain(inner) for name, inner in node.nodes.items()}


@given(
    value=st.recursive(
        st.none() | st.text(max_size=10) | st.integers().map(str),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAME, inner, max_size=4),
        max_leaves=20,
    ),
    indent=st.none() | st.integers(0, 3),
    ascii_only=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_what_a_json_writer_wrote_as_a_document_comes_back(
    value: object, indent: int | None, ascii_only: bool
) -> None:
    """However it is laid out."""
    root, repeated = read_json(json.dumps(value, indent=indent, ensure_ascii=ascii_only))
    assert plain(root) == value
    assert repeated == []


@given(text=st.text(st.sampled_from('[]{}",:\\ \n1-.eEtruefalsn\u00fc'), max_size=30))
@settings(max_examples=300, deadline=None)
def test_what_json_refuses_is_refused(text: str) -> None:
    """And nothing else, but for columns without a name."""
    try:
        json.loads(text, parse_constant=_no_constant)
        theirs = True
    except ValueError:
        theirs = False
    try:
        read_json(text)
        ours = True
    except BadDocument as bad:
        if "name of a column" in bad.message:
            return
        ours = False
    assert ours is theirs


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


@given(
    data=st.recursive(
        CELL, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELL, inner, max_size=3)
    )
)
@settings(max_examples=40, deadline=None)
def test_any_value_in_a_document_gives_typed_results(data: object) -> None:
    """A part, a default, a set or a job of any shape is read or told."""
    for part in ("batch", "model", "defaults", "model_defaults", "image_sets", "jobs", *FAMILY_PARTS):
        document = {"model": TEXT, "jobs": [{"prompt": "a"}], part: data}
        sound(outcome(yaml.safe_dump(document, allow_unicode=True).encode(), ".yaml"))
        job = {"model": TEXT, "jobs": [{"prompt": "a", "id": "b", part: data}]}
        sound(outcome(json.dumps(job).encode(), ".json"))


WORD = st.text("abz -{}.\u00fc", max_size=4)
LISTS = st.dictionaries(st.sampled_from(["a", "b", "prompt", "size"]), st.lists(WORD, max_size=3), max_size=3)
ENTRIES = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), WORD, min_size=1, max_size=2), max_size=3
)


@given(
    parts=st.fixed_dictionaries(
        {"prompt": st.just("x {a} {b}"), "id": WORD},
        optional={
            "matrix": LISTS,
            "zip": LISTS,
            "include": ENTRIES,
            "exclude": ENTRIES,
            "repeat": st.integers(0, 4),
            "seeds": st.lists(st.integers(0, 5), max_size=3),
        },
    ),
    model=st.sampled_from([TEXT, f"{FAMILY}/sequential"]),
)
@settings(max_examples=200, deadline=None)
def test_any_family_gives_typed_results(parts: dict[str, object], model: str) -> None:
    """And sound keys: each job has one of its own."""
    sound(outcome(json.dumps({"model": model, "jobs": [parts]}).encode(), ".json"))


@given(one=st.text(string.ascii_lowercase, max_size=7), other=st.text(string.ascii_lowercase, max_size=7))
def test_edit_distance_is_a_distance(one: str, other: str) -> None:
    """Nought for equals alone, the same in both directions, and bounded by the lengths."""
    distance = edit_distance(one, other)
    assert (distance == 0) is (one == other)
    assert distance == edit_distance(other, one)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))


@given(text=st.text(max_size=120))
def test_a_suggestion_is_always_a_choice(text: str) -> None:
    """Whatever was written."""
    for spec in MODELS.values():
        for field in spec.fields.values():
            assert match_choice(text, field.words) in (None, *field.words)
            assert nearest_choice(text, field.words) in (None, *field.words)


@given(value=st.text())
def test_what_is_shown_is_printable(value: str) -> None:
    """On one line, without escapes, and never much longer than a line."""
    text = excerpt(value)
    assert text is not None
    assert text.isprintable()
    assert len(text) <= 80 * 10
