"""`nightsheet audit`: every submit, what is paid and not in hand, and whether it all adds up."""

import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest

from jobs.outcomes import Resubmitted
from tests.unit.runner.cli.world import (
    NOW,
    World,
    accepted,
    ansi,
    done,
    fetched,
    job,
    refused,
    remote_failed,
    unanswered,
)


def night(world: World) -> None:
    """One home, one failed at the API, one in doubt and sent again, one refused, one never sent."""
    world.load(*(job(position, key) for position, key in enumerate("abcde")))
    world.move("a", accepted("req-a"), done("0.08"), fetched(), estimate="0.12")
    world.move("b", accepted("req-b"), remote_failed(), estimate="0.12")
    world.move("c", unanswered(), lambda job_id: Resubmitted(job_id, NOW, automatic=True), estimate="0.12")
    world.move("c", accepted("req-c"), estimate="0.12")
    world.move("d", refused(), estimate="0.12")


def spoil(world: World, statement: str) -> None:
    with closing(sqlite3.connect(world.database)) as connection, connection:
        connection.execute(statement)


def shown(record: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """What a record says of the names in `like`; it may say more."""
    return {name: record[name] for name in like}


def test_for_scripts(world: World) -> None:
    """Sums, what is missing and why, and each line of the ledger: no name and no value is lost."""
    night(world)
    ran = world.run("audit", "--json")
    assert ran.code == 0
    told = ran.json
    attempts, missing = told.pop("attempts"), told.pop("not_in_hand")
    assert told == {
        "batch": "night",
        "balanced": True,
        "jobs_sent": 3,
        "submits": 4,
        "repeats_allowed": 1,
        "open_doubts": 0,
        "turned_away": 0,
        "overdrawn": [],
        "not_in_hand_usd": 0.36,
        "linked": [],
        "gone": [],
        "unmatched": [],
        "recounted": 0,
    }
    wanted: list[dict[str, Any]] = [
        {"key": "b", "attempt": 1, "request_id": "req-b", "why": "remote_failed", "usd": 0.12},
        {"key": "c", "attempt": 1, "request_id": None, "why": "unconfirmed, and sent again", "usd": 0.12},
        {"key": "c", "attempt": 2, "request_id": "req-c", "why": "on its way", "usd": 0.12},
    ]
    assert [shown(*pair) for pair in zip(missing, wanted, strict=True)] == wanted
    assert [attempt["outcome"] for attempt in attempts] == [
        *("accepted", "accepted", "resubmitted", "accepted", "refused")
    ]
    first = {
        "key": "a",
        "revision": 1,
        "current": True,
        "row": 2,
        "attempt": 1,
        "payload_sha256": "5" * 64,
        "sent_at": "2026-03-04T01:02:03Z",
        "outcome": "accepted",
        "request_id": "req-a",
        "cost_usd": 0.08,
        "estimate_usd": 0.12,
        "ended": "done",
        "automatic": False,
    }
    assert shown(attempts[0], first) == first
    assert [attempt["automatic"] for attempt in attempts] == [False, False, True, False, False]


def test_for_a_person(world: World) -> None:
    """A line a submit, what is not in hand with its sum, and the sentence at the end."""
    night(world)
    ran = world.run("audit")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith("Submits of batch night")
    assert lines[1].split() == ["sent", "row", "key", "try", "payload", "outcome", "request_id", "cost"]
    cells = [" ".join(line.split()[2:]) for line in lines[2:7]]
    assert cells == [
        "2 a 1 555555555555 accepted req-a $0.08",
        "3 b 1 555555555555 accepted req-b up to $0.12",
        "4 c 1 555555555555 resubmitted up to $0.12",
        "4 c 2 555555555555 accepted req-c up to $0.12",
        "5 d 1 555555555555 refused free",
    ]
    assert "Paid or possibly paid, without pictures here" in lines
    assert "In all 3 submits, up to $0.36." in lines
    assert lines[-2] == "4 submits for 3 jobs, 1 repeats allowed, 0 unconfirmed."
    assert lines[-1] == "The books balance: nothing was sent more often than was allowed."


def test_times_are_of_this_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere else, with the offset once, above them; scripts have UTC."""
    night(world)
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        ran = world.run("audit")
        assert ran.out.splitlines()[0] == "Submits of batch night, times in UTC+05:30"
        assert ran.out.splitlines()[2].startswith("2026-03-04 06:32:03 ")
        assert world.run("audit", "--json").json["attempts"][0]["sent_at"] == "2026-03-04T01:02:03Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_revisions_are_told_apart(world: World) -> None:
    """What was replaced, what is gone, and the second revision of a row."""
    night(world)
    world.load(job(0, "a", fingerprint="f" * 64), job(2, "c"), job(3, "d"), job(4, "e"))
    world.move("a", accepted("req-a2"), estimate="0.12")
    ran = world.run("audit")
    lines = ran.out.splitlines()
    assert lines[1].split() == [
        *("sent", "row", "key", "revision", "try", "payload", "outcome", "request_id", "cost")
    ]
    cells = {tuple(line.split()[2:5]) for line in lines[2:8]}
    assert cells == {
        ("replaced", "a", "1"),
        ("2", "a", "2"),
        ("gone", "b", "1"),
        ("4", "c", "1"),
        ("5", "d", "1"),
    }
    assert any(line.split()[:3] == ["a", "2", "req-a2"] for line in lines)
    told = world.run("audit", "--json").json
    found = {(one["key"], one["revision"], one["current"]) for one in told["attempts"]}
    assert {("a", 1, False), ("a", 2, True), ("b", 1, False), ("c", 1, True)} <= found
    assert told["not_in_hand"][-1]["revision"] == 2


def test_nothing_is_missing(world: World) -> None:
    """Then nothing is said of it."""
    world.load(job(0, "a"))
    world.move("a", accepted("req-a"), done("0.08"), fetched())
    ran = world.run("audit")
    assert "not in hand" not in ran.out
    assert "The books balance" in ran.out


def test_nothing_was_sent(world: World) -> None:
    """An empty ledger balances."""
    world.load(job(0, "a"))
    assert world.run("audit").code == 0
    told = world.run("audit", "--json").json
    assert (told["balanced"], told["submits"], told["attempts"]) == (True, 0, [])


def test_a_price_that_nobody_knows_is_left_out(world: World) -> None:
    """Neither nothing nor something: an empty cell, and null for scripts."""
    world.load(job(0, "a"))
    world.move("a", unanswered())
    ran = world.run("audit")
    assert ran.out.splitlines()[2].split()[-1] == "unanswered"
    told = world.run("audit", "--json").json
    assert (told["not_in_hand"][0]["usd"], told["not_in_hand_usd"]) == (None, 0)
    assert told["attempts"][0]["cost_usd"] is None


def test_books_that_do_not_balance_are_said_loudly(world: World) -> None:
    """Exit 1, the keys, and that it is ours to mend."""
    night(world)
    spoil(world, "UPDATE job SET authorised = 0")
    ran = world.run("audit")
    assert ran.code == 1
    assert "The books do not balance: sent more often than allowed: c." in ran.out
    assert "this is a defect of Nightsheet" in ran.out
    ran = world.run("audit", "--json")
    assert ran.code == 1
    assert (ran.json["balanced"], ran.json["overdrawn"]) == (False, ["c"])


def test_nothing_that_a_terminal_acts_on(world: World) -> None:
    """Keys are the sheet's own words."""
    world.load(job(0, "\x1b[31mred[/red]"))
    world.move("\x1b[31mred[/red]", unanswered())
    ran = world.run("audit")
    assert ansi(ran.out) == []
    assert "[/red]" in ran.out


def test_the_batch_may_be_named(world: World) -> None:
    """Another one's submits are not in it; one that is not there is said so."""
    night(world)
    world.load(job(0, "x"), name="other")
    assert world.run("audit", "other", "--json").json["submits"] == 0
    assert world.run("audit", "night", "--json").json["submits"] == 4
    assert world.run("audit", "nowhere").code == 2


def test_without_a_database(world: World) -> None:
    """Nothing is made by looking."""
    ran = world.run("audit")
    assert ran.code == 2
    assert not world.database.exists()


def test_counts_that_another_program_made_wrong_are_told_and_mended(world: World) -> None:
    """What is written past Nightsheet is not counted: an audit finds it, and `status` is right again."""
    night(world)
    spoil(world, "UPDATE job SET state = 'succeeded', finished_at = created_at WHERE key = 'c'")
    assert world.run("status", "--json").json["counts"]["succeeded"] == 1
    ran = world.run("audit")
    assert "kept counts did not agree with the jobs" in ran.out
    assert world.run("status", "--json").json["counts"]["succeeded"] == 2
    assert world.run("audit", "--json").json["recounted"] == 0
