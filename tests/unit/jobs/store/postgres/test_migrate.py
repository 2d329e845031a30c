"""A database on a server as ours: made, recognised, or refused and left as it was."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import migrations
from jobs.errors import CannotWrite, LockHeld
from jobs.store.postgres import migrate
from jobs.store.postgres.address import address_of
from jobs.store.postgres.checkup import report_of
from jobs.store.postgres.membership import Membership
from tests.support.postgres import Cluster, run


@pytest.fixture
def empty(cluster: Cluster) -> str:
    """A database with nothing in it."""
    cluster.made += 1
    return cluster.new_database(f"empty_{cluster.made}")


@pytest.fixture
def ours(cluster: Cluster, tmp_path: Path) -> str:
    """A database of ours."""
    return cluster.place(tmp_path / "night.db")


def refused(url: str, match: str) -> CannotWrite:
    """Refused by both ways to open it, and as it was."""
    for opening in (migrate.prepare, migrate.check):
        with pytest.raises(CannotWrite, match=match) as caught:
            opening(address_of(url))
    assert caught.value.exit_code == 73
    return caught.value


def test_it_is_made_once(empty: str) -> None:
    """In a schema of its own, with a name of its own; a second look changes nothing."""
    migrate.prepare(address_of(empty))
    first = run(empty, "SELECT uid FROM identity")
    migrate.prepare(address_of(empty))
    migrate.check(address_of(empty))
    assert run(empty, "SELECT uid FROM identity") == first
    assert len(first[0]["uid"]) == 32
    assert run(empty, "SELECT version_num FROM alembic_version") == [{"version_num": migrations.HEAD}]
    assert run(empty, "SELECT count(*) AS many FROM pg_tables WHERE schemaname = 'public'") == [{"many": 0}]


def test_two_that_make_it_at_once_make_one(empty: str) -> None:
    """One waits for the other."""
    with ThreadPoolExecutor(2) as both:
        list(both.map(migrate.prepare, [address_of(empty)] * 2))
    assert len(run(empty, "SELECT uid FROM identity")) == 1


def test_two_databases_have_two_names(cluster: Cluster) -> None:
    """The journal tells them apart by it."""
    cluster.made += 2
    urls = [cluster.new_database(f"named_{cluster.made - number}") for number in range(2)]
    for url in urls:
        migrate.prepare(address_of(url))
    one, other = (run(url, "SELECT uid FROM identity") for url in urls)
    assert one != other


def test_a_reader_does_not_make_it(empty: str) -> None:
    """`status` of a wrong name leaves nothing behind."""
    with pytest.raises(CannotWrite, match="There is no job table in") as caught:
        migrate.check(address_of(empty))
    assert f"`nightsheet db init {empty}`" in caught.value.hint
    assert run(empty, "SELECT 1 FROM pg_namespace WHERE nspname = 'nightsheet'") == []


def test_somebody_else_s_schema_is_left_alone(empty: str) -> None:
    """Of the same name, and not made by us."""
    run(empty, "CREATE SCHEMA nightsheet")
    refused(empty, "that Nightsheet did not make, and was left as it is")
    assert run(empty, "SELECT 1 FROM pg_tables WHERE schemaname = 'nightsheet'") == []


def test_a_newer_one_is_refused(ours: str) -> None:
    """An older Nightsheet would not know what is in it."""
    run(ours, "UPDATE alembic_version SET version_num = '9999'")
    assert "Upgrade Nightsheet" in refused(ours, "was written by a newer Nightsheet").hint
    assert run(ours, "SELECT version_num FROM alembic_version") == [{"version_num": "9999"}]


def test_a_version_that_never_was_is_refused(ours: str) -> None:
    """It is lower than ours, and no step leads on from it."""
    run(ours, "UPDATE alembic_version SET version_num = '0000x'")
    refused(ours, "a schema that no Nightsheet had")


def test_a_server_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    """Whoever mistypes a name waits for nothing."""
    with pytest.raises(CannotWrite, match="cannot be reached"):
        migrate.check(address_of(f"postgresql://studio@/night?host={tmp_path}"))


def test_whoever_may_not_make_a_schema_is_told(cluster: Cluster, empty: str) -> None:
    """Not as a defect, and not as a full disk."""
    cluster.administer("CREATE ROLE guest LOGIN PASSWORD 'not a secret'")
    guest = empty.replace("studio@", "guest@")
    with pytest.raises(CannotWrite, match="permission denied") as caught:
        migrate.prepare(address_of(guest))
    assert "GRANT CREATE ON DATABASE" in caught.value.hint


def test_a_command_neither_makes_nor_upgrades(empty: str, ours: str) -> None:
    """Both are done by hand, once: others may work there."""
    with pytest.raises(CannotWrite, match="There is no job table in") as caught:
        migrate.verify(address_of(empty))
    assert f"`nightsheet db init {empty}`" in caught.value.hint
    migrate.verify(address_of(ours))
    as_it_was_before_the_epoch(ours)
    with pytest.raises(CannotWrite, match="has the tables of an older Nightsheet") as caught:
        migrate.verify(address_of(ours))
    assert f"`nightsheet db upgrade {ours}`" in caught.value.hint


def test_nobody_upgrades_under_a_runner(ours: str) -> None:
    """Once it has ended, anybody may."""
    as_it_was_before_the_epoch(ours)
    lock = Membership(address_of(ours))
    assert lock.take()
    with pytest.raises(LockHeld, match="A runner is at work on"):
        migrate.upgrade(address_of(ours))
    lock.release()
    assert migrate.upgrade(address_of(ours))
    assert not migrate.upgrade(address_of(ours))
    assert run(ours, "SELECT epoch, holder FROM identity") == [{"epoch": 0, "holder": None}]


def as_it_was_before_the_epoch(url: str) -> None:
    run(url, "ALTER TABLE identity DROP COLUMN epoch, DROP COLUMN holder")
    run(url, "DROP TABLE runner")
    for table in ("job", "attempt"):
        run(url, f"ALTER TABLE {table} DROP COLUMN runner_id")
    limits = "in_flight_max, gate, per_minute, budget, next_at, cool_until, doubted_since, asked_until"
    run(url, f"ALTER TABLE apiaccount DROP COLUMN {limits.replace(', ', ', DROP COLUMN ')}")
    run(url, "ALTER TABLE batch DROP COLUMN account_id")
    run(url, "DROP INDEX job_unconfirmed")
    run(url, "UPDATE alembic_version SET version_num = '0017'")


def test_what_a_server_lacks_is_said(ours: str) -> None:
    """Nothing, of a usual one."""
    report = report_of(address_of(ours))
    assert (report.lacks, report.table) == ((), None)
    assert int(report.version.partition(".")[0]) >= 13
