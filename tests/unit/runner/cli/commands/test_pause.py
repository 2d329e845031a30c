"""`nightsheet pause`: kept in the table until somebody resumes."""

import pytest

from jobs.pauses import UNTIL_RESUMED, PauseReason
from jobs.store.store import Store
from jobs.views import Pause
from tests.unit.runner.cli.world import World, job


def pause_of(world: World, name: str = "night") -> Pause | None:
    """Why a batch stands still, if it does."""

    async def find(store: Store) -> Pause | None:
        return (await store.batches.named(name)).paused

    return world.store(find)


def test_a_pause_is_written_down(world: World) -> None:
    """With what ends it."""
    world.load(job(0, "a"))
    ran = world.run("pause")
    assert ran.code == 0
    assert ran.out == (
        "Batch night is paused (person): Paused by `nightsheet pause`.\nNext: nightsheet resume night\n"
    )
    paused = pause_of(world)
    assert paused is not None
    assert (paused.reason, paused.detail) == (PauseReason.PERSON, "Paused by `nightsheet pause`.")


@pytest.mark.parametrize("reason", PauseReason)
def test_a_guard_s_pause_is_shown_instead_and_any_other_replaced(world: World, reason: PauseReason) -> None:
    """`run` would clear the others, and send what a person has paused."""
    world.load(job(0, "a"))

    async def stop(store: Store) -> None:
        await store.batches.pause((await store.batches.named(None)).id, reason, "why")

    world.store(stop)
    stays = reason in UNTIL_RESUMED
    shown = f"({reason}): why" if stays else "(person): Paused by `nightsheet pause`."
    assert f"Batch night is paused {shown}" in world.run("pause", "night").out
    paused = pause_of(world)
    assert paused is not None
    assert paused.reason is (reason if stays else PauseReason.PERSON)


def test_only_the_batch_that_is_named_is_paused(world: World) -> None:
    """The other one goes on."""
    world.load(job(0, "a"))
    world.load(job(0, "x"), name="other")
    world.run("pause", "night")
    assert pause_of(world) is not None
    assert pause_of(world, "other") is None
    assert world.run("pause", "nowhere").code == 2


def test_pausing_makes_no_database(world: World) -> None:
    """There is nothing to pause."""
    assert world.run("pause").code == 2
    assert not world.database.exists()
