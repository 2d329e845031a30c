"""Tables of earlier versions hold fingerprints with what signs a URL: no row may be bought again for that."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import migrations
from jobs.payload import payload
from jobs.sheets.rows.keys import fingerprint, renewed
from jobs.store.sqlite import migrate
from jobs.store.sqlite.beside import paid_submits

MODEL = "bytedance/seedream-4-5/edit-sequential"
SIGNED = "https://b.example/a.png?v=2&X-Amz-Date=20261128T010203Z&X-Amz-Signature=abc"
BEFORE = "0007"

ROWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"images": [SIGNED], "prompt": "at night", "seed": 7}, {}),
    ({"images": [SIGNED], "prompt": "at night"}, {"seed": 11}),
    ({"images": ["https://b.example/a.png"], "prompt": "http://x/?a=b"}, {"seed": 11}),
    ({"prompt": "a pier"}, {}),
]
"""What rows say, and the seeds that were drawn for them."""


def as_before(said: dict[str, Any]) -> str:
    """A fingerprint as it was made before."""
    text = json.dumps([MODEL, said], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of before, with a paid job of each row, and one whose fingerprint nobody can explain."""
    path = tmp_path / "night.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "HEAD", BEFORE)
        migrate.prepare(path)
    at = "2026-11-28T01:02:03.000000+00:00"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO batch (name, sheet, origin, created_at, generation)"
            " VALUES ('night', '/s', 'https://api', ?, 1)",
            (at,),
        )
        jobs = [(as_before(said), payload(said | drawn)) for said, drawn in ROWS]
        for number, (known_by, inputs) in enumerate([*jobs, ("odd", payload(ROWS[0][0]))], 1):
            connection.execute(
                "INSERT INTO job (id, batch_id, key, revision, folder, position, row, generation, current,"
                " agreed, model, fingerprint, inputs, pictures, columns, warnings, state, available_at,"
                " attempts, failed_runs, authorised, cancel_requested, created_at)"
                " VALUES (?, 1, ?, 1, ?, ?, 1, 1, 1, 0, ?, ?, ?, 1, '{}', '[]', 'running', ?, 1, 0, 0, 0, ?)",
                (number, number, number, number, MODEL, known_by, inputs, at, at),
            )
            connection.execute(
                "INSERT INTO attempt (uid, job_id, number, payload_sha256, started_at, outcome, request_id,"
                " automatic) VALUES (?, ?, 1, '', ?, 'accepted', ?, 0)",
                (number, number, at, f"r-{number}"),
            )
    return path


def known_by(path: Path) -> list[str]:
    """The fingerprints in a table."""
    with closing(sqlite3.connect(path)) as connection:
        return [known for (known,) in connection.execute("SELECT fingerprint FROM job ORDER BY id")]


def test_they_are_as_they_would_be_made_now(old: Path) -> None:
    """Whether the seed in the inputs was given or drawn; what nobody can explain stays as it is."""
    was = known_by(old)
    migrate.prepare(old)
    now = known_by(old)
    assert now == [*(fingerprint(MODEL, said) for said, _ in ROWS), "odd"]
    assert now[:2] != was[:2]
    assert now[2:] == was[2:]


def test_one_that_is_not_upgraded_is_read_as_if_it_were(old: Path) -> None:
    """The database beside the sheet is never written to."""
    was = old.read_bytes()
    before = [submit.fingerprint for submit in paid_submits(old, "https://api")]
    assert old.read_bytes() == was
    assert before == [*(fingerprint(MODEL, said) for said, _ in ROWS), "odd"]
    migrate.prepare(old)
    submits = paid_submits(old, "https://api")
    assert [submit.fingerprint for submit in submits] == before
    assert [submit.request_id for submit in submits] == [f"r-{number}" for number in range(1, 6)]
    assert {(submit.batch, submit.database) for submit in submits} == {("night", str(old))}
    assert paid_submits(old, "https://other") == []


def test_the_migration_and_the_code_agree(old: Path) -> None:
    """The migration is written out, and never follows the code: today they say the same."""
    stored = known_by(old)
    inputs = [payload(said | drawn) for said, drawn in ROWS]
    expected = [renewed(MODEL, known, text) for known, text in zip(stored, inputs, strict=False)]
    migrate.prepare(old)
    assert known_by(old)[:4] == expected
