"""`nightsheet check`."""

import csv
import io
import random
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.manifests.record import moment
from jobs.pauses import UNTIL_RESUMED, PauseReason
from jobs.sheets import PlannedJob, open_sheet, plan
from jobs.store.store import Store
from tests.unit.runner.cli.world import NOW, SERIES, TEXT, World, accepted, ansi, done, fetched, job

SHEET = f"id,prompt,model,count\na,Generate 2 images of a pier,{SERIES},2\nb,A pier,{TEXT},\n"


@pytest.fixture
def sheet(world: World) -> Path:
    path = world.folder / "night.csv"
    path.write_text(SHEET)
    return path


def test_the_plan(world: World, sheet: Path) -> None:
    """Jobs, pictures, models; the price is not known. Nothing is made."""
    ran = world.run("check", str(sheet))
    assert ran.code == 0
    assert (
        "Batch night: 2 jobs, at most 3 pictures, at a price that is unknown until the API is asked."
        in ran.out
    )
    assert f"nightsheet run {sheet}" in ran.out
    assert [path.name for path in world.folder.iterdir()] == ["night.csv"]


def test_the_plan_as_json(world: World, sheet: Path) -> None:
    """For scripts."""
    told = world.run("check", str(sheet), "--json", "--batch", "other").json
    samples = told.pop("samples")
    assert [(job["key"], job["row"], job["model"]) for job in samples] == [("a", 2, SERIES), ("b", 3, TEXT)]
    assert samples[1]["inputs"] == {"prompt": "A pier"}
    assert told == {
        "sheet": str(sheet),
        "batch": "other",
        "rows": 2,
        "jobs": 2,
        "pictures": 3,
        "models": {SERIES: {"jobs": 1, "pictures": 2}, TEXT: {"jobs": 1, "pictures": 1}},
        "to_send": {"jobs": 2, "pictures": 3},
        "price": {"low_usd": None, "high_usd": None},
        "price_source": "unknown",
        "difference": {
            "known": False,
            **{"new": 2, "changed": 0, "unchanged": 0, "adopted": 0, "gone": 0, "done": 0},
            "states": {},
        },
        "identical": {
            "jobs": 0,
            "pictures": 0,
            "low_usd": 0.0,
            "high_usd": 0.0,
            "linked": False,
            "examples": [],
        },
        "held": {"jobs": 0, "pictures": 0, "low_usd": 0.0, "high_usd": 0.0},
        "paid_before": [],
        "minutes": None,
        "paused": None,
        "not_sent": [],
        "read_as": {},
        "warning_count": 0,
        "warnings": [],
        "problem_count": 0,
        "problems": [],
    }


def test_what_was_said_is_said_again(world: World) -> None:
    """The next command would fail without it."""
    path = world.folder / "my night.csv"
    path.write_text("id,prompt\na,A pier\n")
    ran = world.run("check", str(path), "--model", TEXT, "--batch", "an other", "--emulator")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == (
        f"Next: nightsheet run '{path}' --batch 'an other' --model {TEXT} --emulator"
    )


def test_the_emulators_prices(world: World, sheet: Path) -> None:
    """They are known without asking."""
    ran = world.run("check", str(sheet), "--emulator")
    assert "for $0.08 to $0.12" in ran.out
    assert f"nightsheet run {sheet} --emulator" in ran.out


def test_the_prices_of_the_last_run(world: World, sheet: Path) -> None:
    """The batch remembers them."""
    world.load(job(0, "x"))

    async def note(store: Store) -> None:
        await store.batches.note_prices(1, {SERIES: Decimal("0.05"), TEXT: Decimal("0.05")})

    world.store(note)
    assert world.run("check", str(sheet), "--json").json["price"] == {"low_usd": 0.1, "high_usd": 0.15}


def test_it_refuses_what_run_refuses(world: World, sheet: Path) -> None:
    """With the same words and exit code: another database, another sheet's batch, another API's batch."""
    other = sheet.with_name("other.csv")
    other.write_bytes(sheet.read_bytes())

    def refused(code: int, said: str, path: Path, *words: str) -> None:
        checked, ran = (world.run(verb, str(path), *words) for verb in ("check", "run"))
        assert (checked.code, checked.out, checked.err) == (ran.code, ran.out, ran.err)
        assert (checked.code, said in checked.err) == (code, True)

    (world.folder / "letter.db").write_bytes(b"not a database, that is sure" * 10)
    refused(73, "letter.db", other, "--db", "letter.db")
    world.load(job(0, "x"))  # from night.csv, which is still there
    refused(2, "was loaded from", other, "--batch", "night")
    world.load(name="abroad", origin="https://elsewhere:443")
    refused(2, "belongs to https://elsewhere:443", sheet, "--batch", "abroad")


def test_a_run_s_token_is_asked_for_before_the_run(
    world: World, sheet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next step would end with 77; a rehearsal and a sheet that is done need none."""
    missing = "A run needs a token, and there is none: make one at runcomfy.com/profile"
    assert missing in world.run("check", str(sheet)).out
    assert missing not in world.run("check", str(sheet), "--emulator").out
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "two words")
    assert missing not in world.run("check", str(sheet)).out, "the price says what is wrong with it"
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "anything")
    assert missing not in world.run("check", str(sheet)).out


def test_a_sheet_that_was_moved_is_taken(world: World, sheet: Path) -> None:
    """As `run` takes it: the file that the batch was loaded from is gone."""
    world.load(job(0, "x"))
    (world.folder / "new").mkdir()
    moved = sheet.rename(world.folder / "new" / sheet.name)
    assert world.run("check", str(moved)).code == 0


def test_all_problems_exit_65(world: World) -> None:
    """Each in a block: where it is, what stands there, why not, what is valid."""
    path = world.folder / "bad.csv"
    path.write_text(f"id,prompt,model,count\na,x 2 images,{SERIES},99\nb,,{TEXT},\n")
    ran = world.run("check", str(path))
    assert (ran.code, ran.err) == (65, "")
    assert ran.out.splitlines() == [
        "row 2, count: 99",
        "  A whole number from 1 to 15 is needed here.",
        "row 3, prompt",
        "  This model needs a value here, and there is none.",
        f"{path} has 2 problems.",
        "Nothing is loaded or paid until that is fixed.",
    ]


def test_problems_as_json(world: World) -> None:
    """On standard output, with the same exit code; also where the sheet cannot be read at all."""
    path = world.folder / "bad.csv"
    path.write_text(f"id,prompt,model,count\na,x 2 images,{SERIES},99\n")
    ran = world.run("check", str(path), "--json")
    assert ran.code == 65
    (problem,) = ran.json["problems"]
    assert problem | {"message": "", "hint": ""} == {
        "file": str(path),
        "row": 2,
        "column": "count",
        "value": "99",
        "message": "",
        "hint": "",
    }
    empty = world.folder / "empty.csv"
    empty.write_text("")
    ran = world.run("check", str(empty), "--json")
    assert ran.code == 65
    assert len(ran.json["problems"]) == 1


def test_no_sheet_exits_66(world: World) -> None:
    """As the contract says."""
    assert world.run("check", "none.csv").code == 66


def test_warnings_are_counted_and_the_first_shown(world: World) -> None:
    """A cause once, with its rows; all with --verbose, and every job too."""
    path = world.folder / "many.csv"
    rows = "".join(f"k{number},Generate 4 images of a pier,{SERIES},2\n" for number in range(7))
    path.write_text(f"id,prompt,model,count\n{rows}")
    ran = world.run("check", str(path))
    assert ran.code == 0
    assert "7 warnings:" in ran.out
    assert ran.out.count("  7 rows (2-8): The prompt speaks of 4") == 1
    ran = world.run("check", str(path), "--verbose")
    assert ran.out.count(": The prompt speaks of 4") == 7
    assert f"{path}:8: k6: {SERIES}, 2 pictures at most" in ran.out


def test_of_many_causes_the_first_are_shown(world: World) -> None:
    """And how many warnings are left."""
    path = world.folder / "many.csv"
    rows = "".join(f"k{n},Generate {n + 5} images of a pier,{SERIES},2\n" for n in range(23))
    path.write_text(f"id,prompt,model,count\n{rows}")
    ran = world.run("check", str(path))
    assert ran.out.count(": The prompt speaks of") == 20
    assert f"  {path}:2:k0: The prompt speaks of 5" in ran.out
    assert "  and 3 more: --verbose shows all" in ran.out


def test_warnings_beside_problems_are_shown_with_them(world: World) -> None:
    """Who goes through a sheet once should not have to go through it again."""
    path = world.folder / "both.csv"
    path.write_text(f"id,prompt,model,count\na,#REF!,{SERIES},2\nb,Generate 4 images of a pier,{SERIES},2\n")
    ran = world.run("check", str(path))
    assert ran.code == 65
    assert "1 warning:" in ran.out
    assert ":3:b: The prompt speaks of 4" in ran.out
    assert ran.out.endswith("Nothing is loaded or paid until that is fixed.\n")


def test_control_characters_of_a_sheet_do_not_reach_the_terminal(world: World) -> None:
    """Wherever they stand."""
    path = world.folder / "odd.csv"
    path.write_text(f"id,prompt,model,size\n\x1b[31mk,x,{TEXT},\x1b]0;title\x07\n")
    ran = world.run("check", str(path))
    assert ran.code == 65
    assert ansi(ran.out + ran.err) == []


def test_problems_as_a_file_for_a_spreadsheet(world: World) -> None:
    """All of them, with Excel's mark, and nothing that is taken for a formula; the exit code stays."""
    path, output = world.folder / "bad.csv", world.folder / "problems.csv"
    path.write_text(f"id,prompt,model,count\na,x 2 images,{SERIES},=1+1\nb,,{TEXT},\n")
    ran = world.run("check", str(path), "--output", str(output))
    assert ran.code == 65
    assert f"Written: {output}" in ran.err
    header, first, second = csv.reader(io.StringIO(output.read_text(encoding="utf-8-sig")))
    assert header == ["file", "row", "column", "value", "message", "hint"]
    assert first[:4] == [str(path), "2", "count", "'=1+1"]
    assert second[:4] == [str(path), "3", "prompt", ""]
    path.write_text(SHEET)
    assert world.run("check", str(path), "--output", str(output)).code == 0
    assert len(output.read_text().splitlines()) == 1  # what was wrong is wrong no more
    assert sorted(file.name for file in world.folder.iterdir()) == ["bad.csv", "problems.csv"]


def test_the_list_is_not_written_over_the_sheet(world: World, sheet: Path) -> None:
    """Nor half of it anywhere."""
    assert world.run("check", str(sheet), "--output", str(sheet)).code == 2
    assert sheet.read_text() == SHEET
    assert world.run("check", str(sheet), "--output", str(world.folder / "no" / "where.csv")).code == 73
    assert world.run("check", str(sheet), "--output", str(world.folder)).code == 73
    assert [file.name for file in world.folder.iterdir()] == ["night.csv"]


def test_many_problems_of_few_causes_are_few_blocks(world: World) -> None:
    """And many causes are cut; the file and the JSON have them all."""
    path = world.folder / "bad.csv"
    path.write_text("id,prompt,model\n" + f"a,,{TEXT}\n" * 600)
    ran = world.run("check", str(path))
    assert ran.out.splitlines()[:4] == [
        "600 rows (2-601), prompt",
        "  This model needs a value here, and there is none.",
        "599 rows (3-601), id: a",
        "  This id is already the key of line 2. Give each job its own id, or none.",
    ]
    assert world.run("check", str(path), "--json").json["problem_count"] == 1199
    path.write_text("id,prompt,model\n" + "".join(f"a{n},x,{TEXT}\na{n},x,{TEXT}\n" for n in range(300)))
    ran = world.run("check", str(path))
    assert len(ran.out.splitlines()) == 2 * 200 + 3
    assert "and 100 more problems: `nightsheet check SHEET --output problems.csv` has them all" in ran.out


def test_problems_fit_a_terminal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines break between words, and a list of choices stands there once."""
    monkeypatch.setenv("COLUMNS", "60")
    path = world.folder / "bad.csv"
    path.write_text(f"id,prompt,model,size\na,x,{TEXT},1024x768\nb,x,{TEXT},9K\n")
    lines = world.run("check", str(path)).out.splitlines()
    assert all(len(line) <= 60 for line in lines if str(path) not in line)
    text = " ".join(" ".join(lines).split())
    assert text.count("2048x2048 (1:1), 2304x1728") == 1
    assert "(The choices stand above.)" in text


def test_columns_that_are_not_sent_are_named(world: World) -> None:
    """With what the model has instead, where other programs know the name; a warning then."""
    path = world.folder / "other.csv"
    path.write_text(
        "Caption,width,num_images,negative_prompt,kind\nA fox in the snow at dawn,1024,4,blurry,x\n"
    )
    ran = world.run("check", str(path), "--model", TEXT)
    assert ran.code == 0
    assert "The column Caption is read as prompt." in ran.out
    assert "Not sent, and kept for the manifest: width, num_images, negative_prompt, kind." in ran.out
    assert "3 warnings:" in ran.out
    assert f"  {path}:1: width: The column is not sent. Write it into a column size, as in 2K" in ran.out
    assert "num_images: The column is not sent. The model makes one picture a row." in ran.out
    assert "negative_prompt: The column is not sent. There is no negative prompt here." in ran.out
    told = world.run("check", str(path), "--model", SERIES, "--json").json
    assert told["not_sent"] == ["width", "num_images", "negative_prompt", "kind"]
    assert told["read_as"] == {"Caption": "prompt"}
    assert any("column count" in warning["message"] for warning in told["warnings"])
    assert told["warning_count"] == len(told["warnings"]) == 4  # the prompt names no number of pictures


def test_a_column_that_a_prompt_names_is_sent(world: World) -> None:
    """It is part of the prompt."""
    path = world.folder / "own.csv"
    path.write_text('prompt,steps,kind\n"A stair of {steps} steps, by night",7,x\n')
    assert world.run("check", str(path), "--model", TEXT, "--json").json["not_sent"] == ["kind"]


def test_standard_input_is_a_sheet(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read twice all the same, and nothing of it is left behind."""
    monkeypatch.setenv("TMPDIR", str(world.folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    for text, said in ((SHEET, ()), (SHEET.replace(",", ";"), ()), ("prompt\na\n", ("--model", TEXT))):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        ran = world.run("check", "-", "--batch", "tonight", *said)
        assert ran.code == 0, ran.err
        assert "Batch tonight: " in ran.out
        assert "nightsheet run - --batch tonight" in ran.out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SHEET.encode())))
    assert world.run("check", "-").code == 2
    assert list(world.folder.iterdir()) == []


def test_what_was_said_about_the_sheet_is_in_the_next_command(world: World) -> None:
    """So that it works when it is copied."""
    path = world.folder / "night.txt"
    path.write_bytes(SHEET.replace("pier", "M\u00fchle").encode("cp1252"))
    assert world.run("check", str(path)).code == 65
    ran = world.run("check", str(path), "--format", "csv", "--encoding", "cp1252")
    assert ran.code == 0
    assert f"nightsheet run {path} --format csv --encoding cp1252" in ran.out
    assert "cp1252" in world.run("check", str(path), "--format", "csv").out


def test_the_sheet_is_compared_with_its_batch(world: World, sheet: Path) -> None:
    """What is done costs nothing more; nothing is loaded."""
    planned = [one for one in plan(open_sheet(sheet), random.Random(1)) if isinstance(one, PlannedJob)]
    world.load(*planned, job(2, "gone"))
    world.price()
    world.move("a", accepted("r-1"), done(), fetched())
    ran = world.run("check", str(sheet))
    assert "To send: 1 job (1 left from before), at most 1 picture, for $0.04. 1 done, 1 gone.\n" in ran.out
    sheet.write_text(SHEET.replace("b,A pier", "b,A quay") + f"c,A pier,{TEXT},\n")
    told = world.run("check", str(sheet), "--json").json
    assert told["difference"] == {
        **{"known": True, "new": 1, "changed": 1, "unchanged": 1, "adopted": 0, "gone": 1, "done": 1},
        "states": {"succeeded": 1},
    }
    assert told["price"] == {"low_usd": 0.08, "high_usd": 0.08}
    assert world.states() == {"a": "succeeded", "b": "queued", "gone": "queued"}


def test_prices_of_the_settings_stand_in(world: World, sheet: Path) -> None:
    """Where the API has told none; what it told counts more."""
    (world.folder / "nightsheet.toml").write_text(f'[prices]\n"{SERIES}" = 1\n"{TEXT}" = "0.50"\n')
    assert "for $1.50 to $2.50." in world.run("check", str(sheet)).out
    world.load(job(0, "x"))
    world.price("0.04")
    assert "for $0.08 to $0.12." in world.run("check", str(sheet)).out
    (world.folder / "nightsheet.toml").write_text('[prices]\n"seedream-4-5/sequentiel" = 1\n')
    assert "prices in nightsheet.toml: " in world.run("check", str(sheet)).err


def test_how_long_it_takes_is_told_where_it_was_measured(world: World, sheet: Path) -> None:
    """From the last run that ended enough jobs."""
    world.load(*(job(position, f"k{position}") for position in range(5)))
    for position in range(5):
        world.move(f"k{position}", accepted(f"r-{position}"), done(), fetched())
    assert "pace" not in world.run("check", str(sheet)).out

    async def run(store: Store) -> None:
        await Store(store.database, lambda: NOW - timedelta(minutes=2)).batches.begin_run(1, pid=1, host="h")
        await Store(store.database, lambda: NOW).batches.end_run(1, 0)

    world.store(run)
    ran = world.run("check", str(sheet))
    assert "It will take about 48 s, at the pace of the last run." in ran.out


def paused(world: World, reason: PauseReason, detail: str = "This is\x1b why.") -> None:
    """A batch "night" that is paused."""
    world.load(job(0, "a"))

    async def pause(store: Store) -> None:
        await store.batches.pause((await store.batches.named(None)).id, reason, detail)

    world.store(pause)


@pytest.mark.parametrize("reason", sorted(UNTIL_RESUMED))
def test_a_pause_that_only_resume_clears_is_told(world: World, sheet: Path, reason: PauseReason) -> None:
    """`run` would send nothing: whoever asks before the night finds out before the night."""
    paused(world, reason)
    told = world.run("check", str(sheet))
    said = (
        f"Paused ({reason}), and `run` sends nothing: This is\\x1b why. To go on: `nightsheet resume night`."
    )
    assert (told.code, said in " ".join(told.out.split())) == (0, True)
    told = world.run("check", str(sheet), "--json")
    assert (told.code, told.json["paused"]) == (0, {"reason": reason.value, "since": moment(NOW)})
    assert world.run("check", str(sheet), "--batch", "other", "--json").json["paused"] is None


@pytest.mark.parametrize("reason", sorted(set(PauseReason) - UNTIL_RESUMED))
def test_a_pause_that_run_clears_is_not_told(world: World, sheet: Path, reason: PauseReason) -> None:
    """It would send."""
    paused(world, reason)
    assert "Paused" not in world.run("check", str(sheet)).out
    assert world.run("check", str(sheet), "--json").json["paused"] is None


def test_how_to_go_on_is_told_once(world: World, sheet: Path) -> None:
    """A guard's pause says it by itself."""
    paused(world, PauseReason.GUARD, "All fail. To go on: `nightsheet resume night`.")
    assert world.run("check", str(sheet)).out.count("nightsheet resume night") == 1
