"""`check --remote`: what is wrong with a hosted picture is told before anything is paid for it."""

import pytest

from runner.cli.steps.sheets import hosted_images
from tests.support.loopback import host
from tests.support.small_pictures import picture, put
from tests.unit.runner.cli.world import World

EDIT = "bytedance/seedream-4-5/edit"


def sheet(world: World, *cells: str) -> None:
    """A sheet with these cells for pictures."""
    rows = "".join(f"k{n},fox {n},{EDIT},{cell}\n" for n, cell in enumerate(cells))
    (world.folder / "a.csv").write_text(f"id,prompt,model,images\n{rows}")


def test_sound_pictures_are_looked_at_once_each(world: World) -> None:
    """However many rows name them; those of this computer were looked at before."""
    put(world.folder / "local.png")
    with host(body=picture()) as (address, asked):
        sheet(world, address, f"{address}|local.png", f"{address}?2")
        ran = world.run("check", "a.csv", "--emulator", "--remote")
    assert ran.code == 0, ran.err
    assert "Looked at: 2 hosted pictures." in ran.out
    paths = ("/a.png", "/a.png?2")
    assert sorted(asked) == [f"{method} {path} None" for method in ("GET", "HEAD") for path in paths]


def test_without_the_flag_nobody_is_asked(world: World) -> None:
    """A check is offline."""
    with host(body=picture()) as (address, asked):
        sheet(world, address)
        assert world.run("check", "a.csv", "--emulator").code == 0
    assert asked == []


def test_each_problem_with_its_row_its_address_and_the_rule(world: World) -> None:
    """The same rules as for pictures of this computer; a signature is not repeated."""
    with (
        host(body=picture(size=(10, 100))) as (small, _),
        host(body=picture("WEBP")) as (webp, _),
        host(404) as (gone, _),
    ):
        sheet(world, f"{small}?signature=secret", webp, f"{gone}|{webp}")
        ran = world.run("check", "a.csv", "--emulator", "--remote", "--json")
    assert ran.code == 65
    problems = ran.json["problems"]
    assert [(p["row"], p["column"], p["value"]) for p in problems] == [
        (2, "images", small),
        (3, "images", webp),
        (4, "images", gone),
    ]
    assert "It has a width of 10 pixels" in problems[0]["message"]
    assert problems[1]["message"].endswith("the model takes jpeg and png. (1 more row names it.)")
    assert problems[2]["message"] == "The API could not fetch it: its host answers 404."
    assert "secret" not in ran.err


def test_what_only_half_the_page_refuses_is_a_warning(world: World) -> None:
    """As for any picture."""
    with host(body=picture(size=(90, 160))) as (address, _asked):
        sheet(world, address)
        ran = world.run("check", "a.csv", "--emulator", "--remote", "--json")
    assert (ran.code, ran.json["warning_count"]) == (0, 1)
    assert "a ratio of 0.5625" in ran.json["warnings"][0]["message"]


def test_not_on_this_machine_for_the_real_api(world: World) -> None:
    """It could not fetch it from here."""
    with host(body=picture()) as (address, asked):
        sheet(world, address)
        ran = world.run("check", "a.csv", "--remote")
    assert ran.code == 65
    assert "The API could not fetch it" in ran.out
    assert asked == []


def test_there_is_an_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a sheet with very many addresses, some are looked at."""
    monkeypatch.setattr(hosted_images, "MOST", 1)
    with host(body=picture()) as (address, asked):
        sheet(world, address, f"{address}?2", f"{address}|{address}?3")
        ran = world.run("check", "a.csv", "--emulator", "--remote")
    assert ran.code == 0
    assert "Looked at: 1 hosted picture; the sheet names 2 more." in ran.out
    assert len(asked) == 2
