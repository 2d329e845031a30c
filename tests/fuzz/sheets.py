"""Sheets: whatever they are made of, what comes out is jobs, problems, or one of our own errors."""

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jobs.catalog.registry import MODELS
from jobs.errors import SheetProblems
from jobs.problems import Problem
from jobs.sheets.planned import PlannedJob
from jobs.sheets.planning import plan
from jobs.sheets.sheet import open_sheet
from tests.fuzz.mutating import mutated

_TEXT = b"bytedance/seedream-4-5/text-to-image"
_SERIES = b"bytedance/seedream-4-5/sequential"
_EDIT = b"bytedance/seedream-4-5/edit-sequential"

_SEEDS: dict[str, tuple[bytes, ...]] = {
    ".csv": (
        b"id,model,prompt,size,count,images,seed,note\r\n"
        b'a,%b,"A pier, 3 pictures",2K,3,,7,x\r\n'
        b'b,%b,"two\nlines",2048x2048,,,,"say ""hi"""\r\n' % (_SERIES, _TEXT),
        b"prompt,model\nA boat {note},%b\n" % _TEXT,
        b"id,model,prompt,images\nc,%b,Generate 2 images,https://a.example/1.png|https://a.example/2.png\n"
        % _EDIT,
        b"prompt,image_size,n\n",
    ),
    ".yaml": (
        b"batch: night\nmodel: %b\ndefaults:\n  size: 2K\n  count: 3\nimage_sets:\n  hero:\n"
        b"    - https://a.example/1.png\n"
        b"jobs:\n  - id: a\n    prompt: A pier\n  - {prompt: 'A gull', seed: 7}\n" % _SERIES,
        b'model: %b\njobs:\n- prompt: |\n    two\n    lines\n- prompt: "x\\u2028y"\n' % _TEXT,
        b"jobs: [{prompt: a, model: %b}, [b], c, null, {prompt: {a: b}}]\n" % _TEXT,
        b"a: &x [1, 2]\nb: *x\n--- \n!!python/object:os.system {}\n",
    ),
    ".jsonl": (
        b'{"id": "a", "prompt": "A pier", "model": "%b", "count": 3, "seed": 7}\n' % _SERIES,
        b'{"prompt": "b", "model": "%b"}\n\n{"prompt": ["c"], "images": ["https://a.example/1.png"]}\n'
        % _TEXT,
        b'{"prompt": "d", "prompt": "e", "model": null, "size": 2048.0, "note": {"a": [1]}}\n',
        b"[1, 2]\n3\nnull\n",
    ),
}
_WORDS = (
    *(
        b",",
        b'"',
        b'""',
        b"\n",
        b"\t",
        b"|",
        b":",
        b": ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"- ",
        b"&a ",
        b"*a",
        b"!!",
    ),
    *(b"{note}", b"{prompt}", b"{id}", b"prompt", b"model", b"count", b"images", b"image_sets", b"defaults"),
    *(
        b"jobs:\n",
        b"null",
        b"true",
        b"<<: ",
        b"|\n",
        b">-\n",
        b"? ",
        b"%YAML 1.2\n",
        b"---\n",
        b"...\n",
        b"#",
    ),
    *(b"http://127.0.0.1/", b"file:///etc/passwd", b"=1+1", b"../", _TEXT, _SERIES, b"\\u0000", b"\\ud800"),
)
SUFFIXES = tuple(_SEEDS)


def _items(path: Path) -> Iterator[PlannedJob | Problem]:
    try:
        sheet = open_sheet(path, batch="fuzz")
    except SheetProblems as error:
        yield from error.problems
    else:
        yield from plan(sheet, random.Random(0))


def one(dice: random.Random, folder: Path) -> bytes:
    """Read one sheet, and see that what comes of it can be stored, printed and sent. Returns the sheet."""
    suffix = dice.choice(SUFFIXES)
    data = mutated(dice, _SEEDS[suffix], _WORDS)
    read(data, suffix, folder)
    return suffix.encode() + b"\n" + data


def read(data: bytes, suffix: str, folder: Path | None = None) -> None:
    """The same for a sheet that is given."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=suffix) as file:
        file.write(data)
        file.flush()
        keys, problems = set(), 0
        for item in _items(Path(file.name)):
            if isinstance(item, PlannedJob):
                assert item.key not in keys
                keys.add(item.key)
                text = json.dumps([item.inputs, item.columns, item.warnings], allow_nan=False)
                text.encode()
                assert MODELS[item.model].check(item.inputs).problems == ()
            else:
                problems += 1
                assert item.message
                assert all(word is None or word.isprintable() for word in (item.column, item.value))
        assert keys or problems
