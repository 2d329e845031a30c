"""The API's endpoints in virtual time."""

from decimal import Decimal
from functools import partial

import pytest
from pydantic import JsonValue

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.emulator.pictures.recipe import Recipe
from tests.unit.runner.emulator.world import OLD, ORIGIN, SEQUENTIAL, SINGLE, TOKEN, World


def test_a_submit_answers_with_an_id_and_its_addresses() -> None:
    """Exactly the documented keys."""
    answer = World().submit()
    request_id = answer.body["request_id"]
    assert answer.status == 200
    assert answer.body == {
        "request_id": request_id,
        "status_url": f"{ORIGIN}/v1/requests/{request_id}/status",
        "result_url": f"{ORIGIN}/v1/requests/{request_id}/result",
        "cancel_url": f"{ORIGIN}/v1/requests/{request_id}/cancel",
    }


def test_a_request_waits_works_and_ends() -> None:
    """in_queue with a position, in_progress, completed; the result says succeeded."""
    world = World(slots=1)
    first, second = world.accepted(), world.accepted()
    assert world.word(first) == "in_progress"
    assert world.status(second) == {
        "request_id": second,
        "status": "in_queue",
        "queue_position": 1,
        "status_url": f"{ORIGIN}/v1/requests/{second}/status",
        "result_url": f"{ORIGIN}/v1/requests/{second}/result",
    }
    assert world.result(second)["status"] == "in_queue"
    world.clock.advance(10)
    assert world.word(first) == "completed"
    assert world.result(first)["status"] == "succeeded"
    assert world.word(second) == "in_progress"
    assert "output" not in world.result(second)


def test_a_result_has_its_times_and_on_request_its_cost() -> None:
    """Timestamps as ISO 8601 in UTC, the cost as a number of dollars."""
    world = World()
    request_id = world.series(3)
    assert "finished_at" not in world.result(request_id)
    world.clock.advance(11)
    result = world.result(request_id, include_cost=True)
    assert result["created_at"] == "2026-11-20T22:00:00.000Z"
    assert result["finished_at"] == "2026-11-20T22:00:10.000Z"
    assert result["cost"] == pytest.approx(0.12)
    assert result["model_id"] == SEQUENTIAL
    assert "cost" not in world.result(request_id)


def test_one_picture_is_image_and_several_are_images() -> None:
    """Every link leads to its own picture."""
    world = World()
    single, series = world.accepted(), world.series(3)
    world.clock.advance(10)
    assert list(world.output(single)) == ["image"]
    assert list(world.output(series)) == ["images"]
    recipes = [world.media(link).payload for link in world.links(series)]
    assert [made.index for made in recipes if isinstance(made, Recipe)] == [0, 1, 2]
    assert {made.total for made in recipes if isinstance(made, Recipe)} == {3}


def test_only_queued_requests_are_cancelled() -> None:
    """Others are not_cancellable, and nothing changes for them."""
    world = World(slots=1)
    first, second = world.accepted(), world.accepted()
    assert world.cancel(first) == {
        "request_id": first,
        "status": "in_progress",
        "outcome": "not_cancellable",
    }
    answer = world.service.cancel(second, token=TOKEN)
    assert answer.status == 202
    assert answer.body == {"request_id": second, "status": "completed", "outcome": "cancelled"}
    assert world.word(second) == world.result(second)["status"] == "cancelled"
    assert world.cancel(second)["outcome"] == "not_cancellable"
    world.clock.advance(100)
    assert world.word(second) == "cancelled"
    assert world.word(first) == "completed"


def test_the_ledger_holds_what_was_accepted_and_nothing_else() -> None:
    """In order, with the body as it was sent."""
    world = World()
    world.submit({"prompt": ""})
    first = world.accepted({"prompt": "one", "resolution": "4K"})
    second = world.accepted({"text": "two"}, OLD)
    assert [(entry.ordinal, entry.request_id) for entry in world.service.ledger] == [(1, first), (2, second)]
    assert world.service.ledger[0].body == {"prompt": "one", "resolution": "4K"}
    assert world.service.ledger[1].cost == Decimal("0.09")


@pytest.mark.parametrize(
    ("model", "body", "status", "code"),
    [
        ("bytedance/seedream-9", {"prompt": "x"}, 400, 400001),
        (SINGLE, {}, 422, 422001),
        (SINGLE, [], 422, 422001),
        (SINGLE, {"prompt": "x", "resolution": "8K"}, 422, 422001),
        (SEQUENTIAL, {"prompt": "x", "sequential_image_generation_options": 16}, 422, 422001),
        (SEQUENTIAL, {"prompt": "x"}, 422, 422001),
    ],
)
def test_bad_submits_are_refused_and_free(
    model: str, body: dict[str, JsonValue] | list[JsonValue], status: int, code: int
) -> None:
    """With the API's error body; nothing is accepted or paid."""
    world = World()
    answer = world.service.submit(model, body, token=TOKEN, origin=ORIGIN)
    assert (answer.status, answer.body["error_code"]) == (status, code)
    assert answer.body["error_message"]
    assert not world.service.ledger
    assert world.service.balance_usd == 1000


def test_a_schema_error_names_the_field() -> None:
    """In words and in `detail`."""
    body = World().submit({"prompt": "x", "resolution": "8K"}).body
    assert "resolution: " in str(body["error_message"])
    detail = body["detail"]
    assert isinstance(detail, list)
    assert isinstance(detail[0], dict)
    assert detail[0]["loc"] == ["body", "resolution"]


def test_tokens_are_needed_everywhere_but_for_pictures() -> None:
    """None, an empty, an unknown and a revoked one are refused; another one then works."""
    world = World(tokens=frozenset({TOKEN, "other"}))
    request_id = world.accepted()
    world.clock.advance(10)
    link = world.links(request_id)[0]
    world.service.revoke(TOKEN)
    for token in (None, "", "stranger", TOKEN):
        answers = (
            world.submit(token=token),
            world.service.status(request_id, token=token, origin=ORIGIN),
            world.service.result(request_id, token=token, origin=ORIGIN),
            world.service.cancel(request_id, token=token),
            world.service.models(token=token),
            world.service.categories(token=token),
            world.service.model(SINGLE, token=token),
            world.service.balance(token=token),
        )
        assert {(answer.status, answer.body["error_code"]) for answer in answers} == {(400, 400004)}
    assert world.submit(token="other").status == 200
    assert isinstance(world.media(link).payload, Recipe)
    world.service.accept_tokens(frozenset({TOKEN}))
    assert world.submit().status == 200
    assert world.submit(token="other").status == 400
    world.service.revoke(TOKEN)
    world.service.accept_tokens(None)
    assert world.submit().status == 200


def test_a_token_sent_for_a_picture_is_noted() -> None:
    """It has no business there."""
    world = World()
    world.service.media("x")
    assert world.service.media_with_token == 0
    world.service.media("x", token=TOKEN)
    assert world.service.media_with_token == 1


def test_calls_are_counted() -> None:
    """By endpoint."""
    world = World()
    request_id = world.accepted()
    world.status(request_id)
    world.status(request_id)
    assert world.service.calls == {"submit": 1, "status": 2}


def test_unknown_requests_are_404001() -> None:
    """At every endpoint that takes an id."""
    service = World().service
    answers = (
        service.status("nobody", token=TOKEN, origin=ORIGIN),
        service.result("nobody", token=TOKEN, origin=ORIGIN),
        service.cancel("nobody", token=TOKEN),
    )
    assert {(answer.status, answer.body["error_code"]) for answer in answers} == {(404, 404001)}
    assert service.state("nobody") is None


def test_ended_requests_are_forgotten_and_running_ones_are_not() -> None:
    """`request_seconds` after their end, by the clock and not by the speed."""
    world = World(request_seconds=100, slots=1, speed=10)
    first, second = world.accepted(), world.accepted()
    world.clock.advance(100)
    assert world.service.state(first) == "completed"
    world.clock.advance(1.5)
    assert world.service.state(first) is None
    assert world.service.state(second) == "completed"


def test_links_end_and_fresh_ones_are_given() -> None:
    """An ended link is refused as a storage would; asking for the result again helps."""
    world = World(url_seconds=60)
    request_id = world.accepted()
    world.clock.advance(10)
    link = world.links(request_id)[0]
    world.clock.advance(60)
    assert world.media(link).status == 200
    world.clock.advance(1)
    assert (world.media(link).status, world.media(link).content_type) == (403, "application/xml")
    assert world.media(world.links(request_id)[0]).status == 200


def test_links_may_be_gone_for_good() -> None:
    """`fresh_links=False`: counted from the run's end, whenever one asks."""
    world = World(url_seconds=60, fresh_links=False, expired_link_status=410)
    request_id = world.accepted()
    world.clock.advance(71)
    assert world.media(world.links(request_id)[0]).status == 410


def test_links_of_others_lead_nowhere() -> None:
    """Neither made up, nor of another emulator, nor of a request that is not there."""
    world, other = World(), World()
    request_id = other.accepted()
    other.clock.advance(10)
    for link in ("made-up", "#", other.links(request_id)[0]):
        assert world.media(link).status == 404


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (SINGLE, {}),
        (SINGLE, {"prompt": "x", "resolution": "8K"}),
        (SEQUENTIAL, {"prompt": "x", "sequential_image_generation_options": 16}),
    ],
)
def test_a_body_that_does_not_fit_may_fail_later(model: str, body: dict[str, JsonValue]) -> None:
    """Accepted and paid for; the result says why."""
    world = World(bad_values="failed")
    request_id = world.accepted(body, model)
    world.clock.advance(1000)
    result = world.result(request_id, include_cost=True)
    assert (result["status"], result["cost"]) == ("failed", 0.04)
    assert str(result["error"]).startswith("Invalid input. ")
    assert world.submit([]).status == 422


def test_a_request_may_belong_to_the_token_that_sent_it() -> None:
    """Another token is told so at every endpoint, also after a restart; by default it is everybody's."""
    for accounts, code in (("by_token", 403001), ("one", None)):
        world = World(accounts=accounts)
        request_id = world.accepted()
        again = World(journal=world.journal, accounts=accounts)
        for service in (world.service, again.service):
            for ask in (
                partial(service.status, origin=ORIGIN),
                partial(service.result, origin=ORIGIN),
                service.cancel,
            ):
                assert ask(request_id, token="another").body.get("error_code") == code
                assert "error_code" not in ask(request_id, token=TOKEN).body


def test_a_share_of_the_answers_is_lost() -> None:
    """Beside whatever faults are armed; each submit is accepted."""
    world = World(lost_answer_share=0.5)
    lost = [world.submit().fault is not None for _ in range(40)]
    assert 10 < sum(lost) < 30
    assert len(world.service.ledger) == 40
    assert world.service.faults == ()
    world.service.faults = [Fault(endpoint=Endpoint.MODELS, kind=FaultKind.HTML)]
    assert len(world.service.faults) == 1
    assert any(world.submit().fault is not None for _ in range(40))


def test_the_catalogue_is_searched_and_paged() -> None:
    """`total` counts what was found, the page holds a part of it."""
    service = World().service
    everything = service.models(token=TOKEN).body
    assert everything["total"] == len(everything["models"]) >= 5  # type: ignore[arg-type]
    page = service.models(token=TOKEN, search="SEEDREAM-4-5", limit=1, offset=1).body
    assert page["limit"] == page["offset"] == 1
    assert page["total"] in range(2, 10)
    assert len(page["models"]) == 1  # type: ignore[arg-type]
    assert service.models(token=TOKEN, category="video").body["total"] == 0
    assert service.models(token=TOKEN, kind="workflow").body["total"] == 0
    assert service.models(token=TOKEN, limit=0, offset=-5).body["limit"] == 1
    assert service.categories(token=TOKEN).body == {"categories": ["text-to-image", "image-to-image"]}
    found = {
        category: [
            str(entry["model_id"]).rpartition("/")[2]
            for entry in service.models(token=TOKEN, category=category).body["models"]  # type: ignore[union-attr]
            if isinstance(entry, dict)
        ]
        for category in ("text-to-image", "image-to-image")
    }
    assert all("edit" in name for name in found["image-to-image"])
    assert not any("edit" in name for name in found["text-to-image"])
    assert sum(map(len, found.values())) == everything["total"]


def test_a_model_tells_its_price_and_its_schema() -> None:
    """The schema in a list only when asked for."""
    service = World().service
    page = service.model(OLD, token=TOKEN).body
    assert (page["base_price_usd"], page["price_unit"]) == (0.03, "output")
    assert page["required_inputs"] == ["text"]
    assert isinstance(page["input_schema"], dict)
    assert service.model("a/b", token=TOKEN).body["error_code"] == 400001
    for asked in (True, False):
        listed = service.models(token=TOKEN, include_schema=asked).body["models"]
        assert isinstance(listed, list)
        assert all(("input_schema" in entry) == asked for entry in listed if isinstance(entry, dict))


def test_a_clock_that_goes_back_stands_still() -> None:
    """No request ever un-ends."""
    world = World()
    request_id = world.accepted()
    world.clock.advance(10)
    assert world.word(request_id) == "completed"
    world.clock.advance(-5000)
    assert world.word(request_id) == "completed"
    assert world.service.ledger[0].at <= world.clock.moment.timestamp() + 5010
