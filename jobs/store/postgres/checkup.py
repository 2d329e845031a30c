"""What a server is, and what it lacks to keep what is paid for."""

from dataclasses import dataclass

import psycopg

from jobs.errors import CannotWrite
from jobs.store.postgres import migrate
from jobs.store.postgres.address import Address
from jobs.store.postgres.connection import COMMITS_LATE, DURABLE
from jobs.store.postgres.errors import told


@dataclass(frozen=True, slots=True)
class ServerReport:
    """What a server says of itself."""

    version: str
    lacks: tuple[str, ...]
    """Why it cannot keep a job table: a sentence each."""
    advice: tuple[str, ...]
    """What may be better, though it does without: a sentence each."""
    table: str | None
    """Why the job table cannot be opened; None if it can."""
    hint: str = ""
    """What to do about that."""


def report_of(address: Address) -> ServerReport:
    """Ask the server. Nothing is changed. Blocks.

    Raises:
        CannotWrite: it cannot be reached.
    """
    try:
        with psycopg.connect(address.conninfo, autocommit=True, connect_timeout=10) as raw:
            told_by = {name: _shown(raw, name) for name in ("server_version", "server_version_num", *DURABLE)}
            commits = _shown(raw, "synchronous_commit")
    except psycopg.Error as error:
        raise told(address, error) from error
    lacks = [
        f"{name} is {told_by[name]}: a crash of the server may lose what was paid for. It must be on."
        for name, safe in DURABLE.items()
        if told_by[name] not in safe
    ]
    if int(told_by["server_version_num"]) < migrate.OLDEST:
        lacks.append(f"It is PostgreSQL {told_by['server_version']}: 13 or newer is needed.")
    advice = []
    if commits in COMMITS_LATE:
        advice.append(
            f"synchronous_commit is {commits} there: Nightsheet turns it on for its own connections, and no "
            "pooler in between may take that back."
        )
    if int(told_by["server_version_num"]) < migrate.FIRST_WITH_LEASES:
        advice.append(
            "It cannot end the session of a runner that stands still (PostgreSQL 14 can): only the network "
            "tells when another one may take over."
        )
    table, hint = None, ""
    if not lacks:
        try:
            migrate.verify(address)
        except CannotWrite as error:
            table, hint = error.message, error.hint
    return ServerReport(told_by["server_version"], tuple(lacks), tuple(advice), table, hint)


def _shown(raw: "psycopg.Connection[tuple[object, ...]]", name: str) -> str:
    row = raw.execute(f"SHOW {name}".encode()).fetchone()
    assert row is not None
    return str(row[0])
