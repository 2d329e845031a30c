"""What the page shows beside the grid: doubts, failures by kind, money; each with the line to type."""

from decimal import Decimal

from jobs.attempts import RawAnswer
from jobs.failures import FailureKind
from jobs.outcomes import LeftUnconfirmed, RemoteFailed
from jobs.states import JobState, Move
from tests.support.served_page import Served
from tests.support.tables import MODEL, failure, planned


async def test_a_doubt_has_all_that_decides_about_it(served: Served) -> None:
    """When, what, how much is at risk, and a line for each way out. What pays is nothing but a line."""
    await served.table.bring("b", JobState.UNCONFIRMED)
    (doubt,) = await served.json("/api/night/doubts")
    assert (doubt["key"], doubt["in_sheet"], doubt["at_risk_usd"]) == ("b", True, 0.12)
    assert doubt["message"]
    assert doubt["sent_at"].endswith("Z")
    assert doubt["attach"] == "nightsheet review night --attach b=REQUEST_ID"
    assert doubt["resubmit"] == "nightsheet review night --resubmit b"
    assert doubt["discard"] == "nightsheet review night --discard b"
    assert (doubt["ended"], doubt["candidates"], doubt["answer"]) == (False, [], None)


async def test_each_id_that_it_may_have_is_a_line_to_type(served: Served) -> None:
    """The page has no token and asks nobody: whether the API knows an id the command finds out."""
    store, at = served.table.store, served.table.clock.now()
    job_id = await served.table.move("b", Move.CLAIM)
    why, answer = failure(FailureKind.UNCONFIRMED), RawAnswer(502, {}, '{"request_id": "req-x"}')
    assert await store.jobs.apply(LeftUnconfirmed(job_id, why, at, "req-x", answer))
    (doubt,) = await served.json("/api/night/doubts")
    assert [(one["id"], one["command"]) for one in doubt["candidates"]] == [
        ("req-x", "nightsheet review night --attach b=req-x")
    ]
    assert doubt["answer"] == {"status": 502, "body": '{"request_id": "req-x"}'}
    await served.act("discard", {"keys": ["b"]})
    lost = await served.table.bring("a", JobState.RUNNING)
    assert await store.jobs.apply(RemoteFailed(lost, failure(FailureKind.LOST), None, at))
    failed = await served.table.bring("c", JobState.RUNNING)
    assert await store.jobs.apply(RemoteFailed(failed, failure(), None, at))
    told = {one["key"]: one for one in await served.json("/api/night/doubts")}
    assert all(one["ended"] for one in told.values())
    assert {key: [found["id"] for found in one["candidates"]] for key, one in told.items()} == {
        "a": ["req-a"],
        "b": ["req-x"],
    }  # what failed at the API, and has no other submit, has nothing to attach


async def test_without_a_doubt_there_is_none(served: Served) -> None:
    """And no failure."""
    assert await served.json("/api/night/doubts") == []
    assert await served.json("/api/night/failures") == []


async def test_failures_are_told_by_kind_with_what_another_try_costs(served: Served) -> None:
    """Free where the API holds it, else a price; about a lost one the page cannot ask."""
    await served.table.store.batches.note_prices(served.table.batch.id, {MODEL: Decimal("0.04")})
    await served.table.bring("a", JobState.FETCHING)
    await served.table.move("a", Move.FETCH_FAILED)
    for key, kind in (("b", FailureKind.REMOTE_FAILED), ("c", FailureKind.LOST)):
        job_id = await served.table.bring(key, JobState.RUNNING)
        ended = RemoteFailed(job_id, failure(kind), None, served.table.clock.now())
        assert await served.table.store.jobs.apply(ended)
    told = {one["kind"]: one for one in await served.json("/api/night/failures")}
    free = next(one for one in told.values() if one["free"])
    assert (free["jobs"], free["paid"], free["unknown"], free["low_usd"]) == (1, 0, 0, 0.0)
    paid = told["remote_failed"]
    assert (paid["free"], paid["paid"], paid["named_only"]) == (0, 1, False)
    assert paid["low_usd"] == paid["high_usd"] == 0.04
    assert paid["command"] == "nightsheet retry night --kind remote_failed"
    assert paid["messages"] == [
        {"message": failure(FailureKind.REMOTE_FAILED).message, "jobs": 1, "first": "b"}
    ]
    assert (told["lost"]["unknown"], told["lost"]["paid"]) == (1, 0)


async def test_the_account_is_that_of_audit(served: Served) -> None:
    """What is told, estimated, in doubt, and what was paid without a picture here."""
    await served.shoot("a")
    await served.table.bring("b", JobState.UNCONFIRMED)
    told = await served.json("/api/night/account")
    assert (told["submits"], told["balanced"], told["budget_usd"]) == (2, True, None)
    assert told["in_doubt_usd"] == 0.12
    assert told["not_in_hand_usd"] == 0.12
    assert [(one["key"], one["why"]) for one in told["not_in_hand"]] == [
        ("b", "unconfirmed: no readable answer")
    ]
    assert told["told_usd"] + told["estimated_usd"] > 0
    assert told["command"] == "nightsheet audit night"
    (model,) = told["models"]
    assert (model["model"], model["submits"], model["images"]) == (MODEL, 2, 1)
    assert (model["told_usd"], model["in_doubt_usd"]) == (told["told_usd"], 0.12)
    assert model["price_usd"] is None


async def test_re_rolls_have_their_price_before_they_are_written(served: Served) -> None:
    """A job each, what is left out with its reason, and the line that does the same."""
    await served.table.store.batches.note_prices(served.table.batch.id, {MODEL: Decimal("0.04")})
    assert (await served.json("/api/night/rerolls"))["jobs"] == 0
    await served.table.load(
        [planned(key, n, prompt="a hen", inputs={"prompt": "a hen"}) for n, key in enumerate("ab")]
    )
    await served.shoot("a")
    for key in ("a", "b"):  # b is queued: it comes by itself
        marked = {"decisions": [{"key": key, "verdict": "reroll"}]}
        assert (await served.act("decisions", marked)).status_code == 200
    told = await served.json("/api/night/rerolls")
    assert (told["pictures"], told["jobs"], told["images"]) == (1, 1, 1)
    assert told["low_usd"] == told["high_usd"] == 0.04
    assert [one["key"] for one in told["left_out"]] == ["b"]
    assert told["command"] == "nightsheet reroll night"
    assert told["not_said_count"] == 0
    assert not list(served.root.parent.glob("*.csv"))


async def test_a_re_roll_that_no_sheet_can_say_is_named(served: Served) -> None:
    """With why, and the line that takes its mark away; the others are priced and written without it."""
    own = {"product": "fox"}
    jobs = [
        planned("said", 0, inputs={"prompt": "a fox"}, columns=own),
        planned("not", 1, inputs={"prompt": "a {product}"}, columns=own),
    ]
    await served.table.load(jobs)
    for key in ("said", "not"):
        await served.shoot(key)
    marks = {"decisions": [{"key": key, "verdict": "reroll"} for key in ("said", "not")]}
    assert (await served.act("decisions", marks)).status_code == 200
    told = await served.json("/api/night/rerolls")
    assert (told["pictures"], told["jobs"], told["not_said_count"]) == (1, 1, 1)
    (one,) = told["not_said"]
    assert (one["key"], one["command"]) == ("not", "nightsheet decide night --clear not")
    assert one["why"].startswith("a sheet cannot say it: not-r1, prompt")
    done = (await served.act("reroll", {})).json()
    assert (done["jobs"], done["not_said_count"]) == (1, 1)
    again = (await served.act("reroll", {})).json()
    assert again == {"sheet": None, "jobs": 0, "not_said_count": 1}
    assert len(list(served.root.parent.glob("*.csv"))) == 1
