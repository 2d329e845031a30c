"""The claim: the intent is on disk before a submit leaves, and every claim was agreed to."""

import pytest
from sqlalchemy import Connection, update

from jobs.attempts import Intent
from jobs.outcomes import NotAccepted
from jobs.states import JobState, Move
from jobs.store.schema import JOB
from tests.support.tables import NIGHT, Table, claimed, rows, select


async def agreed(table: Table, key: str) -> int:
    """A queued job that a person agreed to pay for; returns its id."""
    await table.store.batches.agree(table.batch.id)
    return (await table.job(key)).id


async def test_a_claim_commits_the_intent(table: Table) -> None:
    """What is sent, when, and what it may cost at most, before it is sent."""
    job_id = await agreed(table, "a")
    at = table.clock.advance(5)
    intent = claimed(job_id, at)
    assert await table.store.jobs.claim(intent) == Intent(unproven=0)
    row = table.row(job_id)
    assert (row["state"], row["attempts"], row["submitted_at"]) == (
        "submitting",
        1,
        at.isoformat(timespec="microseconds"),
    )
    assert table.attempts(job_id) == [
        {
            "id": 1,
            "uid": intent.uid,
            "job_id": job_id,
            "number": 1,
            "payload_sha256": "5" * 64,
            "started_at": at.isoformat(timespec="microseconds"),
            "answered_at": None,
            "outcome": "intent",
            "request_id": None,
            "named_id": None,
            "answer": None,
            "automatic": 0,
            "runner_id": None,
            "urls": None,
            "cost_usd": None,
            "estimate_usd": 120_000,
            "ended": None,
            "ended_at": None,
            "detail": None,
        }
    ]


async def test_a_job_that_nobody_agreed_to_is_not_claimed(table: Table) -> None:
    """Nothing is paid for behind a person's back."""
    job_id = (await table.job("a")).id
    before = table.everything()
    assert await table.store.jobs.claim(claimed(job_id)) is None
    assert table.everything() == before


async def test_agreeing_pays_for_one_submit(table: Table) -> None:
    """The claim consumes it: a second submit of that job needs another agreement."""
    job_id = await agreed(table, "a")
    assert table.row(job_id)["agreed"] == 1
    await table.store.jobs.claim(claimed(job_id))
    assert table.row(job_id)["agreed"] == 0


async def test_a_job_is_claimed_once(table: Table) -> None:
    """Whoever comes second is told, and adds no attempt."""
    job_id = await agreed(table, "a")
    assert await table.store.jobs.claim(claimed(job_id)) is not None
    before = table.everything()
    assert await table.store.jobs.claim(claimed(job_id)) is None
    assert table.everything() == before


@pytest.mark.parametrize("state", sorted(set(JobState) - {JobState.QUEUED}))
async def test_only_a_queued_job_is_claimed(table: Table, state: JobState) -> None:
    """Even one that was agreed to, as a job that a submit was not accepted of is."""
    job_id = await table.bring("a", state)
    await set_flag(table, job_id, "agreed", True)
    before = table.everything()
    assert await table.store.jobs.claim(claimed(job_id)) is None
    assert table.everything() == before


async def test_a_job_whose_row_is_gone_is_not_claimed(table: Table) -> None:
    """Nobody pays for a row that is not in the sheet."""
    job_id = await agreed(table, "a")
    await set_flag(table, job_id, "current", False)
    assert await table.store.jobs.claim(claimed(job_id)) is None
    assert table.attempts(job_id) == []


async def test_a_job_that_is_to_be_cancelled_is_not_claimed(table: Table) -> None:
    """A person's word comes first."""
    job_id = await agreed(table, "a")
    await set_flag(table, job_id, "cancel_requested", True)
    assert await table.store.jobs.claim(claimed(job_id)) is None
    assert table.attempts(job_id) == []


async def test_a_second_submit_is_a_second_attempt(table: Table) -> None:
    """The first one stays in the ledger as it was."""
    job_id = await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED, Move.REQUEUE, Move.CLAIM)
    first, second = table.attempts(job_id)
    assert (first["number"], first["outcome"], first["request_id"]) == (1, "accepted", "req-a")
    assert (second["number"], second["outcome"], second["request_id"]) == (2, "intent", None)


async def test_what_was_surely_not_accepted_was_no_attempt(table: Table) -> None:
    """The intent is taken back, and what the person agreed to is given back."""
    job_id = await agreed(table, "a")
    before = table.row(job_id)
    await table.store.jobs.claim(claimed(job_id))
    later = table.clock.advance(30)
    assert await table.store.jobs.apply(NotAccepted(job_id, later, later))
    assert table.attempts(job_id) == []
    assert table.row(job_id) == before | {"available_at": later.isoformat(timespec="microseconds")}


async def test_a_submit_that_was_not_accepted_leaves_the_earlier_ones_alone(table: Table) -> None:
    """The time of the last real submit stands again; the ledger has it beside them, without a number."""
    job_id = await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED, Move.REQUEUE)
    ledger, submitted_at = table.attempts(job_id), table.row(job_id)["submitted_at"]
    assert submitted_at == NIGHT.isoformat(timespec="microseconds")
    table.clock.advance(60)
    await table.move("a", Move.CLAIM)
    assert table.row(job_id)["submitted_at"] != submitted_at
    await table.move("a", Move.NOT_ACCEPTED)
    (turned_away,) = [one for one in table.attempts(job_id) if one["number"] is None]
    earlier = [one for one in table.attempts(job_id) if one["number"] is not None]
    assert turned_away["outcome"] == "turned_away"
    assert earlier == ledger
    row = table.row(job_id)
    assert (row["submitted_at"], row["attempts"], row["agreed"]) == (submitted_at, 1, 1)


async def test_a_claim_of_no_job_is_refused(table: Table) -> None:
    """An id from another database, for one."""
    assert await table.store.jobs.claim(claimed(4711)) is None
    assert select(table.path, "SELECT * FROM attempt") == []


async def test_a_claim_touches_one_job(table: Table) -> None:
    """Its neighbours stay queued."""
    await table.load(rows("a", "b", "c"))
    await table.move("b", Move.CLAIM)
    assert [(await table.job(key)).state for key in "abc"] == ["queued", "submitting", "queued"]


async def set_flag(table: Table, job_id: int, name: str, value: bool) -> None:
    """Set what another process may have set in the meantime."""

    def run(connection: Connection) -> None:
        connection.execute(update(JOB).where(JOB.c.id == job_id).values({name: value}))

    await table.store.database.write(run)
