"""Data sets of texts that would like to be more, read back by the libraries that users load them with."""

import hashlib
import json
import sqlite3
import sys
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from jobs.review.decisions import Verdict
from tests.support.loaders import loaded
from tests.unit.runner.cli.steps.exports.test_data_sets import (
    BLUE,
    COUNT,
    GREEN,
    RED,
    decide,
    keys_of,
    lines,
    samples,
    shot,
    written,
)
from tests.unit.runner.cli.world import SERIES, TEXT, World, job

PROMPTS = [
    "\"quoted\", 'twice' and \\ back",
    "two\nlines\r\nand\ra half",
    "a NUL \x00, an escape \x1b[31m, a bell \x07, a C1 \x85",
    "\U0001f98a\U0001f469\u200d\U0001f680 \u202eright to left\u202c \u2028line\u2029 e\u0301 \ufeff \uffff",
    "x" * 10_000,
    "=cmd|' /C calc'!A0",
    "</rdf:Description>]]><!-- & -->&#0;",
    "__key__ null NaN {} [] 1e400",
    "2026-11-29",
    "",
]
KEYS = ["a/b.c.d", "..", "a.b", ".hidden", "FOX", "fox", "fox-01", "con", "\u202egnp.exe", "k" * 300]
OWN = dict.fromkeys(
    [
        *("key", "prompt", "image", "file_name", "file_names", "stars", "batch", "__key__", "json", "txt"),
        *("mask_file_name", "mask_file_name_", "columns.key", "inputs.seed", "a.b", "a/b", "Key", "label"),
        "\u00e4 \U0001f98a",
    ],
    "mine",
)
NAMES = {f"columns.{name}" for name in OWN if name != "mask_file_name"} | {"columns.mask_file_name__"}


@pytest.fixture
def night(world: World) -> World:
    """A job for each of these prompts, with the worst keys and columns."""
    world.load(
        *(
            job(n, key, inputs={"prompt": prompt}, model=TEXT, columns=OWN if n == 0 else {"key": prompt})
            for n, (key, prompt) in enumerate(zip(KEYS, PROMPTS, strict=True))
        )
    )
    for key in KEYS:
        shot(world, key, RED)
    return world


def test_parquet_has_every_text_as_it_was(night: World) -> None:
    """Also own columns that are called as ours."""
    table = parquet.read_table(written(night, "parquet", "n.parquet", "--pictures", "copy"))
    assert table["prompt"].to_pylist() == PROMPTS
    assert table["key"].to_pylist() == KEYS
    assert table["columns.key"].to_pylist() == ["mine", *PROMPTS[1:]]
    assert {f"columns.{name}" for name in OWN} <= set(table.column_names)
    assert len(set(table.column_names)) == len(table.column_names)
    code = (
        "from datasets import load_dataset\n"
        "found = load_dataset('parquet', data_files='n.parquet', split='train')\n"
        "told = [[row['key'], row['prompt'], row['image'].size[0]] for row in found]"
    )
    assert loaded(night.folder, code) == [[key, text, 600] for key, text in zip(KEYS, PROMPTS, strict=True)]


def test_imagefolder_has_every_text_as_it_was(night: World) -> None:
    """A column that `datasets` would take for a name of a file is called otherwise."""
    written(night, "imagefolder")
    code = (
        "from datasets import load_dataset\n"
        "found = load_dataset('imagefolder', data_dir='out')['train']\n"
        "told = [sorted((row['key'], row['prompt'], row['image'].size[0]) for row in found),\n"
        "    [dict(row, image=None, finished_at=None) for row in found if row['key'] == 'a/b.c.d']]"
    )
    rows, (first,) = loaded(night.folder, code)
    assert rows == sorted([key, text, 600] for key, text in zip(KEYS, PROMPTS, strict=True))
    assert {name for name in first if name.startswith("columns.")} == NAMES
    assert {first[name] for name in NAMES} == {"mine"}


def test_webdataset_has_every_text_as_it_was(night: World) -> None:
    """It splits a name at its first dot, and a folder in it at the last slash: there are none in ours."""
    written(night, "webdataset")
    assert all("/" not in name and name.isascii() for name in samples(night.folder / "out"))
    code = (
        "import webdataset\n"
        "found = webdataset.WebDataset('out/000000.tar', shardshuffle=False).decode('pil')\n"
        "told = [[s['json']['key'], s['json']['prompt'], s['txt'], s['png'].size[0], s['__key__']]\n"
        "    for s in found]"
    )
    told = loaded(night.folder, code)
    assert [one[:4] for one in told] == [
        [key, text, text, 600] for key, text in zip(KEYS, PROMPTS, strict=True)
    ]
    assert len({one[4].casefold() for one in told}) == len(KEYS)


def test_half_a_character_is_written_out(world: World) -> None:
    """No reader takes it; it is no reason to lose the row."""
    world.load(job(0, "a", columns={"c": "half \udc80"}))
    shot(world, "a", RED)
    for form in ("parquet", "imagefolder", "webdataset"):
        assert keys_of(written(world, form, f"out-{form}"), form) == ["a"]
    (record,) = lines(world.folder / "out-imagefolder" / "train" / "metadata.jsonl")
    assert record["columns.c"] == "half \\udc80"


def late(world: World) -> None:
    """Columns that show their types after 10 MB: dates, then a word; nothing, then numbers and notes."""
    columns = {"day": "2026-11-29", "long": "x" * 200_000}
    world.load(
        *(job(n, f"j{n}", inputs={"prompt": "p"}, model=TEXT, columns=columns) for n in range(4)),
        job(4, "last", inputs={"prompt": "x", "seed": 7}, model=SERIES, columns={"day": "soon"}),
    )
    for n in range(4):
        shot(world, f"j{n}", *[RED] * 15)
    shot(world, "last", BLUE)
    decide(world, "last", 1, verdict=Verdict.ACCEPTED, note="at last")


LATE = (
    "from datasets import load_dataset\n"
    "found = load_dataset('imagefolder', data_dir='out')['train']\n"
    "told = [[row['key'], row['seed'], row['note'], str(row['columns.day'])] for row in found]"
)


def test_what_is_longer_than_a_piece_has_types(world: World) -> None:
    """`datasets` expects of all the types of the first 10 MB: so it is told them, in Parquet."""
    late(world)
    folder = written(world, "imagefolder")
    names = sorted(path.name for path in (folder / "train").iterdir() if path.suffix != ".png")
    assert names == ["metadata.parquet"]
    assert parquet.read_schema(folder / "train" / "metadata.parquet").names[0] == "file_name"
    told = loaded(world.folder, LATE)
    assert told[0] == ["j0", None, None, "2026-11-29"]
    assert told[-1] == ["last", 7, "at last", "soon"]
    assert len(told) == 61


def test_without_pyarrow_the_lines_stay_and_it_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install: these lines are what `datasets` stops at. Of short ones nothing is said."""
    late(world)
    ours = sys.modules.pop("jobs.datasets.parquet", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ran = world.run("export", "--format", "imagefolder", "--output", "short", "--search", "last")
    assert (ran.code, ran.err.splitlines()) == (0, [f"Written: {world.folder / 'short'}, 1 picture"])
    ran = world.run("export", "--format", "imagefolder", "--output", "out")
    assert (ran.code, "python -m pip install pyarrow" in ran.err) == (0, True)
    assert len(lines(world.folder / "out" / "train" / "metadata.jsonl")) == 61
    with pytest.raises(AssertionError, match="DatasetGenerationError"):
        loaded(world.folder, LATE)
    if ours is not None:
        sys.modules["jobs.datasets.parquet"] = ours


# -- pictures that came again, verdicts on those that are gone ------------------------------------------


@pytest.mark.parametrize("form", ["parquet", "imagefolder", "webdataset"])
def test_a_verdict_on_a_picture_that_changed_is_not_told(world: World, form: str) -> None:
    """Fetched again, it is another picture: nobody has decided about it."""
    world.load(job(0, "fox"), job(1, "boat"))
    shot(world, "boat", GREEN)
    shot(world, "fox", RED, BLUE)
    decide(world, "fox", 1, verdict=Verdict.ACCEPTED, stars=4, note="the old one")
    decide(world, "fox", 2, verdict=Verdict.REJECTED)
    replace_picture(world, "fox", 1, GREEN)
    place = written(world, form, "out", *(["--pictures", "copy"] if form == "parquet" else []))
    told = {(row["key"], row["number"]): row for row in rows_of(place, form)}
    assert (told["fox", 1]["verdict"], told["fox", 1]["stars"], told["fox", 1]["note"]) == (None, 0, None)
    assert told["fox", 2]["verdict"] == "rejected"
    assert len(told) == 3
    assert keys_of(written(world, form, "accepted", "--only", "accepted"), form) == []


def replace_picture(world: World, key: str, number: int, data: bytes) -> None:
    """Another picture in its place, on disk and in the table."""
    image = world.jobs()[key].images[number - 1]
    Path(image.path).write_bytes(data)
    with sqlite3.connect(world.database) as table:
        new = (hashlib.sha256(data).hexdigest(), len(data), image.sha256)
        assert table.execute("UPDATE artifact SET sha256 = ?, bytes = ? WHERE sha256 = ?", new).rowcount == 1
    table.close()


def rows_of(place: Any, form: str) -> list[dict[str, Any]]:
    """The rows of what was written."""
    if form == "parquet":
        found: list[dict[str, Any]] = parquet.read_table(place).to_pylist()
        return found
    if form == "imagefolder":
        return lines(place / "train" / "metadata.jsonl")
    return [json.loads(data) for name, data in samples(place).items() if name.endswith(".json")]


# -- sidecars ----------------------------------------------------------------------------------------------


def test_many_pictures_of_one_job(world: World) -> None:
    """Fifteen, each by its number, in every format, in their order."""
    world.load(job(0, "fox"))
    shot(world, "fox", *(bytes(RED) for _ in range(15)))
    wanted = [f"fox-{n:02d}" for n in range(1, 16)]
    folder = written(world, "webdataset", "w")
    assert [name[:-5] for name in samples(folder) if name.endswith(".json")] == wanted
    folder = written(world, "imagefolder", "out")
    assert [row["file_name"] for row in lines(folder / "train" / "metadata.jsonl")] == [
        f"{n}.png" for n in wanted
    ]
    assert loaded(world.folder, COUNT) == 15
    with tarfile.open(world.folder / "w" / "000000.tar") as tar:
        assert len({(entry.mtime, entry.uid, entry.gid, entry.uname) for entry in tar}) == 1
