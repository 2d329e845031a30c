"""The fingerprints of rows of every kind, as they are in users' databases.

Whoever changes one of these values buys every sheet again: a row is known by its fingerprint, and one that
is not known is new, and paid for. A change needs a migration of the fingerprints that tables hold.
"""

import random

from jobs.sheets.planned import PlannedJob
from jobs.sheets.planning import plan
from jobs.sheets.sheet import open_sheet
from jobs.sheets.source import SheetSource
from tests.unit.jobs.sheets.conftest import Write

SHEET = """\
defaults: {model: bytedance/seedream-4-5/text-to-image}
jobs:
- {id: plain, prompt: A red fox}
- {id: sized, prompt: A red fox, size: 2048x2048}
- {id: label, prompt: A red fox, resolution: "2048x2048 (1:1)"}
- {id: letters, prompt: "Füchse 🦊, \\"sig=1\\""}
- {id: series, model: bytedance/seedream-4-5/sequential, prompt: Generate 3 images of a pier}
- {id: seeded, model: bytedance/seedream-4-5/sequential, prompt: Generate 3 images of a pier, seed: 7}
- {id: older, model: bytedance/seedream-4-0/sequential, text: Generate 2 images of a pier, count: 2}
- {id: edit, model: bytedance/seedream-4-5/edit, prompt: At night, images: [https://example.com/a.png?v=2]}
- id: signed
  model: bytedance/seedream-4-5/edit
  prompt: At night
  images: ["https://example.com/a.png?X-Amz-Date=20261128T010203Z&v=2&X-Amz-Expires=9&x-amz-signature=ab"]
- id: two
  model: bytedance/seedream-4-5/edit-sequential
  prompt: Generate 2 images
  count: 2
  images: [https://example.com/a.png, "https://example.com/b.png?sv=1&se=2&sig=3"]
- {id: again, prompt: A red fox, again: "2026-11-29"}
- {id: member, prompt: "A {animal}", matrix: {animal: [owl, hare]}}
"""

FINGERPRINTS = {
    "plain": "1300a1e36f1100cfa9cbbb143c19850d2f4c65bcd2d85c9a2edcddd6ee0bae38",
    "sized": "300fb6874f6fc7f1ce72340197e2c21466088271333e2a013d451a2c3bc9e253",
    "label": "300fb6874f6fc7f1ce72340197e2c21466088271333e2a013d451a2c3bc9e253",
    "letters": "3c47f4ce38fee9ca1e54a12ab7d1e669c7f514c9a71940b8ecfdff1917623dd2",
    "series": "2fc53fb4d5d3446571ad4b6ab90e0e0215a75295106a96c5a03d771357f83ba6",
    "seeded": "c5b86fbc1bfa21bd3c70781603d94b1c69096517d40e7547f41aaa0c528cb15b",
    "older": "a019f843e4460689b56a1c021cb2d11075939f396470c2128f0ad937b352a238",
    "edit": "b1910912da228d0d1044a7397921bcd3f95b6ce666a0520f944b7fbacd797f9e",
    "signed": "b1910912da228d0d1044a7397921bcd3f95b6ce666a0520f944b7fbacd797f9e",
    "two": "7d4f477950d844372ecc151dbea2b3dade123c9e11f9d26b312b25512ccd3962",
    "again": "d8a8d027b15dd1973e536d60414a7b8777efc11f82dee2629cc915a3d1c8de61",
    "member-owl": "d783bcaf14efd8eb2a12153166a0b749ccd61f500bd440816037d8f5892688e1",
    "member-hare": "eb394d5bc05ba7124fb903d96bdaeeecff9ae3906912ed9cc0d9b6e4a2066926",
}


def fingerprints(path: SheetSource, seed: int) -> dict[str, str]:
    """Of each row, by its id; the seeds that rows lack are drawn."""
    jobs = list(plan(open_sheet(path), random.Random(seed)))
    assert all(isinstance(job, PlannedJob) for job in jobs), jobs
    return {job.key: job.fingerprint for job in jobs if isinstance(job, PlannedJob)}


def test_every_fingerprint_is_what_it_was(write: Write) -> None:
    """Whatever is drawn; rows that mean the same have the same."""
    source = SheetSource(write("golden.yaml", SHEET))
    assert fingerprints(source, 1) == FINGERPRINTS
    assert fingerprints(source, 2) == FINGERPRINTS
    assert FINGERPRINTS["sized"] == FINGERPRINTS["label"]
    assert FINGERPRINTS["edit"] == FINGERPRINTS["signed"]
