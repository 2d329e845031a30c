"""`nightsheet review`: the doubtful submits, and a person's decisions."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from jobs.attempts import RawAnswer
from jobs.errors import TokenProblem
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Discarded, LeftUnconfirmed, Outcome, Requeued
from jobs.pauses import PauseReason
from jobs.store.store import Store
from runner.providers.base import (
    CallFailed,
    RemoteStatus,
    RemoteStatusReport,
    StatusVerdict,
    Stopped,
    UnknownId,
)
from runner.recovery.lock import try_holding
from tests.unit.runner.cli.world import (
    NOW,
    SERIES,
    World,
    accepted,
    ansi,
    done,
    fetch_failed,
    job,
    refused,
    remote_failed,
    unanswered,
)

Terminal = Callable[[str], list[str]]
KNOWN = RemoteStatusReport(RemoteStatus.WORKING, "in_progress")


@pytest.fixture
def night(world: World) -> World:
    """Three doubtful submits, and one that is not."""
    world.load(*(job(position, key) for position, key in enumerate(["a", "b", "c", "d"])))
    world.price()
    for key in ("a", "b", "c"):
        world.move(key, unanswered("No answer\x1b."), estimate="0.08")
    world.move("d", accepted("r-d"), estimate="0.08")
    return world


def test_the_list_as_json(night: World) -> None:
    """What tells a request from the others at the API."""
    listed = night.run("review", "--json").json
    assert [one["key"] for one in listed] == ["a", "b", "c"]
    assert listed[0] == {
        "batch": "night",
        "key": "a",
        "revision": 1,
        "current": True,
        "row": 2,
        "model": SERIES,
        "submitted_at": "2026-03-04T01:02:03Z",
        "prompt": "Generate images of a",
        "seed": 7,
        "at_risk_usd": 0.08,
        "message": "No answer\x1b.",
        "named_id": None,
        "answer": None,
    }


def test_the_list_for_a_person(night: World) -> None:
    """With what each decision costs, and commands to copy."""
    ran = night.run("review", "night", "--db", "nightsheet.db")
    assert ran.code == 0
    assert "Generate images of b" in ran.out
    assert "$0.08" in ran.out
    for option in ("--attach KEY=REQUEST_ID", "--resubmit KEY", "--discard KEY"):
        assert f"nightsheet review night {option} --db nightsheet.db" in ran.out
    assert "twice" in ran.out
    assert ansi(ran.out) == []


def test_nothing_to_review(world: World) -> None:
    """Said."""
    world.load(job(0, "a"))
    assert world.run("review").out == "Batch night: nothing is unconfirmed.\n"
    assert world.run("review", "--json").json == []


def test_attach(night: World) -> None:
    """The API knows the id: it is polled and fetched, free."""
    night.api.statuses["r-new"] = KNOWN
    ran = night.run("review", "--attach", "a=r-new")
    assert ran.code == 0
    assert "1 job attached: will be fetched, free." in ran.out
    view = night.jobs()["a"]
    assert (view.state.value, view.request_id, view.failure) == ("running", "r-new", None)


def lost(request_id: str) -> tuple[Callable[[int], Outcome], ...]:
    return accepted(request_id), remote_failed(FailureKind.LOST)


def discarded(job_id: int) -> Outcome:
    return Discarded(job_id, Failure(FailureKind.DISCARDED, "let go"), NOW)


@pytest.mark.parametrize("request_id", ["r-1", "r-other"])
def test_what_was_lost_is_attached(world: World, request_id: str) -> None:
    """Its own id that the API knows again, or another one: what is paid for is fetched, free."""
    world.load(job(0, "a"))
    world.move("a", *lost("r-1"))
    world.api.statuses[request_id] = KNOWN
    ran = world.run("review", "--attach", f"a={request_id}")
    assert ran.code == 0
    view = world.jobs()["a"]
    assert (view.state.value, view.request_id, view.failure) == ("running", request_id, None)
    assert world.run("audit", "--json").json["balanced"]


def requeued(job_id: int) -> Outcome:
    return Requeued(job_id, NOW)


def test_an_earlier_request_of_the_row_is_attached(world: World) -> None:
    """Lost, paid again, and lost again: the first one is known now, is fetched, and nothing is paid."""
    world.load(job(0, "a"))
    world.move("a", *lost("r-1"), requeued)
    world.move("a", *lost("r-2"))
    world.api.statuses["r-1"] = KNOWN
    ran = world.run("review", "night", "--attach", "a=r-1")
    assert (ran.code, ran.err) == (0, "")
    view = world.jobs()["a"]
    assert (view.state.value, view.request_id, view.attempts) == ("running", "r-1", 2)
    assert world.run("audit", "--json").json["balanced"]


@pytest.mark.parametrize(
    "then",
    [
        (refused(),),
        (accepted("r-2"), remote_failed(FailureKind.MODERATED)),
        (accepted("r-2"), done(), fetch_failed()),
    ],
)
def test_an_earlier_request_is_attached_whatever_the_repeat_came_to(
    world: World, then: tuple[Callable[[int], Outcome], ...]
) -> None:
    """Lost, paid again, and refused, failed or broken: what was paid for first is known again."""
    world.load(job(0, "a"))
    world.move("a", *lost("r-1"), requeued)
    world.move("a", *then)
    world.api.statuses["r-1"] = KNOWN
    ran = world.run("review", "night", "--attach", "a=r-1")
    assert (ran.code, ran.err) == (0, "")
    view = world.jobs()["a"]
    assert (view.state.value, view.request_id, view.failure) == ("running", "r-1", None)
    assert world.run("audit", "--json").json["balanced"]


def test_the_id_of_a_submit_that_was_let_go_is_attached_after_the_repeat_was_refused(world: World) -> None:
    """A person finds it on the provider's page: it is the submit that was in doubt, and no third one."""
    world.load(job(0, "a"))
    world.move("a", unanswered(), discarded, requeued)
    world.move("a", refused())
    world.api.statuses["r-1"] = KNOWN
    assert world.run("review", "--attach", "a=r-1").code == 0
    view = world.jobs()["a"]
    assert (view.state.value, view.request_id, view.attempts) == ("running", "r-1", 1)
    assert world.run("audit", "--json").json["balanced"]


@pytest.mark.parametrize(
    ("request_id", "says"),
    [
        ("r-2", "r-2 is the newest request of this row, and has ended"),
        ("r-3", "no submit of this row had r-3, and none is without an id"),
    ],
)
def test_an_id_that_no_submit_of_the_row_can_have_is_refused(
    world: World, request_id: str, says: str
) -> None:
    """The API knows it, and it is not this row's."""
    world.load(job(0, "a"))
    world.move("a", *lost("r-1"), requeued)
    world.move("a", accepted("r-2"), remote_failed())
    world.api.statuses[request_id] = KNOWN
    ran = world.run("review", "--attach", f"a={request_id}")
    assert (ran.code, says in " ".join(ran.err.split())) == (1, True)
    assert world.states() == {"a": "failed"}


def test_an_earlier_request_is_attached_once_the_doubt_is_let_go(world: World) -> None:
    """Before that the doubtful submit, which may be paid for, would be out of sight."""
    world.load(job(0, "a"))
    world.move("a", *lost("r-1"), requeued)
    world.move("a", unanswered())
    world.api.statuses["r-1"] = KNOWN
    ran = world.run("review", "--attach", "a=r-1")
    assert ran.code == 1
    assert "r-1 is an earlier request of this row: --discard its unconfirmed submit, then attach" in ran.err
    assert world.states() == {"a": "unconfirmed"}
    assert world.run("review", "--discard", "a").code == 0
    assert world.run("review", "--attach", "a=r-1").code == 0
    assert world.jobs()["a"].request_id == "r-1"


def test_what_was_let_go_or_cancelled_is_attached(world: World) -> None:
    """A person who finds it later has paid for it; what was refused cannot be there."""
    world.load(job(0, "a"), job(1, "b"), job(2, "c"))
    world.move("a", unanswered(), discarded)
    world.move("c", refused())
    world.run("cancel", "--job", "b")
    world.api.statuses |= {"r-a": KNOWN, "r-b": KNOWN, "r-c": KNOWN}
    ran = world.run("review", "--attach", "a=r-a", "--attach", "b=r-b")
    assert ran.code == 0
    assert world.states() == {"a": "running", "b": "running", "c": "failed"}
    assert world.run("review", "--attach", "c=r-c").code == 2


def test_what_was_answered_is_shown(world: World) -> None:
    """Who said it and in which words, for a person and for scripts; and the id that it named."""
    answer = RawAnswer(502, {"server": "nginx"}, "<html>\n<h1>502 Bad Gateway</h1>")
    left = LeftUnconfirmed(1, Failure(FailureKind.UNCONFIRMED, "No receipt."), NOW, "r-named", answer)
    world.load(job(0, "a"), job(1, "b"))
    world.move("a", lambda job_id: replace(left, job_id=job_id))
    world.move("b", unanswered())
    shown = world.run("review", "--verbose").out
    for line in ("HTTP 502", "server: nginx", "| <h1>502 Bad Gateway</h1>", "No answer is on record."):
        assert line in shown
    plain = world.run("review").out
    assert "nginx" not in plain
    assert "nightsheet review night --attach a=r-named" in plain
    first, second = world.run("review", "--json").json
    assert first["named_id"] == "r-named"
    assert first["answer"] == {"status": 502, "headers": {"server": "nginx"}, "body": answer.body}
    assert second["answer"] is None


@pytest.mark.parametrize(
    ("key", "request_id"),
    [("a=b", "r-1"), ("a", "cmVxLTE="), ("a", "cmVxMQ=="), ("a=b", "cmVxLTE="), ("a", "x=y"), ("a=", "=")],
)
def test_attach_knows_keys_and_ids_with_equals_signs(world: World, key: str, request_id: str) -> None:
    """The one divides that has a row to its left."""
    world.load(job(0, key), job(1, "other"))
    world.move(key, unanswered())
    world.api.statuses[request_id] = KNOWN
    assert world.run("review", "--attach", f"{key}={request_id}").code == 0
    assert world.jobs()[key].request_id == request_id


def test_where_two_keys_fit_the_longer_one_is_meant(world: World) -> None:
    """The other one is named with its revision."""
    world.load(job(0, "a"), job(1, "a=b"))
    world.move("a", unanswered())
    world.move("a=b", unanswered())
    world.api.statuses |= {"r-1": KNOWN, "b=r-2": KNOWN}
    assert world.run("review", "--attach", "a=b=r-1", "--attach", "a@1=b=r-2").code == 0
    assert {key: found.request_id for key, found in world.jobs().items()} == {"a": "b=r-2", "a=b": "r-1"}


def test_attach_to_a_row_that_may_not_be_attached(night: World) -> None:
    """Exit 2, with its key, wherever the id has its equals signs."""
    ran = night.run("review", "--attach", "nobody=cmVxLTE=")
    assert ran.code == 2
    assert "Job 'nobody' of batch 'night' is not unconfirmed" in ran.err


@pytest.mark.parametrize(
    ("verdict", "code", "said"),
    [
        (UnknownId("no such request"), 1, "the API does not know r-new: no such request"),
        (Stopped(PauseReason.TOKEN, "bad token"), 77, "bad token"),
        (Stopped(PauseReason.BALANCE, "empty"), 75, "empty"),
        (CallFailed("timeout"), 69, "timeout"),
    ],
)
def test_attach_that_is_not_confirmed_changes_nothing(
    night: World, verdict: StatusVerdict, code: int, said: str
) -> None:
    """Told, with the exit code that says whose turn it is."""
    night.api.statuses["r-new"] = verdict
    ran = night.run("review", "--attach", "a=r-new")
    assert ran.code == code
    assert said in ran.err
    assert night.states()["a"] == "unconfirmed"


def test_attach_stops_asking_at_trouble(night: World) -> None:
    """An API that does not answer is not asked a hundred times."""
    night.api.statuses["r-2"] = KNOWN
    ran = night.run("review", "--attach", "a=r-1", "--attach", "b=r-2")
    assert ran.code == 69
    assert night.api.asked == [("status", "r-1")]
    assert night.states()["b"] == "unconfirmed"


def test_one_unknown_id_does_not_stop_the_others(night: World) -> None:
    """Each for itself."""
    night.api.statuses |= {"r-1": UnknownId("no"), "r-2": KNOWN}
    ran = night.run("review", "--attach", "a=r-1", "--attach", "b=r-2", "--json")
    assert ran.code == 1
    assert ran.json["attached"] == ["b"]
    assert ran.json["left"] == [{"key": "a", "reason": "the API does not know r-1: no"}]


def test_an_id_that_another_job_has(night: World) -> None:
    """One request is one job's."""
    ran = night.run("review", "--attach", "a=r-d")
    assert ran.code == 1
    assert "r-d is the request of job d already" in ran.err
    assert night.api.asked == []


def test_the_same_id_for_two_jobs(night: World) -> None:
    """The second is refused by the table; whose it is by now is said."""
    night.api.statuses["r-1"] = KNOWN
    ran = night.run("review", "--attach", "a=r-1", "--attach", "b=r-1")
    assert ran.code == 1
    assert "Not changed: b: r-1 is the request of job a already" in ran.err
    assert night.states()["b"] == "unconfirmed"


def test_attach_without_a_token(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 77; what needs no API is done all the same."""

    def no_token(*_: object) -> object:
        raise TokenProblem("There is no API token.", "Set one.")

    monkeypatch.setattr("runner.providers.connect.open_api", no_token)
    ran = night.run("review", "--attach", "a=r-1", "--discard", "b")
    assert ran.code == 77
    assert night.states() == {"a": "unconfirmed", "b": "failed", "c": "unconfirmed", "d": "running"}


def test_attach_belongs_to_the_batchs_api(night: World) -> None:
    """An id means nothing elsewhere."""
    ran = night.run("review", "--attach", "a=r-1", "--emulator", "--db", "nightsheet.db")
    assert ran.code == 2
    assert "belongs to" in ran.err
    assert night.api.asked == []


@pytest.mark.parametrize("text", ["a", "=r-1", "a=", "a=r/1", "a=../x", f"a={'r' * 129}"])
def test_attach_that_cannot_be_read(night: World, text: str) -> None:
    """Exit 2, nothing asked."""
    ran = night.run("review", "--attach", text)
    assert ran.code == 2
    assert "KEY=REQUEST_ID" in ran.err


def test_resubmit(night: World) -> None:
    """Authorised, and said what it may cost."""
    ran = night.run("review", "--resubmit", "a", "--resubmit", "c", "--yes")
    assert ran.code == 0
    assert "2 jobs will be sent again and paid for, for $0.08 to $0.16." in ran.out
    assert night.states() == {"a": "queued", "b": "unconfirmed", "c": "queued", "d": "running"}


def test_resubmit_asks_at_a_terminal(night: World, terminal: Terminal) -> None:
    """A no changes nothing."""
    questions = terminal("n")
    ran = night.run("review", "--resubmit", "all")
    assert ran.code == 1
    assert questions == [
        "3 submits may have been accepted; sending again may pay twice, for $0.12 to $0.24. Go on?"
    ]
    assert set(night.states().values()) == {"unconfirmed", "running"}


def test_without_a_terminal_nothing_is_sent_again_unasked(night: World) -> None:
    """Nor is anything else of the command done."""
    before = night.states()
    ran = night.run("review", "--resubmit", "all")
    assert ran.code == 2
    assert "sending again may pay twice, for $0.12 to $0.24: there is nobody to agree to it" in ran.err
    assert night.states() == before


def test_discard(night: World) -> None:
    """The job fails as discarded, with what was known of it."""
    ran = night.run("review", "--discard", "a")
    assert ran.code == 0
    assert "1 job discarded: costs nothing more." in ran.out
    failure = night.jobs()["a"].failure
    assert failure is not None
    assert failure.kind == "discarded"
    assert "No answer" in failure.message


def test_all_is_what_is_not_named(night: World) -> None:
    """So that one can decide about most of them at once."""
    night.api.statuses["r-new"] = KNOWN
    ran = night.run("review", "--discard", "all", "--resubmit", "b", "--attach", "a=r-new", "--json", "--yes")
    assert ran.code == 0
    assert ran.json == {
        "batch": "night",
        "attached": ["a"],
        "resubmitted": ["b"],
        "discarded": ["c"],
        "left": [],
        "price": {"low_usd": float(Decimal("0.04")), "high_usd": 0.08},
    }
    assert night.states() == {"a": "running", "b": "queued", "c": "failed", "d": "running"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--discard", "a", "--resubmit", "a"),
        ("--discard", "a", "--attach", "a=r-1"),
        ("--discard", "all", "--resubmit", "all"),
        ("--discard", "d"),
        ("--discard", "nobody"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(night: World, arguments: tuple[str, ...]) -> None:
    """Exit 2."""
    before = night.states()
    ran = night.run("review", *arguments)
    assert ran.code == 2
    assert "Nothing was changed." in ran.err
    assert night.states() == before


def test_an_old_revision_is_reviewed_too(night: World) -> None:
    """It left the sheet, and may be paid for all the same."""
    night.load(job(0, "new", fingerprint="new"))
    assert [one["key"] for one in night.run("review", "--json").json] == ["a", "b", "c"]
    assert night.run("review", "--discard", "a").code == 0


def test_times_say_where_they_are_of(night: World) -> None:
    """Once, in the heading."""
    assert re.search(r"sent \(UTC([+-]\d\d:\d\d)?\)", night.run("review").out.splitlines()[0])


def test_nothing_to_decide_is_said(world: World) -> None:
    """Nothing at all would look like a defect."""
    world.load(job(0, "a"))
    for flags in (("--discard", "all"), ("--resubmit", "all")):
        ran = world.run("review", *flags)
        assert (ran.code, ran.out) == (0, "Batch night: nothing is unconfirmed.\n")


# -- revisions -------------------------------------------------------------------------------------------


@pytest.fixture
def changed(night: World) -> World:
    """Row a was changed while its submit was in doubt, and the new one is in doubt as well; b has gone."""
    night.load(job(0, "a", fingerprint="f" * 64), job(2, "c"), job(3, "d"))
    night.move("a", unanswered(), estimate="0.08")
    return night


def revisions(world: World) -> dict[tuple[str, int], str]:
    """Every revision's state."""

    async def inside(store: Store) -> dict[tuple[str, int], str]:
        batch = await store.batches.named("night")
        return {
            (view.key, view.revision): view.state.value
            async for view in store.jobs.each(batch.id, everything=True)
        }

    return world.store(inside)


def test_both_revisions_are_listed(changed: World) -> None:
    """The one whose row is no longer in the sheet is marked."""
    ran = changed.run("review")
    cells = {tuple(line.split()[:2]) for line in ran.out.splitlines()[1:5]}
    assert cells == {("a@1", "gone"), ("a@2", "2"), ("b", "gone"), ("c", "4")}
    assert "gone: its row is no longer in the sheet; it can be attached or discarded" in ran.out
    assert "4 submits without an answer" in ran.out
    told = changed.run("review", "--json").json
    assert {(one["key"], one["revision"], one["current"]) for one in told} == {
        ("a", 1, False),
        ("a", 2, True),
        ("b", 1, False),
        ("c", 1, True),
    }


@pytest.mark.parametrize("flags", [("--discard", "a"), ("--attach", "a=r-new")])
def test_an_ambiguous_key_is_asked_back(changed: World, flags: tuple[str, str]) -> None:
    """With the names that are not."""
    before = revisions(changed)
    ran = changed.run("review", *flags)
    assert ran.code == 2
    assert "Job 'a' has several revisions. Nothing was changed." in ran.err
    assert "Name the one that you mean: a@1, a@2." in ran.err
    assert revisions(changed) == before


def test_a_revision_is_named(changed: World) -> None:
    """Each is decided for itself."""
    changed.api.statuses["r-new"] = KNOWN
    ran = changed.run("review", "--attach", "a@1=r-new", "--discard", "a@2", "--json")
    assert ran.code == 0
    assert (ran.json["attached"], ran.json["discarded"]) == (["a@1"], ["a@2"])
    found = revisions(changed)
    assert (found["a", 1], found["a", 2]) == ("running", "failed")


def test_a_key_that_looks_like_a_revision(world: World) -> None:
    """Names are the sheet's own: one that could be both is asked back, and can be said in full."""
    world.load(job(0, "a"), job(1, "a@1"))
    for key in ("a", "a@1"):
        world.move(key, unanswered())
    assert world.run("review", "--discard", "a@1").code == 2
    assert world.run("review", "--discard", "a@1@1").code == 0
    assert world.states() == {"a": "unconfirmed", "a@1": "failed"}


def test_the_sheets_own_revision_is_sent_again(changed: World) -> None:
    """There is only one that can be meant."""
    assert changed.run("review", "--resubmit", "a", "--yes").code == 0
    found = revisions(changed)
    assert (found["a", 1], found["a", 2]) == ("unconfirmed", "queued")


@pytest.mark.parametrize("name", ["a@1", "b"])
def test_what_left_the_sheet_is_not_sent_again(changed: World, name: str) -> None:
    """Nobody would ever send it: it would stay queued."""
    before = revisions(changed)
    ran = changed.run("review", "--resubmit", name, "--yes")
    assert ran.code == 1
    assert f"Not changed: {name}: its row is no longer in the sheet" in ran.err
    assert revisions(changed) == before


def test_all_sends_what_the_sheet_has(changed: World) -> None:
    """And says of the others why not."""
    ran = changed.run("review", "--resubmit", "all", "--json", "--yes")
    assert ran.code == 1
    assert ran.json["resubmitted"] == ["a@2", "c"]
    assert {one["key"] for one in ran.json["left"]} == {"a@1", "b"}
    assert ran.json["price"] == {"low_usd": 0.08, "high_usd": 0.16}


@pytest.mark.parametrize(
    "flags", [("--discard", "a@2", "--resubmit", "a"), ("--discard", "c", "--discard", "c@1")]
)
def test_two_names_of_one_job(changed: World, flags: tuple[str, ...]) -> None:
    """It cannot be decided twice."""
    ran = changed.run("review", *flags)
    assert ran.code == 2
    assert "is named twice" in ran.err


def test_a_receipt_that_is_kept_beside_the_database_is_taken_up_first(world: World) -> None:
    """Nobody is to decide about a job whose request_id is at hand: sent again, it would be paid twice."""
    world.load(job(0, "a"), job(1, "b"))
    world.move("a")
    world.move("b")
    line = {"batch_id": 1, "job_id": 1, "key": "a", "request_id": "id-1", "at": NOW.isoformat()}
    spool = world.database.with_name("nightsheet.db.spool")
    spool.write_text(json.dumps(line) + "\n")
    ran = world.run("review", "night", "--json")
    assert [doubt["key"] for doubt in ran.json] == ["b"]
    assert world.states() == {"a": "running", "b": "unconfirmed"}
    assert not spool.exists()


def test_a_runner_at_work_settles_its_own(world: World) -> None:
    """Its submits are on their way, and are nobody's doubts."""
    world.load(job(0, "a"))
    world.move("a")
    with try_holding(world.database) as held:
        assert held
        assert world.run("review", "night", "--json").json == []
    assert world.states() == {"a": "submitting"}
