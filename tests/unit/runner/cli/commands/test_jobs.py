"""`nightsheet jobs` and `nightsheet export`."""

import csv
import io
import json

import pytest

from jobs.manifests import FORMATS
from runner.cli.commands.export import FormatName
from runner.cli.steps.exports.data_sets import DataSetName
from tests.unit.runner.cli.world import SERIES, World, accepted, ansi, done, fetched, job, refused, unanswered


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
    """Key, row, state, model, attempts, cost, prompt, the sheet's own columns and the reason."""
    night(world)
    ran = world.run("jobs")
    assert ran.code == 0
    header, *rows = [line.split() for line in ran.out.splitlines()]
    assert header == ["key", "row", "state", "model", "attempts", "cost", "prompt", "note", "reason"]
    assert "$0.08  Generate images of a  =1" in ran.out
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


def test_a_long_reason_is_cut_unless_all_is_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is for looking over; what goes into a pipe is whole, so that grep finds it."""
    world.load(job(0, "a"))
    world.move("a", refused("x" * 300))
    assert "x" * 300 in world.run("jobs").out
    monkeypatch.setenv("COLUMNS", "80")
    assert "x" * 300 not in world.run("jobs").out
    assert "x" * 300 in world.run("jobs", "--verbose").out


# -- columns and conditions ------------------------------------------------------------------------------


def test_columns_of_choice(world: World) -> None:
    """Inputs by the sheet's words, the sheet's own, cost and images; each once, in the order asked for."""
    night(world)
    ran = world.run("jobs", "--columns", "key, note", "--columns", "seed,cost,images,key")
    header, first, *_ = [line.split() for line in ran.out.splitlines()]
    assert header == ["key", "note", "seed", "cost", "images"]
    assert first == ["a", "=1", "7", "$0.08", "outputs/night/a/01.jpg"]
    told = world.run("jobs", "--json", "--columns", "key,seed,cost,note,request_id,warnings").json
    assert told[0] == {
        **{"key": "a", "seed": 7, "cost": 0.08, "note": "=1", "request_id": "r-0"},
        "warnings": ["one\x1b warning"],
    }
    assert told[1] == dict.fromkeys(["cost", "note", "request_id"]) | {"key": "b", "seed": 8, "warnings": []}


def test_a_column_that_hides_behind_another(world: World) -> None:
    """The sheet's own `state` has its own name; `inputs.` and `columns.` say which is meant."""
    world.load(job(0, "a", columns={"state": "draft", "mood": "calm"}))
    header = world.run("jobs").out.splitlines()[0].split()
    assert [name for name in header if "." in name] == ["columns.state"]
    told = world.run("jobs", "--json", "--columns", "state,columns.state,columns.mood,inputs.seed").json
    assert told == [{"state": "queued", "columns.state": "draft", "columns.mood": "calm", "inputs.seed": 7}]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("note==1",), ["a"]),
        (("state=failed",), ["b"]),
        (("seed=7", "seed=8"), ["a", "b"]),
        (("seed=7", "seed=8", "state=failed"), ["b"]),
        (("note=",), ["b", "c"]),
        (("cost=$0.08",), ["a"]),
        (("id=c",), ["c"]),
    ],
)
def test_conditions(world: World, words: tuple[str, ...], keys: list[str]) -> None:
    """Values of one column are alternatives, every column must match."""
    night(world)
    asked = [part for word in words for part in ("--where", word)]
    assert [one["key"] for one in world.run("jobs", "--json", *asked).json] == keys


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--where", "note"), "a column, =, and its value are needed"),
        (("--where", "nota=1"), "Did you mean note?"),
        (("--columns", "promt"), "Did you mean prompt?"),
        (("--columns", "zzzzzz"), "Columns: batch, key, "),
        (("a", "--columns", "key"), "cannot be combined with"),
        (("night", "zz"), "has no job 'zz'"),
        (("zz",), "There is no batch 'zz'"),
    ],
)
def test_what_is_not_there(world: World, words: tuple[str, ...], said: str) -> None:
    """A slip is no empty list."""
    night(world)
    ran = world.run("jobs", *words)
    assert (ran.code, ran.out, said in ran.err) == (2, "", True)


def test_no_job_fits(world: World) -> None:
    """Said."""
    night(world)
    assert world.run("jobs", "--where", "seed=1").out == "Batch night: no job fits.\n"


# -- one job in full -------------------------------------------------------------------------------------


def test_one_job_in_full(world: World) -> None:
    """Everything that is known of it, uncut; a key alone is looked for in the batch last run."""
    night(world)
    ran = world.run("jobs", "a")
    assert ran.out.splitlines()[:6] == [
        "Job a of batch night: succeeded",
        f"  row        2 of {world.folder / 'night.csv'}",
        f"  model      {SERIES}",
        "  prompt     Generate images of a",
        "  seed       7",
        "  own: note  =1",
    ]
    assert "accepted, request r-0, ended: done, $0.08" in ran.out
    assert "  image      outputs/night/a/01.jpg (2x3, 10 bytes)" in ran.out
    assert ansi(ran.out) == []
    assert world.run("jobs", "night", "a").out == ran.out
    assert [one["key"] for one in world.run("jobs", "a", "--json").json] == ["a"]


def test_one_job_that_failed(world: World) -> None:
    """With what to do about it, for this database."""
    night(world)
    last = world.run("jobs", "b", "--db", "nightsheet.db").out.splitlines()[-1]
    assert last == "Give it another chance: nightsheet retry night --job b --db nightsheet.db"
    world.move("c", unanswered())
    assert world.run("jobs", "c").out.splitlines()[-1] == "Decide about it: nightsheet review night"


def test_a_batch_s_name_comes_before_a_key(world: World) -> None:
    """BATCH KEY says which is meant."""
    world.load(job(0, "night"))
    assert world.run("jobs", "night").out.startswith("key ")
    assert world.run("jobs", "night", "night").out.startswith("Job night of batch night: queued")


def test_many_jobs_come_in_pages(world: World) -> None:
    """Each page has its header; none is lost."""
    world.load(*(job(position, f"k{position}") for position in range(501)))
    lines = world.run("jobs").out.splitlines()
    assert [line for line in lines if line.startswith("key")] == [lines[0], lines[501]]
    assert len(lines) == 503


# -- export ----------------------------------------------------------------------------------------------


def test_export_to_standard_output_is_jsonl(world: World) -> None:
    """Nothing else is there; that a picture is not on disk is said beside it."""
    night(world)
    ran = world.run("export", "night")
    assert ran.code == 0
    assert ran.err == (
        "1 picture that it names could not be found. Put them back, or fetch them again, free as long as the "
        "API has them: nightsheet retry night --free\n"
    )
    records = [json.loads(line) for line in ran.out.splitlines()]
    assert [record["key"] for record in records] == ["a", "b", "c"]
    assert records[0]["images"][0]["missing"] is True
    assert records[0]["warnings"][-1] == "Picture 1 is no longer on disk."


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
    ran = world.run("export", "--output", "n.xlsx")
    assert (ran.code, "say what it is to hold with --format" in ran.err) == (2, True)
    assert not (world.folder / "n.xlsx").exists()
    assert world.run("export", "--output", "n.xlsx", "--format", "csv").code == 0


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
    assert {name.value for name in FormatName} == {*FORMATS, *(name.value for name in DataSetName)}


def test_the_unconfirmed_have_their_reason(world: World) -> None:
    """In the table and in the record."""
    world.load(job(0, "a"))
    world.move("a", unanswered("no answer"))
    assert world.run("jobs", "--json").json[0]["error"] == {
        "kind": "unconfirmed",
        "code": None,
        "message": "no answer",
    }
