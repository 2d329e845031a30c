"""`nightsheet cancel`, with and without a runner."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.errors import TokenProblem
from jobs.pauses import PauseReason
from jobs.store.store import Store
from runner.providers.base import (
    CallFailed,
    CancelTaken,
    CancelVerdict,
    NotCancellable,
    RemoteStatus,
    RemoteStatusReport,
    StatusVerdict,
    Stopped,
    UnknownId,
)
from runner.recovery.lock import Holder, try_holding
from tests.unit.runner.cli.world import CANCELLED, NOW, Ran, World, accepted, done, fetched, job


@pytest.fixture
def night(world: World) -> World:
    """Two queued, two at the API, one over."""
    world.load(*(job(position, key) for position, key in enumerate(["q1", "q2", "r1", "r2", "over"])))
    world.move("r1", accepted("id-1"))
    world.move("r2", accepted("id-2"))
    world.move("over", accepted("id-3"), done(), fetched())
    return world


def wanted(world: World) -> list[int]:
    """Jobs that are still to be cancelled at the API."""

    async def inside(store: Store) -> list[int]:
        return await store.jobs.cancel_wanted(1)

    return world.store(inside)


def test_a_whole_batch_is_asked_about_on_a_terminal(
    night: World, terminal: Callable[[str], list[str]]
) -> None:
    """By its name; a no changes nothing."""
    questions = terminal("n")
    before = night.states()
    ran = night.run("cancel")
    assert questions == ["Cancel all of batch night: 2 jobs not sent yet and 2 at the API?"]
    assert (ran.code, "Nothing was cancelled." in ran.err) == (2, True)
    assert (night.states(), night.api.asked) == (before, [])
    questions = terminal("y")
    night.run("cancel", "night")
    assert (len(questions), night.states()["q1"]) == (1, "cancelled")
    night.api.cancels |= {"id-1": CancelTaken(), "id-2": CancelTaken()}
    night.run("cancel")
    assert questions[1:] == ["Cancel all of batch night: 0 jobs not sent yet and 2 at the API?"]
    night.run("cancel")
    assert len(questions) == 2, "nothing is left to ask about"


@pytest.mark.parametrize("words", [("--yes",), ("--job", "q1")])
def test_what_was_said_is_not_asked(
    night: World, terminal: Callable[[str], list[str]], words: tuple[str, ...]
) -> None:
    """A job by its name, or a yes beforehand."""
    questions = terminal("n")
    night.api.cancels |= {"id-1": CancelTaken(), "id-2": CancelTaken()}
    assert night.run("cancel", *words).code == 0
    assert (questions, night.states()["q1"]) == ([], "cancelled")


@pytest.mark.parametrize("verb", ["cancel", "pause", "tune", "retry", "review"])
def test_a_batch_that_nobody_named_is_named(night: World, verb: str) -> None:
    """Before it is changed, and where it does not get into a pipe."""
    assert "Batch night, the one that ran last." in night.run(verb).err.splitlines()
    assert "the one that ran last" not in night.run(verb, "night").err
    assert "--yes" in night.run(verb, "--help").out


def test_without_a_runner_the_api_is_told(night: World) -> None:
    """What waits there is cancelled, what is worked on is paid for and runs on."""
    night.api.cancels |= {"id-1": CancelTaken(), "id-2": NotCancellable()}
    ran = night.run("cancel")
    assert ran.code == 0
    assert night.states() == {
        "q1": "cancelled",
        "q2": "cancelled",
        "r1": "cancelled",
        "r2": "running",
        "over": "succeeded",
    }
    assert "2 jobs cancelled before being sent: free." in ran.out
    assert "1 job cancelled at the API." in ran.out
    assert "Too late for 1 job: paid for" in ran.out
    assert "nightsheet resume night" in ran.out
    assert wanted(night) == []
    failure = night.jobs()["q1"].failure
    assert failure is not None
    assert failure.kind == "cancelled"


def test_the_json(night: World) -> None:
    """For scripts."""
    night.api.cancels |= {"id-1": CancelTaken(), "id-2": NotCancellable()}
    ran = night.run("cancel", "night", "--job", "q1", "--job", "r1", "--job", "r2", "--job", "over", "--json")
    assert ran.json == {
        "batch": "night",
        "cancelled_queued": 1,
        "cancelled_at_api": ["r1"],
        "lost": [],
        "asked_of_api": [],
        "not_cancellable": ["r2"],
        "waiting": [],
        "asked_of_runner": 0,
        "left": [{"key": "over", "reason": "it is succeeded"}],
    }
    assert night.states()["q2"] == "queued"


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        (CANCELLED, "cancelled"),
        (RemoteStatusReport(RemoteStatus.QUEUED, "in_queue"), "running"),
        (RemoteStatusReport(RemoteStatus.WORKING, "in_progress"), "running"),
        (RemoteStatusReport(RemoteStatus.DONE, "completed"), "running"),
        (UnknownId("never heard of it"), "failed"),  # given up by its name: `retry` asks for it again
        (CallFailed("nobody told"), "running"),
    ],
)
def test_a_cancel_that_was_taken_need_not_have_come_about(
    night: World, standing: StatusVerdict, state: str
) -> None:
    """Only the status is proof. What runs on at the API is paid for: the next run fetches it."""
    night.api.cancels |= {"id-1": CancelTaken()}
    night.api.statuses |= {"id-1": standing}
    ran = night.run("cancel", "--job", "r1")
    assert ran.code == 0
    assert night.states()["r1"] == state
    assert ("the API was asked, and has not cancelled yet" in ran.out) is (state == "running")
    assert wanted(night) == []


def test_an_odd_answer_about_one_job_holds_up_no_other(night: World) -> None:
    """It is asked again by the next run."""
    night.api.cancels |= {"id-1": CallFailed("HTTP 500", http_status=500), "id-2": CancelTaken()}
    ran = night.run("cancel")
    assert ran.code == 69
    assert (night.states()["r1"], night.states()["r2"]) == ("running", "cancelled")
    assert len(wanted(night)) == 1


def test_a_runner_does_it_itself(night: World) -> None:
    """The API is not asked twice."""
    with try_holding(night.database) as held:
        assert held
        ran = night.run("cancel")
    assert ran.code == 0
    assert "2 jobs at the API: the runner that holds this database cancels what it can." in ran.out
    assert night.api.asked == []
    assert len(wanted(night)) == 2


def cancel_beside(night: World, command: str, batch: str) -> Ran:
    """While somebody else holds the database."""
    holder = Holder(command=command, batch=batch, pid=1, host="here", since=NOW)
    with try_holding(night.database) as held:
        assert held
        Path(f"{night.database}.lock").write_text(f" {holder.model_dump_json()}\n")
        return night.run("cancel")


def test_another_command_that_hangs(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run does it: nobody is told that a runner is at it."""
    monkeypatch.setattr("runner.recovery.lock._PATIENCE_WITH_AN_END_SECONDS", 0.0)
    ran = cancel_beside(night, "cancel", "night")
    assert ran.code == 73
    assert "`nightsheet cancel` (process 1 on here" in ran.err
    assert "the next run cancels what waits at the API" in ran.err
    assert night.states()["q1"] == "cancelled"
    assert len(wanted(night)) == 2


def test_a_runner_of_another_batch_does_nothing_for_this_one(night: World) -> None:
    """The request is kept for the next run of it, and that is said."""
    ran = cancel_beside(night, "run", "other")
    assert ran.code == 0
    assert "2 jobs could not be cancelled now. The next run tries again" in ran.out
    assert len(wanted(night)) == 2


def test_only_queued_jobs_need_no_api(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token either."""
    monkeypatch.setattr("runner.providers.connect.open_api", None)
    assert night.run("cancel", "--job", "q1").code == 0
    assert night.states()["q1"] == "cancelled"


@pytest.mark.parametrize(
    ("verdict", "code", "said"),
    [
        (CallFailed("timeout"), 69, "timeout"),
        (Stopped(PauseReason.TOKEN, "bad token"), 77, "bad token"),
    ],
)
def test_trouble_keeps_the_request(night: World, verdict: CancelVerdict, code: int, said: str) -> None:
    """Told, asked no further; the next run passes it on."""
    night.api.cancels |= {"id-1": verdict, "id-2": CancelTaken()}
    ran = night.run("cancel")
    assert ran.code == code
    assert said in ran.err
    assert "2 jobs could not be cancelled now" in ran.out
    assert night.api.asked == [("cancel", "id-1")]
    assert len(wanted(night)) == 2
    assert night.states()["q1"] == "cancelled"


def test_without_a_token_the_request_is_kept(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs no API is done."""

    def no_token(*_: object) -> object:
        raise TokenProblem("There is no API token.", "Set one.")

    monkeypatch.setattr("runner.providers.connect.open_api", no_token)
    ran = night.run("cancel")
    assert ran.code == 77
    assert "There is no API token." in ran.err
    assert len(wanted(night)) == 2
    assert night.states()["q2"] == "cancelled"


def test_an_id_that_the_api_does_not_know(night: World) -> None:
    """Of a whole batch: it may know it again, so it is polled on."""
    night.api.cancels |= {"id-1": UnknownId("never heard of it."), "id-2": CancelTaken()}
    night.api.statuses |= {"id-1": UnknownId("never heard of it.")}
    ran = night.run("cancel")
    assert ran.code == 0
    assert "never heard of it): resume polls it on, cancel --job KEY gives it up" in ran.err
    assert (night.states()["r1"], night.states()["r2"]) == ("running", "cancelled")


def test_who_names_an_id_that_the_api_does_not_know_gives_it_up(night: World) -> None:
    """It ends as lost, with its request_id: `retry` asks for it again first, which is free."""
    night.api.cancels |= {"id-1": UnknownId("never heard of it.", "404001")}
    night.api.statuses |= {"id-1": UnknownId("never heard of it.", "404001")}
    ran = night.run("cancel", "--job", "r1")
    assert ran.code == 0
    assert "1 job given up as lost" in ran.out
    found = night.jobs()["r1"]
    assert (found.state, found.request_id) == ("failed", "id-1")
    assert found.failure is not None
    assert (found.failure.kind, found.failure.code) == ("lost", "404001")
    assert wanted(night) == []


@pytest.mark.parametrize(("named", "state"), [((), "running"), (("--job", "r1"), "failed")])
def test_a_cancel_that_was_taken_of_an_id_that_the_status_does_not_know(
    night: World, named: tuple[str, ...], state: str
) -> None:
    """A server that takes every cancel leads out of it too: whoever names the row gives it up."""
    night.api.cancels |= {"id-1": CancelTaken(), "id-2": CancelTaken()}
    night.api.statuses |= {"id-1": UnknownId("another user's", "403001")}
    assert night.run("cancel", *named).code == 0
    assert night.states()["r1"] == state


@pytest.mark.parametrize("status", [CallFailed("HTTP 502"), RemoteStatusReport(None, "dreaming")])
def test_an_id_that_only_the_cancel_does_not_know_is_kept(night: World, status: StatusVerdict) -> None:
    """Both have to say so."""
    night.api.cancels |= {"id-1": UnknownId("Not Found", "404")}
    night.api.statuses |= {"id-1": status}
    ran = night.run("cancel", "--job", "r1")
    assert ran.code == 1
    assert "the API does not know its request (Not Found): resume polls it on" in ran.err
    assert night.states()["r1"] == "running"


ALONE = CallFailed("HTTP 403, not in JSON", answered=True, alone=True, http_status=403)
BROKEN = CallFailed("HTTP 500", http_status=500)
GONE = UnknownId("never heard of it.")
RUNS = RemoteStatusReport(RemoteStatus.WORKING, "in_progress")


@pytest.mark.parametrize(
    ("cancel", "status"),
    [
        (ALONE, ALONE),
        (ALONE, GONE),
        (GONE, ALONE),
        (CancelTaken(), ALONE),
        (NotCancellable(), GONE),
        (NotCancellable(), ALONE),
        (BROKEN, GONE),
    ],
)
def test_who_names_a_row_whose_id_alone_is_answered_oddly_gives_it_up(
    night: World, cancel: CancelVerdict, status: StatusVerdict
) -> None:
    """It would be polled for ever: it ends as lost, with its request_id, and `retry` asks for it first."""
    night.api.cancels |= {"id-1": cancel, "id-2": cancel}
    night.api.statuses |= {"id-1": status, "id-2": status}
    ran = night.run("cancel", "--job", "r1", "--json")
    assert ran.code == 0
    assert (ran.json["lost"], ran.json["not_cancellable"], ran.json["waiting"]) == (["r1"], [], [])
    found = night.jobs()["r1"]
    assert (found.state, found.request_id) == ("failed", "id-1")
    assert found.failure is not None
    assert found.failure.kind == "lost"
    assert night.states()["r2"] == "running"
    assert wanted(night) == []
    night.run("cancel")
    assert night.states()["r2"] == "running"  # nobody named it


@pytest.mark.parametrize("others", [GONE, RUNS])
def test_an_id_that_alone_is_broken_for_good_is_given_up(
    night: World, monkeypatch: pytest.MonkeyPatch, others: StatusVerdict
) -> None:
    """A 5xx for this id, while the API answers the same question about another one."""
    night.api.cancels |= {"id-1": BROKEN}
    night.api.statuses |= {"id-1": BROKEN}
    monkeypatch.setattr("runner.deciding.cancel.uuid4", lambda: "nobodys")
    night.api.statuses |= {"nobodys": others}
    ran = night.run("cancel", "--job", "r1")
    assert ran.code == 0
    assert "1 job given up as lost" in ran.out
    failure = night.jobs()["r1"].failure
    assert failure is not None
    assert "HTTP 500" in failure.message


@pytest.mark.parametrize(
    ("cancel", "status", "code"),
    [
        (BROKEN, BROKEN, 69),  # perhaps for everybody: nobody's id is answered no better
        (BROKEN, CallFailed("silence"), 69),
        (ALONE, RUNS, 69),
        (BROKEN, RUNS, 69),
        (NotCancellable(), RUNS, 1),
        (NotCancellable(), CallFailed("silence"), 1),
        (CallFailed("silence"), GONE, 69),
        (Stopped(PauseReason.TOKEN, "bad token"), GONE, 77),
        (ALONE, Stopped(PauseReason.TOKEN, "bad token"), 69),
    ],
)
def test_an_id_that_may_be_known_is_not_given_up(
    night: World, cancel: CancelVerdict, status: StatusVerdict, code: int
) -> None:
    """It is paid for, and runs on at the API, or nobody can tell."""
    night.api.cancels |= {"id-1": cancel}
    night.api.statuses |= {"id-1": status}
    ran = night.run("cancel", "--job", "r1")
    assert ran.code == code
    assert night.states()["r1"] == "running"
    assert "given up" not in ran.out
    assert len(wanted(night)) == (not isinstance(cancel, NotCancellable))


def test_of_a_whole_batch_nobody_gives_up_what_is_answered_oddly(night: World) -> None:
    """What leads out of it is said."""
    night.api.cancels |= {"id-1": ALONE, "id-2": CancelTaken()}
    ran = night.run("cancel")
    assert ran.code == 69
    assert "HTTP 403, not in JSON: cancel --job r1 gives it up" in ran.err
    assert (night.states()["r1"], night.states()["r2"]) == ("running", "cancelled")


@pytest.mark.parametrize("verdict", [ALONE, NotCancellable(), BROKEN])
def test_a_new_id_that_is_answered_oddly_is_not_given_up(night: World, verdict: CancelVerdict) -> None:
    """Its first minute says nothing."""
    sent_at = datetime.now(UTC)
    night.move("q1", accepted("id-9", sent_at), at=sent_at)
    night.api.cancels |= {"id-9": verdict}
    night.api.statuses |= {"id-9": GONE}
    night.run("cancel", "--job", "q1")
    assert night.states()["q1"] == "running"


@pytest.mark.parametrize(
    ("age", "state"),
    [(timedelta(0), "running"), (timedelta(minutes=2), "failed"), (timedelta(days=-900), "failed")],
)
def test_a_new_id_is_given_a_minute_to_be_known(night: World, age: timedelta, state: str) -> None:
    """Until then nobody gives it up; where the clock was set back, nobody waits for years."""
    sent_at = datetime.now(UTC) - age
    night.move("q1", accepted("id-9", sent_at), at=sent_at)
    night.api.cancels |= {"id-9": UnknownId("never heard of it.")}
    night.api.statuses |= {"id-9": UnknownId("never heard of it.")}
    assert night.run("cancel", "--job", "q1").code == (state == "running")
    assert night.states()["q1"] == state


@pytest.mark.parametrize(
    ("keys", "code"),
    [(("over",), 1), (("r2",), 1), (("over", "r2"), 1), (("over", "q1"), 0), (("over", "r1"), 0)],
)
def test_nothing_that_was_named_could_be_cancelled(night: World, keys: tuple[str, ...], code: int) -> None:
    """Exit 1: whoever names jobs wants to know. Of a whole batch, nothing to cancel is no error."""
    night.api.cancels |= {"id-1": CancelTaken(), "id-2": NotCancellable()}
    ran = night.run("cancel", *(word for key in keys for word in ("--job", key)))
    assert ran.code == code
    assert ("Not cancelled: over: it is succeeded" in ran.err) is ("over" in keys)
    assert night.run("cancel").code == 0


def test_an_unknown_key_changes_nothing(night: World) -> None:
    """Exit 2, with the key that was meant."""
    ran = night.run("cancel", "--job", "q1", "--job", "over1")
    assert ran.code == 2
    assert "Did you mean over?" in ran.err
    assert night.states()["q1"] == "queued"


def test_another_origin_is_refused(night: World) -> None:
    """Its ids mean nothing there."""
    ran = night.run("cancel", "--emulator", "--db", "nightsheet.db")
    assert ran.code == 2
    assert night.states()["q1"] == "queued"


def test_the_lock_is_let_go(night: World) -> None:
    """A run can begin at once."""
    night.api.cancels |= {"id-1": CancelTaken(), "id-2": CancelTaken()}
    night.run("cancel")
    with try_holding(night.database) as held:
        assert held
