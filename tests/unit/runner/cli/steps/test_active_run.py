"""Whether a runner is at work: asked of a lock that a runner may be about to take."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.errors import CannotWrite
from jobs.store.store import Store
from runner.cli.steps.active_run import active_run
from runner.recovery.lock import try_holding
from tests.unit.runner.cli.world import World, job


def begin(world: World, pid: int, host: str = "", name: str = "night") -> None:
    """A run over the batch, by that process."""

    async def inside(store: Store) -> None:
        batch = await store.batches.named(name)
        await store.batches.begin_run(batch.id, pid=pid, host=host or socket.gethostname())

    world.store(inside)


def is_at_work(world: World, name: str = "night") -> bool:
    async def inside(store: Store) -> bool:
        return await active_run(store, await store.batches.named(name)) is not None

    return world.store(inside)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The databases whose lock was asked for."""
    databases: list[Path] = []

    @contextmanager
    def asking(database: Path) -> Iterator[bool]:
        databases.append(database)
        with try_holding(database) as held:
            yield held

    monkeypatch.setattr("runner.recovery.lock.try_holding", asking)
    return databases


def test_a_run_that_holds_the_database(world: World) -> None:
    """It is at work, on that batch alone."""
    world.load(job(0, "a"))
    world.load(job(0, "a"), name="other")
    begin(world, os.getpid())
    with try_holding(world.database) as held:
        assert held
        assert is_at_work(world)
        assert not is_at_work(world, "other")
    assert not is_at_work(world)


def test_without_any_run(world: World, asked: list[Path]) -> None:
    """The lock is not touched: the first runner may be about to take it."""
    world.load(job(0, "a"))
    assert not is_at_work(world)
    assert asked == []


@pytest.mark.skipif(os.name == "nt", reason="processes cannot be asked after there")
@pytest.mark.parametrize("error", [ProcessLookupError, OverflowError])
def test_a_run_whose_process_is_gone(
    world: World, asked: list[Path], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """Nor is it where the run has ended or was killed, and somebody is about to go on."""
    world.load(job(0, "a"))
    begin(world, 12)

    def no_such_process(pid: int, number: int) -> None:
        assert (pid, number) == (12, 0)
        raise error

    monkeypatch.setattr(os, "kill", no_such_process)
    assert not is_at_work(world)
    assert asked == []


def test_a_run_of_another_machine(world: World, asked: list[Path]) -> None:
    """Only the lock can tell."""
    world.load(job(0, "a"))
    begin(world, 1, "elsewhere")
    assert not is_at_work(world)
    assert asked == [world.database]


@pytest.mark.skipif(os.name == "nt", reason="processes cannot be asked after there")
def test_a_lock_that_is_not_ours_to_touch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is there, and is somebody else's."""
    world.load(job(0, "a"))
    begin(world, 12)

    def not_allowed(_pid: int, _signal: int) -> None:
        raise PermissionError

    def closed(_database: Path) -> None:
        raise CannotWrite("closed")

    monkeypatch.setattr(os, "kill", not_allowed)
    monkeypatch.setattr("runner.recovery.lock.try_holding", closed)
    assert is_at_work(world)
