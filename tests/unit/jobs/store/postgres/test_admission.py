"""Eight connections ask for the same account at once: its row alone keeps the limits, in every order.

They have no other lock: the store's own, which lets one write at a time, is not taken here. Each waits at the
account's row until all do, and only then the first goes on.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from jobs.admission import Bound, NotAdmitted, SubmitTerms
from jobs.attempts import Intent
from jobs.store.accounts.admission import admit
from jobs.store.postgres.address import address_of
from jobs.store.postgres.connection import connect
from jobs.store.store import Store
from tests.support.postgres import Cluster, open_on_server, run
from tests.support.tables import ESTIMATE, Table, claimed, new_table

MANY = 8
NAME = "https://api.example 0123456789abcdef"
_WAITING = "SELECT count(*) AS many FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'"
_PATIENCE_SECONDS = 30.0


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    return cluster.place(tmp_path / "night.db")


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """A connection of its own, in a transaction as the store's writers have them."""
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: connect(address_of(url), writing=True), poolclass=NullPool
    )
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def until_all_wait(url: str, many: int) -> None:
    """Return when so many wait for a lock."""
    begun = monotonic()
    while run(url, _WAITING)[0]["many"] < many:
        assert monotonic() - begun < _PATIENCE_SECONDS, "they do not come to the account's row"


class Crowd:
    """Jobs that are all asked for at once, by connections that know nothing of each other."""

    def __init__(self, url: str, table: Table, terms: SubmitTerms, job_ids: list[int]) -> None:
        self.url = url
        self.table = table
        self.terms = terms
        self.left = job_ids

    def ask(self, connection: Connection, job_id: int) -> Intent | NotAdmitted | None:
        clock = partial(self.table.store.database.clock, connection, self.table.clock.now)
        return admit(connection, claimed(job_id), self.terms, clock)

    def at_once(self, first: Callable[[Connection], Any]) -> list[Intent | NotAdmitted | None]:
        """Ask `MANY` times while `first` has the account's row; its transaction ends when all wait for it."""
        ids, self.left = self.left[:MANY], self.left[MANY:]

        def one(job_id: int) -> Intent | NotAdmitted | None:
            with transaction(self.url) as connection:
                return self.ask(connection, job_id)

        with ThreadPoolExecutor(MANY) as threads:
            with transaction(self.url) as holder:
                first(holder)
                asked = [threads.submit(one, job_id) for job_id in ids]
                until_all_wait(self.url, MANY)
            return [one.result() for one in asked]

    def nobody_but_waits(self) -> list[Intent | NotAdmitted | None]:
        """All at once, behind one who takes nothing."""
        locked = text("SELECT id FROM apiaccount FOR UPDATE")
        return self.at_once(lambda connection: connection.execute(locked))

    def behind_one_who_is_let_go(self) -> list[Intent | NotAdmitted | None]:
        """All at once, behind one who is let go in that very transaction."""
        own, self.left = self.left[0], self.left[1:]

        def first(connection: Connection) -> None:
            assert isinstance(self.ask(connection, own), Intent)

        return self.at_once(first)


async def crowd(table: Table, url: str, **limits: Any) -> Crowd:
    await table.store.batches.agree(table.batch.id)
    account = await table.store.accounts.enter(NAME, table.batch.id)
    await table.store.accounts.set_limits(NAME, limits)
    queued = await table.store.jobs.queued(table.batch.id, limit=100)
    return Crowd(url, table, SubmitTerms(account.id, table.batch.id), [job.id for job in queued])


def let_go(answers: list[Intent | NotAdmitted | None], bound: Bound) -> int:
    """How many were let go; the others for this reason not."""
    refused = [one for one in answers if isinstance(one, NotAdmitted)]
    assert {one.bound for one in refused} <= {bound}
    assert all(isinstance(one, Intent | NotAdmitted) for one in answers)
    return len(answers) - len(refused)


async def on_server(url: str, home: Path, ask: Callable[[Table], Any]) -> None:
    async with open_on_server(url, home) as database:
        await ask(await new_table(database, *(f"job{number:03d}" for number in range(40))))


LIMITS: dict[str, tuple[dict[str, Any], Bound]] = {
    "in flight": ({"in_flight_max": 5}, Bound.IN_FLIGHT),
    "gate": ({"gate": 5}, Bound.GATE),
    "budget": ({"budget": 5 * ESTIMATE + Decimal("0.01")}, Bound.BUDGET),
}


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_limit_is_exact(url: str, tmp_path: Path, limit: str) -> None:
    """Five fit, however many ask at once; and whoever is let go while they wait is seen by all of them."""
    limits, bound = LIMITS[limit]

    async def ask(table: Table) -> None:
        all_at_once = await crowd(table, url, **limits)
        assert let_go(all_at_once.nobody_but_waits(), bound) == 5
        assert let_go(all_at_once.nobody_but_waits(), bound) == 0
        (account,) = await table.store.accounts.all()
        assert account.in_flight == 5
        assert account.committed_usd == 5 * ESTIMATE

    await on_server(url, tmp_path / "night.db", ask)


@pytest.mark.parametrize("limit", LIMITS)
async def test_whoever_is_let_go_while_others_wait_is_seen(url: str, tmp_path: Path, limit: str) -> None:
    """The one place that he takes is taken from them."""
    limits, bound = LIMITS[limit]

    async def ask(table: Table) -> None:
        all_at_once = await crowd(table, url, **limits)
        assert let_go(all_at_once.behind_one_who_is_let_go(), bound) == 4

    await on_server(url, tmp_path / "night.db", ask)


async def test_the_rate_is_exact(url: str, tmp_path: Path) -> None:
    """One at a time, and each other one is told when to ask again: by the server's clock."""

    async def ask(table: Table) -> None:
        all_at_once = await crowd(table, url, per_minute=1.0)
        assert let_go(all_at_once.nobody_but_waits(), Bound.RATE) == 1
        answers = all_at_once.nobody_but_waits()
        assert let_go(answers, Bound.RATE) == 0
        assert all(50 < one.wait_seconds <= 60 for one in answers if isinstance(one, NotAdmitted))

    await on_server(url, tmp_path / "night.db", ask)


async def test_one_alone_asks_after_a_doubt(url: str, tmp_path: Path) -> None:
    """The others wait for its answer, however many come at once."""

    async def ask(table: Table) -> None:
        all_at_once = await crowd(table, url)
        run(url, "UPDATE apiaccount SET doubted_since = '2026-11-20T22:00:00.000000+00:00'")
        answers = all_at_once.nobody_but_waits()
        assert let_go(answers, Bound.DOUBT) == 0
        assert sum(isinstance(one, NotAdmitted) and one.doubt is not None for one in answers) == 1

    await on_server(url, tmp_path / "night.db", ask)


async def test_in_any_order_by_the_store_s_own_door(url: str, tmp_path: Path) -> None:
    """Eight processes' worth of stores, as they come: never more than the limit, and never fewer."""

    async def ask(table: Table) -> None:
        everybody = await crowd(table, url, in_flight_max=7)
        answers: list[Intent | NotAdmitted | None] = []

        async def one(number: int) -> None:
            async with open_on_server(url, tmp_path / f"{number}.db") as database:
                store = Store(database, table.clock.now)
                own = everybody.left[number::MANY]
                answers.extend([await store.jobs.claim(claimed(one), everybody.terms) for one in own])

        async with anyio.create_task_group() as tasks:
            for number in range(MANY):
                tasks.start_soon(one, number)
        assert let_go(answers, Bound.IN_FLIGHT) == 7
        assert len(answers) == 40

    await on_server(url, tmp_path / "night.db", ask)
