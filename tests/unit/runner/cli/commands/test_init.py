"""`nightsheet init`: a first sheet, which `check` takes as it is."""

import pytest

from jobs.catalog.registry import MODELS
from jobs.sheets.first_sheet import PLACEHOLDER
from tests.unit.runner.cli.world import World

ENDINGS = ("csv", "tsv", "xlsx", "yaml", "yml", "jsonl")


@pytest.mark.parametrize("model", MODELS)
def test_a_sheet_for_each_model_is_taken(world: World, model: str) -> None:
    """With the columns of the model, and no others; nothing is odd about it."""
    ran = world.run("init", "mine.csv", "--model", model)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Next: nightsheet check mine.csv")
    header = (world.folder / "mine.csv").read_text("utf-8-sig").splitlines()[0].split(",")
    assert set(header) == {"id", "model", *MODELS[model].vocabulary}
    assert (PLACEHOLDER in ran.out) is ("images" in MODELS[model].vocabulary)
    told = world.run("check", "mine.csv", "--json")
    assert (told.code, told.json["jobs"], told.json["warnings"]) == (0, 2, [])


@pytest.mark.parametrize("ending", ENDINGS)
def test_one_sheet_for_all_models_in_any_format(world: World, ending: str) -> None:
    """Each row has what its model takes."""
    asked = [word for model in MODELS for word in ("--model", model)]
    assert world.run("init", f"all.{ending}", *asked).code == 0
    told = world.run("check", f"all.{ending}", "--json")
    assert (told.code, told.json["jobs"], [*told.json["models"]]) == (0, 2 * len(MODELS), [*MODELS])


def test_without_words(world: World) -> None:
    """sheet.csv, for a model that needs no image of one's own."""
    assert world.run("init").code == 0
    assert world.run("check", "sheet.csv").code == 0


def test_a_file_is_never_overwritten(world: World) -> None:
    """Nor a link that leads to nothing followed."""
    (world.folder / "mine.csv").write_text("prompt\nmine\n")
    (world.folder / "link.csv").symlink_to("nowhere.csv")
    for name in ("mine.csv", "link.csv"):
        ran = world.run("init", name)
        assert (ran.code, "exists already" in ran.err) == (2, True)
    assert (world.folder / "mine.csv").read_text() == "prompt\nmine\n"
    assert not (world.folder / "nowhere.csv").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("a.doc",), 2, "Choose a name that ends with .csv"),
        (("bytedance/seedream-4-5/edit",), 2, "a model is named with --model"),
        (("a.csv", "--model", "seedream-4-5/edit"), 2, "Did you mean bytedance/seedream-4-5/edit?"),
        (("no/folder/a.csv",), 73, "cannot be written"),
    ],
)
def test_what_cannot_be_written(world: World, words: tuple[str, ...], code: int, said: str) -> None:
    """Told in words, and nothing is there afterwards."""
    ran = world.run("init", *words)
    assert (ran.code, said in ran.err) == (code, True)
    assert list(world.folder.iterdir()) == []


def test_the_next_step_stays_in_the_rehearsal(world: World) -> None:
    """As it may be pasted."""
    ran = world.run("init", "a.csv", "--emulator", "--db", "my night.db")
    assert ran.out.splitlines()[-1] == "Next: nightsheet check a.csv --emulator --db 'my night.db'"
