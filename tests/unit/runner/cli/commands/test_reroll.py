"""`nightsheet reroll`: marked pictures as rows of a new sheet, with ids of their own, and its price."""

import csv
import json
from dataclasses import replace

import pytest
from PIL import Image

from jobs.store.store import Store
from runner.deciding.reroll_rows import RowSet, sayable
from tests.unit.runner.cli.commands.rerolls import apart, apply, load, mark, marked_night, planned, rows
from tests.unit.runner.cli.world import (
    TEXT,
    World,
    accepted,
    done,
    fetched,
)


@pytest.fixture
def night(world: World) -> World:
    """A series of two pictures, one of a model without seeds, a failure, a doubt, and a queued job."""
    return marked_night(world)


def test_a_sheet_says_what_its_jobs_said(night: World) -> None:
    """Its rows are planned to the same inputs, with a new seed where there is one, and are other rows."""
    mark(night, "series", "text", "failed")
    ran = night.run("reroll", "night")
    assert ran.code == 0
    path = night.folder / "night-rerolls-1.csv"
    assert ran.out.splitlines()[0] == "3 jobs, at most 4 pictures, for $0.12 to $0.16."
    assert ran.out.splitlines()[-1] == "Next: nightsheet run night-rerolls-1.csv"
    assert [row["id"] for row in rows(path)] == ["series-r1", "text-r1", "failed-r1"]
    assert {row["again"] for row in rows(path)} == {"night-rerolls-1"}
    assert [row["reroll_of"] for row in rows(path)] == ["series", "text", "failed"]
    before, after = night.jobs(), {one.columns["reroll_of"]: one for one in planned(path)}
    for key in ("series", "text", "failed"):
        was, now = json.loads(before[key].inputs), after[key].inputs
        if "seed" in was:
            assert was.pop("seed") != now.pop("seed")
        assert {name: now[name] for name in was} == was
        assert after[key].model == before[key].model
        assert after[key].fingerprint != before[key].fingerprint
    assert after["text"].columns == {"mood": "=calm", "again": "night-rerolls-1", "reroll_of": "text"}
    assert night.states() == {key: view.state.value for key, view in before.items()}


def test_what_is_in_a_sheet_comes_into_no_other(night: World) -> None:
    """Until it is marked anew: then with the next id, in the next batch."""
    mark(night, "text")
    assert night.run("reroll", "night", "--json").json["jobs"] == 1
    again = night.run("reroll", "night", "--json").json
    assert again == {
        "sheet": None,
        "batch": None,
        "jobs": 0,
        "images": 0,
        "low_usd": 0.0,
        "high_usd": 0.0,
        "command": None,
        "left_out": [],
        "not_said": [],
        "made_before": [str((night.folder / "night-rerolls-1.csv").absolute())],
    }
    assert "Written before: " in night.run("reroll", "night").out
    apart(night)
    mark(night, "text")
    told = night.run("reroll", "night", "--json").json
    assert told["sheet"] == "night-rerolls-2.csv"
    assert [row["id"] for row in rows(night.folder / told["sheet"])] == ["text-r2"]


def test_a_dry_run_writes_nothing(night: World) -> None:
    """Neither a file nor that there is one."""
    mark(night, "series")
    ran = night.run("reroll", "night", "--dry-run", "--variants", "3")
    assert "3 jobs, at most 6 pictures, for $0.12 to $0.24." in ran.out
    assert list(night.folder.glob("*rerolls*")) == []
    assert night.run("reroll", "night", "--json").json["images"] == 2


def test_variants_have_seeds_of_their_own(night: World) -> None:
    """Of a model without seeds the same words are sent once more; the same seed is kept for the asking."""
    mark(night, "series", "text")
    night.run("reroll", "night", "--variants", "3")
    found = rows(night.folder / "night-rerolls-1.csv")
    assert [row["id"] for row in found] == [f"{key}-r{n}" for key in ("series", "text") for n in (1, 2, 3)]
    assert len({row["seed"] for row in found[:3]}) == 3
    assert {row["seed"] for row in found[3:]} == {""}
    before = json.loads(night.jobs()["series"].inputs)["seed"]
    apart(night)
    mark(night, "series")
    night.run("reroll", "night", "--seed", "same")
    row = rows(night.folder / "night-rerolls-2.csv")[0]
    assert (row["id"], row["seed"]) == ("series-r4", str(before))


def test_pictures_of_one_series_are_one_job(night: World) -> None:
    """It is paid whole."""

    async def second(store: Store) -> None:
        batch = await store.batches.named(None)
        view = await store.jobs.by_key(batch.id, "series")
        assert view is not None
        attempt = (await store.ledger.attempts(batch.id, view.id))[-1]
        other = replace(view.images[0], number=2, sha256="b" * 64)
        await store.ledger.record_image(view.id, attempt.id, other)

    night.store(second)
    mark(night, "series:1", "series:2")
    told = night.run("reroll", "night", "--json").json
    assert (told["jobs"], told["images"], told["low_usd"], told["high_usd"]) == (1, 2, 0.04, 0.08)
    assert night.run("reroll", "night", "--json").json["jobs"] == 0


def test_what_is_still_to_come_is_left_out(night: World) -> None:
    """It would be paid twice; a doubt is decided about first."""
    mark(night, "doubt", "queued", "text")
    ran = night.run("reroll", "night")
    assert "Left out: queued: it is queued, and comes by itself." in " ".join(ran.err.split())
    assert "Left out: doubt: it may be paid for already" in " ".join(ran.err.split())
    assert [row["id"] for row in rows(night.folder / "night-rerolls-1.csv")] == ["text-r1"]


def test_pictures_of_this_computer_are_named_where_they_lie(world: World) -> None:
    """The new sheet may lie in another folder than the first one."""
    image = world.folder / "in" / "fox.png"
    image.parent.mkdir()
    Image.new("RGB", (600, 600), (200, 60, 40)).save(image)
    sheet = world.folder / "night.csv"
    edit = "bytedance/seedream-4-5/edit"
    sheet.write_text(f"id,model,prompt,images\na,{edit},Make it blue,in/fox.png|https://p.example/2.png\n")

    load(world, sheet)
    world.move("a", accepted("r-a"), done())
    world.picture("a")
    apply(world, "a", fetched())
    mark(world, "a")
    ran = world.run("reroll", "night", "--output", str(world.folder / "elsewhere" / "more.csv"))
    assert ran.code == 0, ran.err
    (row,) = rows(world.folder / "elsewhere" / "more.csv")
    assert row["images"] == f"{image}|https://p.example/2.png"
    assert row["again"] == "more"
    assert f"It names pictures in {image.parent}: a run takes them if" in " ".join(ran.out.split())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--output", "there.csv"], "there.csv exists already, and is left as it is."),
        (["--output", "sub/night.csv"], "There is a batch 'night' already."),
        (["--output", "more.xlsx"], "more.xlsx does not end with .csv."),
        (["--seed", "7"], "--seed is new or same."),
    ],
)
def test_nothing_is_written_over(night: World, arguments: list[str], why: str) -> None:
    """Exit 2; what is marked stays marked."""
    mark(night, "text")
    (night.folder / "there.csv").write_text("mine")
    ran = night.run("reroll", "night", *arguments)
    assert ran.code == 2
    assert why in " ".join(ran.err.split())
    assert (night.folder / "there.csv").read_text() == "mine"
    assert night.run("reroll", "night", "--json").json["jobs"] == 1


@pytest.fixture
def one_cannot(world: World) -> World:
    """Two pictures to make again; the prompt of one would be read as another, beside a column of its own."""
    sheet = world.folder / "night.csv"
    rows = (f"a,{TEXT},A {{kind}},fox,{{product}}", f"b,{TEXT},A boat,hen,small")
    sheet.write_text("\n".join(("id,model,prompt,product,kind", *rows, "")))
    load(world, sheet)
    assert json.loads(world.jobs()["a"].inputs)["prompt"] == "A {product}"
    for key in ("a", "b"):
        world.move(key, accepted(f"r-{key}"), done())
        world.picture(key)
        apply(world, key, fetched())
    mark(world, "a")
    return world


def test_what_a_sheet_cannot_say_is_not_written(one_cannot: World) -> None:
    """A prompt that a template would change: what is paid has to be what was looked at. Exit 1, in words."""
    ran = one_cannot.run("reroll", "night")
    assert ran.code == 1
    told = " ".join(ran.err.split())
    assert "Not written: a: a sheet cannot say it: a-r1, prompt. It stays marked." in told
    assert "take the mark away: nightsheet decide night --clear a" in told
    assert "nothing was written" in " ".join(ran.out.split())
    assert not (one_cannot.folder / "night-rerolls-1.csv").exists()


def test_one_that_cannot_be_said_does_not_hold_up_the_others(one_cannot: World) -> None:
    """They are written and priced without it; it stays marked, and --strict writes nothing."""
    mark(one_cannot, "b")
    ran = one_cannot.run("reroll", "night", "--strict")
    assert ran.code == 2
    assert "with --strict nothing is. a: a sheet cannot say it" in " ".join(ran.err.split())
    sheet = one_cannot.folder / "night-rerolls-1.csv"
    assert not sheet.exists()
    dry = one_cannot.run("reroll", "night", "--dry-run", "--json")
    assert (dry.code, dry.json["jobs"], dry.json["not_said"]) == (1, 1, ["a"])
    ran = one_cannot.run("reroll", "night", "--json")
    assert (ran.code, ran.json["jobs"], ran.json["not_said"]) == (1, 1, ["a"])
    assert [one["key"] for one in ran.json["left_out"]] == ["a"]
    assert [row["id"] for row in csv.DictReader(sheet.read_text().splitlines())] == ["b-r1"]
    again = one_cannot.run("reroll", "night", "--json")
    assert (again.code, again.json["sheet"], again.json["not_said"]) == (1, None, ["a"])
    assert one_cannot.run("decide", "night", "--clear", "a").code == 0
    again = one_cannot.run("reroll", "night", "--json")
    assert (again.code, again.json["not_said"]) == (0, [])


def test_two_that_no_sheet_says_together() -> None:
    """Each can be said alone: the second stays marked, and comes with the next sheet."""
    first = RowSet(({"id": "a", "model": TEXT, "prompt": "A {mood} fox"},), ())
    second = RowSet(({"id": "b", "model": TEXT, "prompt": "A hen", "mood": "calm"},), ())
    assert sayable("x.csv", [first]) == ([0], {})
    assert sayable("x.csv", [second]) == ([0], {})
    kept, why = sayable("x.csv", [first, second])
    assert kept == [0]
    assert why[1].startswith("not beside the others, though in another sheet: ")
