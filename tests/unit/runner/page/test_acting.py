"""What a person does on the page: done once however often it is asked, all of a request or nothing."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from jobs.errors import CannotWrite, UsageProblem
from jobs.review.decisions import DecisionSource, DecisionWish
from jobs.states import JobState
from jobs.views import RunView
from runner.page import acting
from runner.page.access.guard import MOST_BODY_BYTES
from runner.page.access.session import Rights
from runner.page.acts.act import Act, Answer, Asked, NoAct
from runner.page.pace import EVERY_SECONDS, WritePace
from tests.support.served_page import Served, SteppedClock, served_page
from tests.support.tables import NIGHT


def one(key: str = "a", **said: Any) -> dict[str, Any]:
    """A request with one decision."""
    return {"decisions": [{"key": key, **said}]}


async def decided(served: Served) -> dict[str, list[tuple[int, str | None, int, str]]]:
    """What is decided, by key."""
    found = await served.table.store.decisions.of_batch(served.table.batch.id)
    return {
        key: [(one.number, one.verdict, one.stars, one.note) for one in every] for key, every in found.items()
    }


async def test_a_decision_is_made_and_told(served: Served) -> None:
    """About the image that was looked at; the list has it, and so do the details."""
    image = await served.shoot("a")
    told = one(number=1, sha256=image.sha256, verdict="accepted", stars=4, note="good")
    answered = await served.act("decisions", told)
    now = {"key": "a", "number": 1, "sha256": image.sha256, "verdict": "accepted", "stars": 4, "note": "good"}
    assert answered.json() == {"decided": [now], "refused": []}
    assert await decided(served) == {"a": [(1, "accepted", 4, "good")]}
    tiles = (await served.client.get("/api/night/tiles")).content
    assert tiles[-3:] == bytes([1 | 8 | 4 << 4, 0, 0])
    assert (await served.client.get("/api/night/tiles?q=verdict:accepted")).headers["x-tiles"] == "1"


async def test_what_is_not_said_stays(served: Served) -> None:
    """Null takes a verdict away; without any it is gone."""
    await served.act("decisions", one("b", verdict="reroll", note="darker"))
    await served.act("decisions", one("b", stars=2))
    await served.act("decisions", one("b", verdict=None))
    assert await decided(served) == {"b": [(0, None, 2, "darker")]}
    gone = await served.act("decisions", one("b", stars=0, note=""))
    blank = {"key": "b", "number": 0, "sha256": None, "verdict": None, "stars": 0, "note": ""}
    assert gone.json()["decided"] == [blank]
    assert await decided(served) == {}


async def test_what_nobody_looked_at_is_told(served: Served) -> None:
    """One for one, with why; the others are decided."""
    await served.shoot("a")
    told = {
        "decisions": [{"key": "a", "number": 1, "sha256": "0" * 64, "stars": 1}, {"key": "b", "stars": 1}]
    }
    answered = (await served.act("decisions", told)).json()
    assert answered["refused"] == [{"key": "a", "number": 1, "sha256": "0" * 64, "why": "other_image"}]
    assert await decided(served) == {"b": [(0, None, 1, "")]}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"decisions": {}},
        {"decisions": [7]},
        {"decisions": [{}]},
        {"decisions": [{"key": 7}]},
        {"decisions": [{"key": "a", "stars": 6}]},
        {"decisions": [{"key": "a", "stars": -1}]},
        {"decisions": [{"key": "a", "stars": True}]},
        {"decisions": [{"key": "a", "stars": None}]},
        {"decisions": [{"key": "a", "verdict": "perhaps"}]},
        {"decisions": [{"key": "a", "verdict": ["accepted"]}]},
        {"decisions": [{"key": "a", "note": 7}]},
        {"decisions": [{"key": "a", "note": "x" * 2001}]},
        {"decisions": [{"key": "a", "number": -1}]},
        {"decisions": [{"key": "a", "number": 1 << 40}]},
        {"decisions": [{"key": "a", "sha256": 7}]},
        {"decisions": [{"key": "a", "agreed": True}]},
        {"decisions": [{"key": "b"}] * 2001},
        {"decisions": [], "action": 7},
        {"decisions": [], "action": ""},
        {"decisions": [], "action": "x" * 65},
    ],
)
async def test_what_is_no_decision_changes_nothing(served: Served, told: dict[str, Any]) -> None:
    """Not the good one before it either."""
    if isinstance(told.get("decisions"), list):
        told = told | {"decisions": [{"key": "a", "stars": 1}, *told["decisions"]]}
    answered = await served.act("decisions", told)
    assert answered.status_code == 400
    assert answered.json()["error"]
    assert await decided(served) == {}


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"[]", 400), (b"\xff", 400), (b"{" * 9999, 400), (b" " * 200_000, 413)]
)
async def test_an_odd_body_is_refused(served: Served, body: bytes, status: int) -> None:
    """No JSON, no object, too large."""
    headers = served.acting | {"content-type": "application/json"}
    answered = await served.client.post("/api/night/decisions", content=body, headers=headers)
    assert answered.status_code == status
    assert len(body) <= MOST_BODY_BYTES or status == 413


async def test_a_batch_of_nobody_has_no_acts(served: Served) -> None:
    """It is said."""
    assert (await served.act("decisions", one(), batch="nobody")).status_code == 404
    assert (await served.act("nothing", one())).status_code == 404


async def test_what_is_asked_twice_is_done_once(served: Served) -> None:
    """A request whose answer got lost, after somebody else decided otherwise."""
    first = await served.act("decisions", one(verdict="accepted") | {"action": "x"})
    await served.act("decisions", one(verdict="rejected") | {"action": "y"})
    again = await served.act("decisions", one(verdict="accepted") | {"action": "x"})
    assert again.json() == first.json()
    assert await decided(served) == {"a": [(0, "rejected", 0, "")]}
    kept = served.table.everything()[-1]
    assert [(row["action_id"], row["kind"], row["batch_id"]) for row in kept] == [
        ("x", "decisions", served.table.batch.id),
        ("y", "decisions", served.table.batch.id),
    ]
    assert json.loads(kept[0]["told"]) == one(verdict="accepted") | {"action": "x"}
    assert json.loads(kept[0]["answer"]) == first.json()


async def test_what_is_asked_twice_at_once_is_done_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tabs with one wish: the second waits for the first, and hears the same."""
    done, began, go = list[str](), anyio.Event(), anyio.Event()

    async def slow(asked: Asked) -> Answer:
        done.append(asked.batch.name)
        began.set()
        await go.wait()
        return {"times": len(done)}

    monkeypatch.setitem(acting.ACTS, "decisions", Act(slow))
    answers = list[httpx.Response]()

    async def ask() -> None:
        answers.append(await served.act("decisions", {"action": "x"}))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
        await began.wait()
        await anyio.wait_all_tasks_blocked()
        go.set()
    assert [one.json() for one in answers] == [{"times": 1}] * 3
    assert done == ["night"]


async def test_an_act_that_failed_is_not_kept(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be asked for again; what a person can do about it is said."""
    problems: list[Exception] = [
        UsageProblem("Somebody is at work.", hint="Wait."),
        CannotWrite("/disk full"),
    ]

    async def fails(asked: Asked) -> Answer | NoAct:
        if problems:
            raise problems.pop(0)
        return NoAct("No.") if "odd" in asked.told else {"done": True}

    monkeypatch.setitem(acting.ACTS, "decisions", Act(fails))
    ask = {"action": "x"}
    answered = await served.act("decisions", ask)
    assert (answered.status_code, answered.json()) == (
        409,
        {"error": "Somebody is at work.", "hint": "Wait."},
    )
    answered = await served.act("decisions", ask)
    assert answered.status_code == 503
    assert "/disk" not in answered.text
    assert (await served.act("decisions", ask | {"odd": True})).status_code == 400
    assert (await served.act("decisions", {})).json() == {"done": True}
    assert (await served.act("decisions", ask)).json() == {"done": True}
    assert [row["kind"] for row in served.table.everything()[-1]] == ["decisions"]


async def test_a_database_that_refuses_leaves_it_undone(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page keeps what was said, and says that it is not saved."""

    async def refuse(*_arguments: Any) -> None:
        raise CannotWrite("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(served.table.store.database, "write", refuse)
        assert (await served.act("decisions", one(stars=1) | {"action": "x"})).status_code == 503
    assert (await served.act("decisions", one(stars=1) | {"action": "x"})).status_code == 200
    assert await decided(served) == {"a": [(0, None, 1, "")]}


async def test_who_may_only_look_decides_nothing(tmp_path: Path) -> None:
    """There is no key, and nothing that does instead."""
    async with served_page(tmp_path, "a", rights=Rights.LOOK) as served:
        assert (await served.enter()).json() == {"key": None, "rights": "look"}
        for key in (None, "", "guessed", served.client.cookies[f"nightsheet-{served.page.port}"]):
            served.key = key
            assert (await served.act("decisions", one(stars=1))).status_code == 403
        assert (await served.client.get("/api/night/tiles")).headers["x-rights"] == "look"
        assert await decided(served) == {}


async def test_a_cookie_that_another_port_was_sent_decides_nothing(served: Served) -> None:
    """A browser sends it to every port of this machine: a program there has all that a request carries."""
    stolen = f"nightsheet-{served.page.port}={served.client.cookies[f'nightsheet-{served.page.port}']}"
    headers = served.headers | {"cookie": stolen, "sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(base_url=served.page.origin, trust_env=False) as thief:
        assert (await thief.get("/api/night/tiles", headers=headers)).status_code == 200
        answered = await thief.post("/api/night/decisions", json=one(stars=1), headers=headers)
    assert answered.status_code == 403
    assert await decided(served) == {}


async def test_beside_a_run_there_is_one_transaction_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many keys are pressed: those who wait write together."""
    clock = SteppedClock()
    turn, waiting, all_wait = WritePace.turn, list[bool](), anyio.Event()

    async def counted_turn(pace: WritePace, is_at_work: bool) -> None:
        waiting.append(is_at_work)
        if len(waiting) == 7:
            all_wait.set()
        await turn(pace, is_at_work)

    monkeypatch.setattr(WritePace, "turn", counted_turn)
    async with served_page(tmp_path, *"abcdefgh", clock=clock) as served:
        await served.enter()
        await served.table.store.batches.begin_run(served.table.batch.id, pid=1, host="here")
        served.run = RunView("night", 1, "here", NIGHT)
        assert (await served.act("decisions", one("a", stars=1))).status_code == 200
        commits = list[int]()
        commit = served.table.store.database._commit

        async def counted(group: Any) -> Any:
            commits.append(len(group))
            return await commit(group)

        served.table.store.database._commit = counted  # type: ignore[method-assign]
        async with anyio.create_task_group() as tasks:
            for key in "bcdefg":
                tasks.start_soon(served.act, "decisions", one(key, stars=1))
            await all_wait.wait()
            await anyio.wait_all_tasks_blocked()
            assert commits == [], "nothing is written before its turn"
            clock.advance(EVERY_SECONDS)
        assert commits == [6]
        assert len(await decided(served)) == 7
        served.run = None
        assert (await served.act("decisions", one("h", stars=1))).status_code == 200


async def test_turns_are_a_second_apart() -> None:
    """The one who comes first goes at once; who comes in between waits, and the next one after those, too."""
    clock = SteppedClock()
    pace = WritePace(clock)
    went = list[tuple[str, timedelta]]()

    async def go(name: str) -> None:
        await pace.turn(True)
        went.append((name, clock.now() - NIGHT))

    async with anyio.create_task_group() as tasks:
        for name, after in (("first", 0.0), ("second", 0.5), ("third", 0.0), ("fourth", 0.6), ("fifth", 0.9)):
            clock.advance(after)
            tasks.start_soon(go, name)
            await anyio.wait_all_tasks_blocked()
        clock.advance(1.0)
    assert [(name, round(at.total_seconds(), 1)) for name, at in went] == [
        *(("first", 0.0), ("second", 1.1), ("third", 1.1), ("fourth", 2.0), ("fifth", 3.0)),
    ]


async def test_no_act_pays(served: Served) -> None:
    """Whatever is sent to whatever act: nothing is agreed to, no limit is raised, no pause is ended."""
    await served.table.bring("b", JobState.UNCONFIRMED)
    await served.table.bring("c", JobState.FAILED)
    batch, job, attempt, artifact, run, *_ = served.table.everything()
    wish = {"agreed": True, "budget": 1e9, "resubmit": ["b"], "resume": True, "held": None, "state": "queued"}
    for act in acting.ACTS:
        for told in (wish, {act: [{"key": "b"} | wish]}, {act: [{"key": "b", "verdict": "reroll"}]}):
            await served.act(act, told)
    assert served.table.everything()[:5] == [batch, job, attempt, artifact, run]


async def test_decisions_of_commands_are_told_to_the_page(served: Served) -> None:
    """One table for both."""
    image = await served.shoot("a")
    wish = DecisionWish("a", {"stars": 5})
    await served.table.store.decisions.decide(served.table.batch.id, [wish], DecisionSource.CLI)
    (item,) = await served.json("/api/night/items?key=a")
    decision = {"verdict": None, "stars": 5, "note": "", "older": False}
    assert item["images"][0]["decision"] == decision
    assert item["images"][0]["sha256"] == image.sha256
    assert item["decision"] is None
