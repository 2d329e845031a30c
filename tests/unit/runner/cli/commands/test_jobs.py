"""`nightsheet jobs` and `nightsheet export`."""

import csv
import io
import json

import pytest

from jobs.manifests import FORMATS
from runner.cli.commands.export import FormatName
from tests.unit.runner.cli.world import World, accepted, ansi, done, fetched, job, refused, unanswered


def night(world: World) -> None:
    world.load(
        job(0, "a", columns={"note": "=1"}),
        job(1, "b"),
        job(2, "c", inputs={"prompt": "[red]\x1b[31m"}),
    )
    world.move("a", accepted("r-0"), done("0.08"), fetched("one\x1b warning"))
    world.picture("a")
    world.move("b", refused("bad \x1b[31m[bold]size"))


def test_the_table(world: World) -> None:
    """Key, row, state, model, attempts and the reason."""
    night(world)
    ran = world.run("jobs")
    assert ran.code == 0
    header, *rows = [line.split() for line in ran.out.splitlines()]
    assert header == ["key", "row", "state", "model", "attempts", "reason"]
    assert [row[:3] for row in rows] == [["a", "2", "succeeded"], ["b", "3", "failed"], ["c", "4", "queued"]]
    assert "refused: bad \\x1b[31m[bold]size" in ran.out
    assert "warning: one\\x1b warning" in ran.out
    assert ansi(ran.out) == []


def test_only_some_states(world: World) -> None:
    """As often as --state is given."""
    night(world)
    keys = [
        record["key"] for record in world.run("jobs", "--state", "failed", "--state", "queued", "--json").json
    ]
    assert keys == ["b", "c"]
    assert world.run("jobs", "--state", "running", "--json").json == []


def test_none_is_said(world: World) -> None:
    """Nothing at all would look like a defect."""
    night(world)
    ran = world.run("jobs", "--state", "running")
    assert (ran.code, ran.out) == (0, "Batch night: no job is running.\n")
    ran = world.run("jobs", "--state", "running", "--state", "unconfirmed")
    assert ran.out == "Batch night: no job is running or unconfirmed.\n"
    world.load()
    assert world.run("jobs").out == "Batch night: it has no jobs.\n"


def test_json_has_the_records_of_the_manifest(world: World) -> None:
    """The same, to the letter, as an export gives; paths are relative to the current folder."""
    night(world)
    records = world.run("jobs", "--json").json
    exported = [json.loads(line) for line in world.run("export").out.splitlines()]
    assert records == exported
    assert records[0]["images"][0]["path"] == "outputs/night/a/01.jpg"
    assert records[1]["error"] == {"kind": "refused", "code": "422001", "message": "bad \x1b[31m[bold]size"}


def test_a_long_reason_is_cut_unless_all_is_asked_for(world: World) -> None:
    """A table is for looking over."""
    world.load(job(0, "a"))
    world.move("a", refused("x" * 300))
    assert "x" * 300 not in world.run("jobs").out
    assert "x" * 300 in world.run("jobs", "--verbose").out


def test_many_jobs_come_in_pages(world: World) -> None:
    """Each page has its header; none is lost."""
    world.load(*(job(position, f"k{position}") for position in range(501)))
    lines = world.run("jobs").out.splitlines()
    assert [line for line in lines if line.startswith("key")] == [lines[0], lines[501]]
    assert len(lines) == 503


# -- export ----------------------------------------------------------------------------------------------


def test_export_to_standard_output_is_jsonl(world: World) -> None:
    """Nothing else is there."""
    night(world)
    ran = world.run("export", "night")
    assert (ran.code, ran.err) == (0, "")
    assert [json.loads(line)["key"] for line in ran.out.splitlines()] == ["a", "b", "c"]


def test_export_as_csv(world: World) -> None:
    """Safe for a spreadsheet."""
    night(world)
    ran = world.run("export", "--format", "csv", "--output", "-")
    rows = list(csv.DictReader(io.StringIO(ran.out, newline="")))
    assert [row["columns.note"] for row in rows] == ["'=1", "", ""]


@pytest.mark.parametrize(
    ("name", "first"), [("n.csv", "batch,key"), ("n.jsonl", '{"batch"'), ("n", '{"batch"')]
)
def test_the_ending_says_the_format(world: World, name: str, first: str) -> None:
    """Unless --format does."""
    night(world)
    ran = world.run("export", "--output", name)
    assert (ran.code, ran.out) == (0, "")
    assert (world.folder / name).read_text("utf-8").startswith(first)


def test_an_ending_that_is_not_written_is_refused(world: World) -> None:
    """With the way out; and nothing is there. --format says what is meant."""
    night(world)
    ran = world.run("export", "--output", "n.parquet")
    assert (ran.code, "say what it is to hold with --format" in ran.err) == (2, True)
    assert not (world.folder / "n.parquet").exists()
    assert world.run("export", "--output", "n.parquet", "--format", "csv").code == 0


def test_format_beats_the_ending(world: World) -> None:
    """It was said."""
    night(world)
    world.run("export", "--output", "n.csv", "--format", "jsonl")
    assert (world.folder / "n.csv").read_text("utf-8").startswith('{"batch"')


def test_paths_are_relative_to_the_manifest(world: World) -> None:
    """So that the two can be moved together."""
    night(world)
    world.run("export", "--output", "outputs/night/m.jsonl")
    text = (world.folder / "outputs" / "night" / "m.jsonl").read_text("utf-8")
    assert json.loads(text.splitlines()[0])["images"][0]["path"] == "a/01.jpg"


def test_all_adds_what_left_the_sheet(world: World) -> None:
    """And only then."""
    night(world)
    world.load(job(0, "z", fingerprint="f" * 64))
    assert len(world.run("export").out.splitlines()) == 1
    assert len(world.run("export", "--all").out.splitlines()) == 4


def test_an_output_that_cannot_be_written_exits_73(world: World) -> None:
    """In words."""
    night(world)
    (world.folder / "file").write_text("x")
    ran = world.run("export", "--output", "file/m.csv")
    assert ran.code == 73
    assert "cannot be written" in ran.err


def test_the_command_knows_every_format() -> None:
    """Its list is written down twice, for a quick start."""
    assert {name.value for name in FormatName} == set(FORMATS)


def test_the_unconfirmed_have_their_reason(world: World) -> None:
    """In the table and in the record."""
    world.load(job(0, "a"))
    world.move("a", unanswered("no answer"))
    assert world.run("jobs", "--json").json[0]["error"] == {
        "kind": "unconfirmed",
        "code": None,
        "message": "no answer",
    }
