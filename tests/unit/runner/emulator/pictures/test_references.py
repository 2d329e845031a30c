"""The emulator looks at references as the API would: what it sees shows, what it cannot see fails the run."""

from base64 import b64encode

import anyio
import pytest
from pydantic import JsonValue

from runner.emulator.pictures.looks import NOTHING_SEEN, ReferenceLooks, Unseen, inside, look_of, thumbnail
from runner.emulator.pictures.pictures import render
from runner.emulator.pictures.recipe import Recipe
from runner.emulator.pictures.references import look_at
from tests.support.loopback import host
from tests.support.small_pictures import picture
from tests.unit.runner.emulator.world import SINGLE, World

EDIT = "bytedance/seedream-4-5/edit"
RED = "data:image/png;base64," + b64encode(picture(colour="#ff0000")).decode()


async def seen(*images: object, model: str = EDIT) -> ReferenceLooks:
    """What is seen of these references."""
    return await look_at(model, {"prompt": "x", "images": [*images]}, anyio.CapacityLimiter(2))  # type: ignore[list-item]


async def test_links_of_this_machine_are_fetched_for_real() -> None:
    """Signature and all, without a token; others are not, and are drawn by their names."""
    with host(body=picture(colour="#00ff00")) as (link, asked):
        found = await seen(f"{link}?signature=a%2Fb", "https://images.example.com/1.png", RED)
        assert asked == ["GET /a.png?signature=a%2Fb None"]
    assert [thumbnail(look).getpixel((3, 3)) for look in found.looks] == [(0, 255, 0), (255, 0, 0)]
    assert await seen("https://images.example.com/1.png", "http://10.0.0.1/1.png") == NOTHING_SEEN


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, b"", "its link answers 403"),
        (404, b"", "its link answers 404"),
        (200, b"hello", "it is no picture"),
        (200, picture()[:40], "it is no picture"),
    ],
)
async def test_a_link_that_does_not_work(status: int, body: bytes, words: str) -> None:
    """Expired, gone, or no picture: a sentence that names which one."""
    with host(status, body) as (link, _asked):
        found = await seen(RED, link)
    assert found == ReferenceLooks(why_not=f"InvalidImage: reference picture 2 cannot be used: {words}.")


async def test_a_redirect_may_lead_away_and_is_not_followed() -> None:
    """It is an answer without a picture."""
    with host(302, location="https://example.com/") as (link, asked):
        found = await seen(link)
        assert len(asked) == 1
    assert found.why_not is not None
    assert "answers 302" in found.why_not


async def test_nobody_listens() -> None:
    """A server that is gone."""
    with host() as (link, _asked):
        pass
    found = await seen(link)
    assert found.why_not == "InvalidImage: reference picture 1 cannot be used: its link does not answer."


@pytest.mark.parametrize("body", [None, [], {"images": "x"}, {"images": None}, {"images": [1, None, {}]}])
async def test_a_body_that_is_none(body: object) -> None:
    """The schema's check has the word about it."""
    assert await look_at(EDIT, body, anyio.CapacityLimiter(2)) == NOTHING_SEEN  # type: ignore[arg-type]
    assert await look_at("nobody/knows", body, anyio.CapacityLimiter(2)) == NOTHING_SEEN  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("data:image/png;base64", "has no data"),
        ("data:image/png;base64,%%%", "cannot be decoded"),
        ("data:image/png;base64," + "A" * (45 << 20), "too large"),
    ],
)
def test_data_that_is_none(address: str, words: str) -> None:
    """Bounded, and told."""
    with pytest.raises(Unseen, match=words):
        inside(address)


def test_references_show_in_the_picture() -> None:
    """Another reference is another picture; none is the picture as it always was."""
    plain = Recipe("m", "p", 1, 0, 1, (256, 256))
    red = Recipe("m", "p", 1, 0, 1, (256, 256), looks=(look_of(picture(colour="red")),))
    blue = Recipe("m", "p", 1, 0, 1, (256, 256), looks=(look_of(picture(colour="blue")),))
    assert len({render(plain), render(red), render(blue)}) == 3
    assert render(red) == render(Recipe("m", "p", 1, 0, 1, (256, 256), looks=red.looks))


def test_a_run_without_its_references_fails_as_any_other() -> None:
    """Accepted, billed as a failure is, and told in the result; a restart remembers it."""
    world = World()
    body: JsonValue = {"prompt": "x", "images": [RED]}
    why = ReferenceLooks(why_not="InvalidImage: no.")
    request_id = world.service.submit(EDIT, body, token="night", origin="http://127.0.0.1:1", seen=why).body[
        "request_id"
    ]
    world.clock.advance(60)
    result = world.result(str(request_id))
    assert (result["status"], result["error"]) == ("failed", "InvalidImage: no.")
    again = World(clock=world.clock, journal=world.journal)
    assert again.result(str(request_id))["error"] == "InvalidImage: no."


def test_pictures_inside_a_body_are_not_kept() -> None:
    """What they look like is; the journal of a night would be gigabytes."""
    world = World()
    long = "data:image/png;base64," + b64encode(bytes(10_000)).decode()
    look = look_of(picture(colour="red"))
    world.service.submit(
        EDIT,
        {"prompt": long, "images": [long]},
        token="night",
        origin="http://x",
        seen=ReferenceLooks((look,)),
    )
    (submit,) = world.service.ledger
    packed = len(long.partition(",")[2])
    assert submit.looks == (look,)
    assert submit.body == {"prompt": long, "images": [f"data:image/png;base64,({packed} characters)"]}


def test_long_signatures_are_not_kept() -> None:
    """Nobody should get at the pictures by the emulator's journal."""
    world = World()
    signed = "https://store.example/a.png?" + "s" * 300
    world.accepted({"prompt": "x", "images": [signed, "https://a.example/b.png?size=2"]}, EDIT)
    (submit,) = world.service.ledger
    assert submit.body["images"] == [
        "https://store.example/a.png?(300 characters)",
        "https://a.example/b.png?size=2",
    ]


def test_a_client_s_own_name_for_a_picture_is_no_address() -> None:
    """What the catalogue lets through for us, the API would not take."""
    answer = World().submit({"prompt": "x", "images": [f"picture:sha256:{'0' * 64}.png"]}, EDIT)
    assert answer.status == 422
    assert World().submit({"prompt": "x"}, SINGLE).status == 200
