"""What a struck call is told, without the wire."""

from typing import Any

import pytest

from runner.emulator.faults.faults import Fault
from runner.emulator.pictures.recipe import Recipe
from tests.unit.runner.emulator.world import ORIGIN, TOKEN, World


def _fault(endpoint: str, kind: str, **fields: Any) -> Fault:
    return Fault.model_validate({"endpoint": endpoint, "kind": kind, "times": None} | fields)


def _ended(*faults: Fault, count: int = 3, **settings: Any) -> tuple[World, str]:
    """A world with one ended request."""
    world = World(faults=faults, **settings)
    request_id = world.series(count)
    world.clock.advance(10)
    return world, request_id


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("kind", ["http", "error_on_200", "html", "redirect", "drop", "reset", "stall"])
def test_a_submit_without_a_good_answer(kind: str, accepted: bool) -> None:
    """It is in the ledger exactly when it was accepted."""
    world = World(faults=[_fault("submit", kind, accepted=accepted, times=1)])
    answer = world.submit()
    assert len(world.service.ledger) == int(accepted)
    assert "request_id" not in str(answer.payload)
    assert (answer.fault is not None) == (kind in ("drop", "reset", "stall"))
    assert world.submit().status == 200


@pytest.mark.parametrize("kind", ["truncate", "cut", "drip"])
def test_a_submit_with_a_spoiled_answer_was_accepted(kind: str) -> None:
    """The wire does the rest."""
    world = World(faults=[_fault("submit", kind)])
    answer = world.submit()
    assert answer.fault is not None
    assert answer.body["request_id"] == world.service.ledger[0].request_id


def test_an_answer_without_the_id() -> None:
    """Accepted, and nothing tells which; a refusal stays a refusal."""
    world = World(faults=[_fault("submit", "no_id")])
    answer = world.submit()
    assert (answer.status, answer.body) == (200, {"status": "in_queue"})
    assert len(world.service.ledger) == 1
    assert world.submit({}).status == 422


def test_http_errors_in_every_shape() -> None:
    """With or without the API's error body, with a Retry-After in seconds, as a date, or junk."""

    def answer(**fields: Any) -> Any:
        return World(faults=[_fault("submit", "http", **fields)]).submit()

    assert answer().body["error_code"] == 500001
    assert answer(status=503, error_code=10003, message="Busy.").body == {
        "error_code": 10003,
        "error_message": "Busy.",
    }
    html = answer(status=502, shape="html")
    assert (html.status, html.content_type) == (502, "text/html; charset=utf-8")
    assert answer(shape="text").payload == "The emulator was told to answer 500."
    assert answer(shape="empty").payload == ""
    assert answer(status=429, retry_after=30).headers == (("retry-after", "30"),)
    assert answer(status=429, retry_after="soon").headers == (("retry-after", "soon"),)
    dated = answer(status=429, retry_after=90, retry_after_date=True)
    assert dated.headers == (("retry-after", "Fri, 20 Nov 2026 22:01:30 GMT"),)


def test_errors_by_name() -> None:
    """Unknown id, token and balance look as the settings say; 200 may carry any code."""

    def answer(kind: str, **fields: Any) -> Any:
        world = World(token_status=401, balance_status=402)
        request_id = world.accepted()
        world.service.faults = [_fault("status", kind, **fields)]
        return world.service.status(request_id, token=TOKEN, origin=ORIGIN)

    assert (answer("unknown_id").status, answer("unknown_id").body["error_code"]) == (404, 404001)
    assert (answer("token").status, answer("token").body["error_code"]) == (401, 400004)
    assert (answer("balance").status, answer("balance").body["error_code"]) == (402, 400002)
    assert answer("error_on_200", error_code=400004).body["error_code"] == 400004
    redirect = answer("redirect", status=302, url="https://elsewhere.example/")
    assert (redirect.status, redirect.headers) == (302, (("location", "https://elsewhere.example/"),))


def test_a_token_revoked_from_a_call_on() -> None:
    """Polls work until then."""
    world = World(faults=[_fault("any", "token", from_call=3)])
    request_id = world.accepted()
    assert world.word(request_id) == "in_progress"
    assert world.status(request_id)["error_code"] == 400004
    assert world.submit().body["error_code"] == 400004


def test_moderation_before_and_after_acceptance() -> None:
    """A refused submit is free; a stopped run has been accepted."""
    world = World(faults=[_fault("submit", "moderated", prompt="nude")])
    refused = world.submit({"prompt": "a nude"})
    assert (refused.status, refused.body["error_code"]) == (400, 400003)
    assert "InputTextSensitiveContentDetected" in str(refused.body["error_message"])
    assert not world.service.ledger
    assert world.submit({"prompt": "a tree"}).status == 200
    world, request_id = _ended(_fault("result", "moderated"))
    assert world.result(request_id)["status"] == "failed"
    assert "OutputImageSensitiveContentDetected" in str(world.result(request_id)["error"])


def test_other_words() -> None:
    """In the status and in the result; the output is not given away."""
    world, request_id = _ended(_fault("status", "word", word="queued"), _fault("result", "word"))
    assert world.word(request_id) == "queued"
    assert world.result(request_id)["status"] == "reticulating"
    assert "output" not in world.result(request_id)
    waiting = World(slots=1, faults=[_fault("status", "word")])
    waiting.accepted()
    assert "queue_position" not in waiting.status(waiting.accepted())


def test_a_status_that_stays() -> None:
    """In progress for ever; in the queue for as long as it is."""
    world = World(slots=1, faults=[_fault("any", "drop", from_call=99), _fault("status", "stays")])
    first, second = world.accepted(), world.accepted()
    assert (world.word(first), world.word(second)) == ("in_progress", "in_queue")
    world.clock.advance(100)
    assert (world.word(first), world.word(second)) == ("in_progress", "in_progress")
    world, request_id = _ended(_fault("result", "stays"))
    assert world.result(request_id)["status"] == "in_progress"
    assert "output" not in world.result(request_id)
    assert "finished_at" not in world.result(request_id)
    assert world.word(request_id) == "completed"


def test_a_failed_run() -> None:
    """With a message of its own, and without output."""
    world, request_id = _ended(_fault("result", "failed", message="Out of memory."))
    result = world.result(request_id)
    assert (result["status"], result["error"]) == ("failed", "Out of memory.")
    assert "output" not in result


@pytest.mark.parametrize(
    ("kind", "count", "pictures"),
    [
        ("no_pictures", None, 0),
        ("fewer_pictures", None, 2),
        ("fewer_pictures", 9, 1),
        ("more_pictures", None, 4),
        ("more_pictures", 2, 5),
        ("expired_links", None, 3),
    ],
)
def test_other_numbers_of_pictures(kind: str, count: int | None, pictures: int) -> None:
    """None, fewer, more; every link of a surplus picture leads to one."""
    world, request_id = _ended(_fault("result", kind, count=count), single_picture_as="images")
    links = world.links(request_id)
    assert len(links) == len(set(links)) == pictures
    status = 403 if kind == "expired_links" else 200
    assert all(world.media(link).status == status for link in links)


def test_more_than_one_picture_of_a_single_model() -> None:
    """The key becomes `images`."""
    world = World(faults=[_fault("result", "more_pictures")])
    request_id = world.accepted()
    world.clock.advance(10)
    assert len(world.links(request_id)) == 2


def test_no_output_at_all() -> None:
    """Succeeded, and the key is missing."""
    world, request_id = _ended(_fault("result", "no_output"))
    assert world.result(request_id)["status"] == "succeeded"
    assert "output" not in world.result(request_id)


def test_links_to_somewhere_else() -> None:
    """As many as there are pictures, all different."""
    world, request_id = _ended(_fault("result", "foreign_url", url="http://10.0.0.1/x.jpg"))
    assert world.links(request_id) == [
        "http://10.0.0.1/x.jpg",
        "http://10.0.0.1/x.jpg?picture=2",
        "http://10.0.0.1/x.jpg?picture=3",
    ]


def test_faults_leave_errors_and_unfinished_requests_alone() -> None:
    """There is nothing to twist in them."""
    world = World(faults=[_fault("result", "no_pictures"), _fault("status", "word")])
    request_id = world.accepted()
    assert world.result(request_id)["status"] == "in_progress"
    assert "error_code" in world.result("nobody")
    assert "error_code" in world.status("nobody")
    assert "error_code" in world.service.status(request_id, token=None, origin=ORIGIN).body


def test_pictures_are_struck_by_number() -> None:
    """The others are not."""
    world, request_id = _ended(_fault("media", "http", status=404, shape="text", picture=2))
    answers = [world.media(link) for link in world.links(request_id)]
    assert [answer.status for answer in answers] == [200, 404, 200]
    assert isinstance(answers[0].payload, Recipe)
    with pytest.raises(TypeError, match="no JSON body"):
        assert answers[0].body


def test_faults_are_armed_anew() -> None:
    """With their counts and windows; windows run at the emulator's speed."""
    world = World(speed=20)
    window = _fault("submit", "drop", after_seconds=60, for_seconds=300)
    world.clock.advance(100)
    world.service.faults = [window]
    assert list(world.service.faults) == [window]
    struck = []
    for _ in range(20):
        struck.append(world.submit().fault is not None)
        world.clock.advance(1)
    assert struck == [False] * 3 + [True] * 15 + [False] * 2


def test_a_cancel_may_take_effect_unanswered() -> None:
    """As a submit may."""
    world = World(slots=1, faults=[_fault("cancel", "drop", accepted=True)])
    world.accepted()
    second = world.accepted()
    world.service.cancel(second, token=TOKEN)
    assert world.service.state(second) == "cancelled"
