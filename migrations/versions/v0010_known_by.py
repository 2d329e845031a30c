"""Knows what was paid for by what it says: held jobs, an index of what was sent, and fingerprints without what
signs a URL."""

import hashlib
import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE batch ADD COLUMN looked_at VARCHAR(32)",
    "ALTER TABLE job ADD COLUMN held JSON CONSTRAINT job_held CHECK (held IS NULL OR NOT agreed)",
    # By itself: a job that is deleted is looked for among those that others wait for, whatever their batch.
    "CREATE INDEX job_by_same_as ON job (same_as) WHERE same_as IS NOT NULL",
    "CREATE INDEX job_by_held ON job (batch_id) WHERE held IS NOT NULL",
    "CREATE INDEX job_sent ON job (fingerprint) WHERE attempts > 0",
)
SIGNS = re.compile(
    r"x-amz-[a-z0-9-]+|x-goog-[a-z0-9-]+|x-oss-[a-z0-9-]+|q-sign-[a-z-]+|q-signature|signature|sig|expires"
    r"|awsaccesskeyid|googleaccessid|ossaccesskeyid|key-pair-id",
    re.IGNORECASE,
)
BESIDE = {"policy", "se", "sp", "spr", "sip", "sr", "sv", "st", "ske", "sks", "skt", "skv", "skoid", "sktid"}


def upgrade() -> None:
    """A row that differs from its job by a signature alone must not be bought again."""
    for statement in STATEMENTS:
        op.execute(statement)
    connection = op.get_bind()
    found = connection.execute(
        sa.text("SELECT id, model, fingerprint, inputs FROM job WHERE inputs LIKE '%://%?%=%'")
    )
    changed = [
        {"id": job_id, "fingerprint": new}
        for job_id, model, stored, inputs in found
        if (new := renewed(model, stored, json.loads(inputs))) is not None
    ]
    if changed:
        connection.execute(sa.text("UPDATE job SET fingerprint = :fingerprint WHERE id = :id"), changed)


def renewed(model: str, stored: str, inputs: dict[str, Any]) -> str | None:
    """The fingerprint as it is from now on; None where it stays. A seed that was drawn is no part of it."""
    for said in (inputs, {name: value for name, value in inputs.items() if name != "seed"}):
        if fingerprint(model, said) == stored:
            new = fingerprint(model, {name: unsigned_all(value) for name, value in said.items()})
            return None if new == stored else new
    return None


def fingerprint(model: str, inputs: dict[str, Any]) -> str:
    text = json.dumps([model, inputs], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def unsigned_all(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [
        unsigned(item) if isinstance(item, str) and item.lower().startswith(("http://", "https://")) else item
        for item in value
    ]


def unsigned(url: str) -> str:
    address, question, query = url.partition("?")
    if not question:
        return url
    query, mark, fragment = query.partition("#")
    parts = query.split("&")
    names = [part.partition("=")[0].lower() for part in parts]
    is_signed = not {"sig", "signature"}.isdisjoint(names)
    kept = [
        part
        for part, name in zip(parts, names, strict=True)
        if not (SIGNS.fullmatch(name) or (is_signed and name in BESIDE))
    ]
    if len(kept) == len(parts):
        return url
    return f"{address}{'?' if kept else ''}{'&'.join(kept)}{mark}{fragment}"
