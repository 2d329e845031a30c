"""What must be true of every night, whatever went wrong in it. The emulator's ledger is the oracle."""

import json

from jobs.states import AT_THE_API, ENDED, JobState
from tests.support.night import Night
from tests.support.tables import select

SETTLED = ENDED | {JobState.UNCONFIRMED}


def check(w: Night, rows: int, *, gate: int) -> None:
    """Asserts the invariants, between two runs."""
    jobs = {json.loads(job["inputs"])["prompt"]: job for job in w.jobs()}
    assert len(jobs) == rows
    attempts = select(w.database, "SELECT * FROM attempt")
    held = {attempt["request_id"]: attempt["job_id"] for attempt in attempts if attempt["request_id"]}

    # Never pay twice, and never lose what was paid for.
    assert max(w.submits().values(), default=0) <= 1
    for submit in w.service.ledger:
        job = jobs[str(submit.body["prompt"])]
        known = held.get(submit.request_id) == job["id"]
        assert known or job["state"] == JobState.UNCONFIRMED, f"{submit.request_id} is lost: {job}"
    assert set(held) <= {submit.request_id for submit in w.service.ledger}
    assert len(attempts) == sum(job["attempts"] for job in jobs.values())

    # Every state says what it has to say.
    for job in jobs.values():
        state = JobState(job["state"])
        assert state is not JobState.SUBMITTING
        assert (job["finished_at"] is not None) is (state in ENDED)
        assert (job["error_kind"] is not None) is (state in SETTLED - {JobState.SUCCEEDED})
        if state in AT_THE_API | {JobState.SUCCEEDED}:
            assert job["id"] in held.values()

    # The manifest has every row once, in the order of the sheet, and its pictures are whole.
    records = w.manifest()
    assert [record["key"] for record in records] == [f"row-{row}" for row in range(rows)]
    states = {job["key"]: job["state"] for job in jobs.values()}
    assert {record["key"]: record["state"] for record in records} == states
    w.pictures_whole()
    for record in records:
        assert (record["state"] != "succeeded") or record["images"]
        assert (record["error"] is None) is (record["state"] not in ("failed", "cancelled", "unconfirmed"))

    # Nobody was asked too much, and nobody was told the token who had no business with it.
    assert w.service.media_with_token == 0
    for progress in w.watching.progresses:
        assert progress.total == rows
        assert progress.counts[JobState.SUBMITTING] <= gate
