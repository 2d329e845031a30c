"""The submit edge: what each verdict comes to, in the table, in the ledger and in the budget."""

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.failures import Failure, FailureKind
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.providers.base import Denied, Stopped, SubmitVerdict, Taken, TurnedAway, Unconfirmed
from runner.workers.edge.submit import submit
from tests.support.journals import journals, told
from tests.support.scripted import Call
from tests.support.tables import select
from tests.support.virtual_time import virtual
from tests.support.world import world

UNSENT = TurnedAway("no connection")


@virtual
async def test_the_intent_is_committed_before_the_submit_leaves(tmp_path: Path) -> None:
    """With the hash of the very bytes that are sent; another process sees it while the call is under way."""
    seen: list[dict[str, object]] = []

    async with world(tmp_path, "a") as w:

        def look(call: Call) -> Taken:
            (job,) = select(w.path, "SELECT state, attempts FROM job")
            (attempt,) = select(w.path, "SELECT * FROM attempt")
            seen.append(job | attempt)
            assert attempt["payload_sha256"] == hashlib.sha256(call.payload).hexdigest()
            return Taken("req-1")

        w.provider.says("submit", look)
        taken = await submit(w.run, await w.queued())
        (call,) = w.provider.asked("submit")
        assert json.loads(call.payload) == {"prompt": "a fox", "size": "2048x2048"}
    assert [(row["state"], row["attempts"], row["outcome"]) for row in seen] == [("submitting", 1, "intent")]
    assert seen[0]["request_id"] is None
    assert seen[0]["estimate_usd"] == 40_000
    assert taken is not None
    assert (taken.request_id, taken.state) == ("req-1", JobState.RUNNING)


@virtual
async def test_the_journal_has_a_submit_before_it_leaves(tmp_path: Path) -> None:
    """Here and in the state folder, and the end before the table has it."""
    seen: list[list[dict[str, Any]]] = []

    def look(place: str) -> None:
        if place == "after end":
            seen.append([told(path)[0] for path in journals(tmp_path)])
            assert select(w.path, "SELECT outcome FROM attempt") == [{"outcome": "intent"}]

    async with world(tmp_path, "a", probe=look) as w:

        def taken(_call: Call) -> Taken:
            seen.append([told(path)[0] for path in journals(tmp_path)])
            return Taken("req-1")

        w.provider.says("submit", taken)
        await submit(w.run, await w.queued())
        (attempt,) = w.attempts()
    before, after = seen
    assert len(before) == len(after) == 2
    for submitted, ended in zip(before, after, strict=True):
        assert "answered" not in submitted
        assert {name: submitted[name] for name in ("uid", "payload_sha256")} == {
            name: attempt[name] for name in ("uid", "payload_sha256")
        }
        assert (submitted["batch"], submitted["key"]) == ("night", "a")
        assert submitted["estimate_usd"] == "0.04"
        assert (ended["answered"], ended["request_id"]) == ("accepted", "req-1")


@virtual
async def test_the_receipt_is_written_before_anything_else_is_done(tmp_path: Path) -> None:
    """Between the answer and its commit nothing is asked and nothing is waited for: a crash there is paid."""
    seen: dict[str, tuple[float, int]] = {}

    def look(place: str) -> None:
        seen[place] = (w.clock.monotonic(), len(w.provider.calls))

    async with world(tmp_path, "a", probe=look) as w:
        assert await submit(w.run, await w.queued()) is not None
    assert seen["after submit"] == seen["after commit"]


@pytest.mark.parametrize(
    ("verdict", "state", "outcome", "committed", "kind"),
    [
        (Taken("r-9"), "running", "accepted", "0.04", None),
        (Denied(Failure(FailureKind.REFUSED, "why", "422001")), "failed", "refused", "0", "refused"),
        (Denied(Failure(FailureKind.MODERATED, "why", "400003")), "failed", "refused", "0", "moderated"),
        (Stopped(PauseReason.TOKEN, "expired"), "queued", "turned_away", "0", None),
        (Stopped(PauseReason.BALANCE, "empty"), "queued", "turned_away", "0", None),
        (Unconfirmed("HTTP 502", "502"), "unconfirmed", "unanswered", "0.04", "unconfirmed"),
    ],
)
def test_what_each_verdict_comes_to(
    tmp_path: Path, verdict: SubmitVerdict, state: str, outcome: str, committed: str, kind: str | None
) -> None:
    """State, attempt, money and reason, as they are on disk."""

    @virtual
    async def test() -> None:
        async with world(tmp_path, "a") as w:
            w.provider.says("submit", verdict)
            taken = await submit(w.run, await w.queued())
            job, attempts = w.on_disk(), w.attempts()
            assert (job["state"], job["error_kind"]) == (state, kind)
            assert [attempt["outcome"] for attempt in attempts] == [outcome]
            assert job["attempts"] == (attempts[0]["number"] or 0)
            assert w.run.limits.budget.committed == Decimal(committed)
            assert (taken is None) is (state != "running")
            assert len(w.provider.asked("submit")) == 1
            if isinstance(verdict, Stopped):
                assert [stop.reason for stop in w.stops] == [verdict.reason]
                assert (job["agreed"], job["submitted_at"]) == (1, None)
            else:
                assert w.stops == []

    test()


@virtual
async def test_a_refusal_is_kept_word_for_word(tmp_path: Path) -> None:
    """With the API's code, for the manifest."""
    async with world(tmp_path, "a") as w:
        w.provider.says("submit", Denied(Failure(FailureKind.REFUSED, "size: must be one of ...", "422001")))
        await submit(w.run, await w.queued())
        job = await w.job()
        assert job.failure == Failure(FailureKind.REFUSED, "size: must be one of ...", "422001")
        assert job.finished_at == w.clock.now()
        assert w.run.tally.ended == 1


@virtual
async def test_a_doubt_says_what_came_instead_of_an_answer(tmp_path: Path) -> None:
    """For the person who has to decide."""
    async with world(tmp_path, "a") as w:
        w.provider.says("submit", Unconfirmed("HTTP 502 with an HTML page.", "502"))
        await submit(w.run, await w.queued())
        failure = (await w.job()).failure
        assert failure is not None
        assert failure.message == (
            "It was sent, and no usable answer came: HTTP 502 with an HTML page. "
            "It may have been accepted and paid for."
        )
        assert (failure.code, w.run.limits.health.suspect) == ("502", True)


@virtual
async def test_what_was_surely_not_accepted_is_sent_again(tmp_path: Path) -> None:
    """And not paid. What was turned away stays in the ledger, what did not leave does not."""
    async with world(tmp_path, "a") as w:
        busy = TurnedAway("429", retry_after_seconds=30, busy=True)
        w.provider.says("submit", UNSENT, busy, UNSENT, Taken("req-1"))
        taken = await submit(w.run, await w.queued())
        calls = [call.at for call in w.provider.asked("submit")]
        assert taken is not None
        assert [(line["number"], line["outcome"]) for line in w.attempts()] == [
            (None, "turned_away"),
            (1, "accepted"),
        ]
        assert w.run.limits.budget.committed == Decimal("0.04")
        assert calls[2] - calls[1] >= 30
        assert len(w.provider.asked("price")) == 2  # one after each submit that did not leave


@virtual
async def test_while_it_waits_it_is_queued(tmp_path: Path) -> None:
    """A crash then costs nothing, and the next run knows from when on it may go."""
    async with world(tmp_path, "a") as w:
        w.provider.says("submit", TurnedAway("429", retry_after_seconds=60, busy=True), Taken("req-1"))
        seen: list[dict[str, object]] = []

        def look(_call: Call) -> Taken:
            return Taken("req-1")

        def before(name: str) -> None:
            if name == "before intent":
                seen.append(w.on_disk())

        object.__setattr__(w.run, "probe", before)
        w.provider.says("submit", TurnedAway("429", retry_after_seconds=60, busy=True), look)
        await submit(w.run, await w.queued())
        assert [(row["state"], row["attempts"], row["agreed"]) for row in seen] == [("queued", 0, 1)] * 2
        assert str(seen[1]["available_at"]) > str(seen[0]["available_at"])


@virtual
async def test_a_job_that_is_not_to_be_sent_any_more_is_not_sent(tmp_path: Path) -> None:
    """Cancelled by another process since it was read."""
    async with world(tmp_path, "a") as w:
        job = await w.queued()
        await w.store.jobs.cancel(w.run.batch.id)
        assert await submit(w.run, job) is None
        assert w.provider.calls == []
        assert w.run.limits.budget.committed == 0


@virtual
async def test_a_model_that_nobody_knows_goes_into_no_url(tmp_path: Path) -> None:
    """From an older or an odd database: the job fails, and nothing is sent."""
    async with world(tmp_path, "a") as w:
        job = await w.queued()
        odd = type(job)(job.id, job.key, job.row, "../../admin", job.inputs, job.pictures)
        assert await submit(w.run, odd) is None
        assert w.provider.calls == []
        assert (await w.job()).state is JobState.FAILED


@virtual
async def test_a_model_that_nobody_knows_may_have_been_cancelled_meanwhile(tmp_path: Path) -> None:
    """Which is no defect."""
    async with world(tmp_path, "a") as w:
        job = await w.queued()
        odd = type(job)(job.id, job.key, job.row, "gone/model", job.inputs, job.pictures)
        await w.store.jobs.cancel(w.run.batch.id)
        assert await submit(w.run, odd) is None
        assert (await w.job()).state is JobState.CANCELLED


@virtual
async def test_a_budget_that_has_no_room_pauses(tmp_path: Path) -> None:
    """Before anything is written or sent."""
    async with world(tmp_path, "a", "b", budget=Decimal("0.05")) as w:
        assert await submit(w.run, await w.queued("a")) is not None
        assert await submit(w.run, await w.queued("b")) is None
        assert [stop.reason for stop in w.stops] == [PauseReason.BUDGET]
        assert "0.05 USD has no room for job 'b', which may cost 0.04 USD: 0.04" in w.stops[0].detail
        assert w.attempts("b") == []
        assert len(w.provider.asked("submit")) == 1


@virtual
async def test_an_id_that_another_job_has_is_a_doubt(tmp_path: Path) -> None:
    """Two jobs must never wait for the same pictures; which of them was paid for, nobody knows."""
    async with world(tmp_path, "a", "b") as w:
        w.provider.says("submit", Taken("same"))
        assert await submit(w.run, await w.queued("a")) is not None
        assert await submit(w.run, await w.queued("b")) is None
        assert await w.states() == {"a": JobState.RUNNING, "b": JobState.UNCONFIRMED}
        failure = (await w.job("b")).failure
        assert failure is not None
        assert "'same', which job 'a' has" in failure.message
        assert [attempt["request_id"] for attempt in w.attempts("b")] == [None]
        assert w.run.limits.budget.committed == Decimal("0.08")
