"""`retry` and `review` beside somebody else: what changed while a person was thinking is left alone."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.unit.runner.cli.world import World, job, refused, unanswered


@pytest.fixture
def meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A person who says yes, after somebody else has done this to the table."""

    def sit(statement: str) -> None:
        def ask(_question: str) -> bool:
            with closing(sqlite3.connect(world.database)) as connection, connection:
                assert connection.execute(statement).rowcount == 1
            return True

        monkeypatch.setattr("runner.cli.console.console.is_interactive", lambda: True)
        monkeypatch.setattr("runner.cli.console.console.ask", ask)

    return sit


def test_a_job_that_somebody_else_has_retried(world: World, meanwhile: Callable[[str], None]) -> None:
    """It is not queued a second time, and said; the other one is."""
    world.load(job(0, "a"), job(1, "b"))
    world.price()
    world.move("a", refused())
    world.move("b", refused())
    meanwhile(
        "UPDATE job SET state = 'queued', finished_at = NULL, error_kind = NULL, error_code = NULL,"
        " error_message = NULL WHERE key = 'a'"
    )
    ran = world.run("retry")
    assert "a: it changed in the meantime" in ran.err
    assert "1 job will be sent again" in ran.out
    assert world.states() == {"a": "queued", "b": "queued"}


def test_a_doubt_that_somebody_else_has_settled(world: World, meanwhile: Callable[[str], None]) -> None:
    """It is at the API: sending it again would pay twice."""
    world.load(job(0, "a"), job(1, "b"))
    world.price()
    world.move("a", unanswered())
    world.move("b", unanswered())
    meanwhile(
        "UPDATE job SET state = 'running', error_kind = NULL, error_code = NULL, error_message = NULL"
        " WHERE key = 'a'"
    )
    ran = world.run("review", "--resubmit", "all")
    assert ran.code == 1
    assert "a: it changed in the meantime" in ran.err
    assert world.states() == {"a": "running", "b": "queued"}
