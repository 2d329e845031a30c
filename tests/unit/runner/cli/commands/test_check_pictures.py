"""`check` over a sheet with pictures of this computer: how they would get to the API is told."""

import io
import sys

import pytest

from jobs.sheets.images.way import UNPROVEN
from tests.support.small_pictures import put
from tests.unit.runner.cli.world import World

EDIT = "bytedance/seedream-4-5/edit"


def sheet(world: World, cell: str = "refs") -> None:
    """Two rows that name pictures, and one that names none."""
    put(world.folder / "refs" / "a.png")
    rows = f"a,fox,{EDIT},{cell}\nb,owl,{EDIT},{cell}\nc,elk,{EDIT},https://a.example/1.png\n"
    (world.folder / "a.csv").write_text(f"id,prompt,model,images\n{rows}")


def test_into_a_store(world: World) -> None:
    """Its name stays in the command that goes on."""
    sheet(world)
    ran = world.run("check", "a.csv", "--upload", "s3://bucket/refs")
    assert ran.code == 0, ran.err
    assert (
        "2 jobs use pictures of this computer, which are uploaded to s3://bucket/refs before the job is sent."
        in ran.out
    )
    assert ran.out.endswith("Next: nightsheet run a.csv --upload s3://bucket/refs\n")


def test_inside_the_request(world: World) -> None:
    """Unproven at the API, and the usual way in a rehearsal."""
    sheet(world)
    real = world.run("check", "a.csv", "--upload", "data-uri")
    assert UNPROVEN.split(".")[0] in " ".join(real.out.split())
    rehearsal = world.run("check", "a.csv", "--emulator")
    assert "which go inside the request" in rehearsal.out
    assert "not documented" not in rehearsal.out


def test_refused_by_default_with_all_that_is_wrong(world: World) -> None:
    """A picture's own problems are told as well."""
    sheet(world, "refs|tiny.png")
    put(world.folder / "tiny.png", size=(5, 50))
    ran = world.run("check", "a.csv", "--json")
    assert ran.code == 65
    assert {"must exceed 14 pixels" in problem["message"] for problem in ran.json["problems"]} == {True}
    put(world.folder / "tiny.png")
    told = world.run("check", "a.csv", "--json").json["problems"]
    assert [(problem["row"], problem["message"]) for problem in told] == [
        (2, "The row names pictures of this computer, and nothing says how they get to the API."),
        (3, "The row names pictures of this computer, and nothing says how they get to the API."),
    ]


def test_a_store_that_does_not_do(world: World) -> None:
    """Told by `check` already."""
    sheet(world)
    ran = world.run("check", "a.csv", "--upload", "memory://x")
    assert (ran.code, "cannot sign addresses" in ran.err) == (2, True)
    assert world.run("check", "a.csv", "--upload", "somewhere").code == 2


def test_a_sheet_from_standard_input_names_pictures_from_here(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the command is run."""
    sheet(world)
    data = (world.folder / "a.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    ran = world.run("check", "-", "--batch", "b", "--emulator")
    assert ran.code == 0, ran.err
    assert "2 jobs use pictures of this computer" in ran.out
