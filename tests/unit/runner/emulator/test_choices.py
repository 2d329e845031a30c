"""Every choice that the documentation leaves open can be made."""

import pytest

from tests.unit.runner.emulator.world import ORIGIN, SINGLE, TOKEN, World

DATA_URI = "data:image/png;base64,AAAA"
EDIT = "bytedance/seedream-4-5/edit"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_status_of_a_refused_token(status: int) -> None:
    """The code stays 400004."""
    answer = World(token_status=status).submit(token=None)
    assert (answer.status, answer.body["error_code"]) == (status, 400004)


@pytest.mark.parametrize("status", [400, 402])
def test_status_of_an_empty_balance(status: int) -> None:
    """The code stays 400002."""
    answer = World(balance_status=status, balance_usd=0).submit()
    assert (answer.status, answer.body["error_code"]) == (status, 400002)


def test_status_and_code_of_a_schema_error() -> None:
    """Both are unknown."""
    answer = World(schema_status=400, schema_error_code=400007).submit({})
    assert (answer.status, answer.body["error_code"]) == (400, 400007)


def test_errors_may_come_with_200() -> None:
    """Only the body tells."""
    world = World(errors_on_200=True, balance_usd=0)
    assert (world.submit().status, world.submit().body["error_code"]) == (200, 400002)
    limited = World(errors_on_200=True, max_submits_per_second=1)
    limited.accepted()
    assert limited.submit().status == 429  # a gateway's word, not the API's


def test_failed_is_told_by_the_result_and_perhaps_by_the_status() -> None:
    """The documented status words have no `failed`."""
    for told, word in ((False, "completed"), (True, "failed")):
        world = World(failed_share=1.0, failed_in_status=told)
        request_id = world.accepted()
        world.clock.advance(10)
        assert world.word(request_id) == word
        assert world.result(request_id)["status"] == "failed"
        assert "output" not in world.result(request_id)


def test_shapes_of_the_error_of_a_failed_run() -> None:
    """A sentence, an object with its code, or nothing."""
    seen = []
    for shape in ("string", "object", "none"):
        world = World(moderated_share=1.0, error_shape=shape)
        request_id = world.accepted()
        world.clock.advance(10)
        seen.append(world.result(request_id).get("error"))
    assert str(seen[0]).startswith("OutputImageSensitiveContentDetected: ")
    assert seen[1] == {"code": "OutputImageSensitiveContentDetected", "message": seen[0]}
    assert seen[2] is None


def test_words_and_shapes_of_success() -> None:
    """`completed` in the result, one picture in a list, 202 on submit, another word for cancelled."""
    world = World(
        success_word="completed",
        single_picture_as="images",
        submit_status=202,
        cancel_word="cancelled",
        slots=1,
    )
    answer = world.submit()
    assert (answer.status, answer.body["status"]) == (202, "in_queue")
    assert world.cancel(world.accepted())["status"] == "cancelled"
    world.clock.advance(10)
    request_id = str(answer.body["request_id"])
    assert world.result(request_id)["status"] == "completed"
    assert list(world.output(request_id)) == ["images"]


def test_timestamps() -> None:
    """Epoch seconds as text, or none."""
    for choice, created in (("epoch", "1795212000"), ("none", None)):
        world = World(timestamps=choice)
        assert world.result(world.accepted()).get("created_at") == created


def test_the_result_may_repeat_the_inputs() -> None:
    """URLs among them are not output."""
    world = World(echo_inputs=True)
    assert world.result(world.accepted({"prompt": "x"}))["input"] == {"prompt": "x"}


def test_an_unfinished_result_may_be_an_error() -> None:
    """400005, until the request has ended."""
    world = World(unfinished_result="error")
    request_id = world.accepted()
    answer = world.service.result(request_id, token=TOKEN, origin=ORIGIN)
    assert (answer.status, answer.body["error_code"]) == (400, 400005)
    world.clock.advance(10)
    assert world.result(request_id)["status"] == "succeeded"


def test_unknown_keys() -> None:
    """Ignored, or refused by name."""
    body = {"prompt": "x", "watermark": False}
    assert World().submit(body).status == 200
    refused = World(unknown_keys="refused").submit(body)
    assert refused.status == 422
    assert "watermark" in str(refused.body["error_message"])


def test_data_uris() -> None:
    """Refused, or taken as a picture; one as an only picture or in a list."""
    body = {"prompt": "x", "images": [DATA_URI, DATA_URI]}
    refused = World(data_uris="refused").submit(body, EDIT)
    assert refused.status == 422
    assert "images: must be public" in str(refused.body["error_message"])
    assert World().submit(body, EDIT).status == 200
    assert World().submit(body | {"images": DATA_URI}, EDIT).status == 422
    assert World().submit({"prompt": DATA_URI}, SINGLE).status == 200


@pytest.mark.parametrize(
    ("choice", "header"), [("seconds", "7"), ("date", "Fri, 20 Nov 2026 22:00:07 GMT"), ("none", None)]
)
def test_too_many_submits_a_second(choice: str, header: str | None) -> None:
    """429, and the way in which it says when to come back; a second later it is over."""
    world = World(max_submits_per_second=2, retry_after=choice, retry_after_seconds=7)
    world.accepted()
    world.accepted()
    refused = world.submit()
    assert refused.status == 429
    assert dict(refused.headers).get("retry-after") == header
    assert len(world.service.ledger) == 2
    world.clock.advance(1)
    world.accepted()


def test_the_queue_may_have_a_limit() -> None:
    """Only what would have to wait is refused."""
    world = World(slots=1, queue_limit=1)
    world.accepted()
    world.accepted()
    assert world.submit().status == 429
    world.clock.advance(10)
    world.accepted()
    none = World(slots=1, queue_limit=0)
    none.accepted()
    assert none.submit().status == 429
