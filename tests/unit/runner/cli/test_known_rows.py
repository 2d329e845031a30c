"""What `check`, `run`, `status` and `jobs` tell of rows that are known by what they say."""

import random
from pathlib import Path

import pytest

from jobs.sheets import PlannedJob, open_sheet, plan
from jobs.store.store import Store
from runner.planning.held import hold
from runner.settings import Settings
from tests.support.tables import NIGHT
from tests.unit.runner.cli.world import API, TEXT, World, accepted, done, fetched

ROWS = [f"A boat no. {n}" for n in range(4)]


def sheet(world: World, name: str, *said: str, ids: str = "") -> str:
    """A sheet of these prompts, with ids where `ids` begins them."""
    heading = "id,prompt,model" if ids else "prompt,model"
    lines = [f"{ids}{n},{text},{TEXT}" if ids else f"{text},{TEXT}" for n, text in enumerate(said)]
    path = world.folder / name
    path.write_text("\n".join([heading, *lines]) + "\n")
    return str(path)


def rows(path: str) -> list[PlannedJob]:
    """The rows of a sheet, as they are loaded."""
    return [item for item in plan(open_sheet(Path(path)), random.Random(1)) if isinstance(item, PlannedJob)]


@pytest.fixture
def night(world: World) -> World:
    """Three rows of the sheet night.csv are paid for."""
    path = sheet(world, "night.csv", *ROWS[:3])

    async def load(store: Store) -> None:
        await store.batches.load(name="night", sheet=path, origin=API, planned=rows(path))

    world.store(load)
    for key in world.jobs():
        world.move(key, accepted(f"r-{key}"), done("0.04"), fetched())
    return world


def words(text: str) -> str:
    return " ".join(text.split())


def test_check_tells_of_ids_that_were_added(night: World) -> None:
    """Nothing is loaded, nothing is sent: the jobs are known."""
    path = sheet(night, "night.csv", *ROWS, ids="n")
    ran = night.run("check", path)
    assert "3 rows are known under other ids: nothing is paid for them." in words(ran.out)
    assert "To send: 1 job (1 new), at most 1 picture" in words(ran.out)
    told = night.run("check", path, "--json").json
    assert (told["difference"]["adopted"], told["to_send"]["jobs"], told["difference"]["gone"]) == (3, 1, 0)
    assert sorted(night.jobs()) == sorted(job.key for job in night.jobs().values())


def test_check_tells_what_another_batch_paid_for(night: World) -> None:
    """With day and batch, and what it means; `--again` counts it as to be sent."""
    path = sheet(night, "copy.csv", *ROWS)
    ran = night.run("check", path)
    assert ran.code == 0
    assert "3 of these 4 rows were paid for on 4 March" in words(ran.out)
    assert "under batch night." in words(ran.out)
    assert "--yes does not send them" in words(ran.out)
    told = night.run("check", path, "--json").json
    assert (told["to_send"]["jobs"], told["held"]["jobs"]) == (1, 3)
    (place,) = told["paid_before"]
    assert (place["batch"], place["database"], place["rows"]) == ("night", None, 3)
    assert night.run("check", path, "--json", "--again").json["to_send"]["jobs"] == 4
    assert "copy" not in night.run("status", "copy").out


def test_another_folder_is_told_of_the_database_beside_the_sheet(
    night: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First of all, with the command for it; and its rows are held."""
    path = str(night.folder / "night.csv")
    other = night.folder / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    ran = night.run("check", path)
    beside = night.folder / "nightsheet.db"
    assert words(ran.err).startswith(f"There is no database here ({other / 'nightsheet.db'}), and one beside")
    assert f"nightsheet check {path} --db {beside}" in words(ran.err)
    assert "3 rows were paid for on 4 March" in words(ran.out)
    assert "(nightsheet.db beside it)" in words(ran.out)
    sent = night.run("run", path, "--yes")
    assert sent.code == 2
    assert f"nightsheet run {path} --db {beside}" in words(sent.err)
    assert "3 rows were paid for before, and nothing else is left: nothing was sent." in words(sent.err)


@pytest.mark.parametrize(("answer", "made"), [(False, False), (True, True)])
def test_on_a_terminal_a_new_database_is_asked_for(
    night: World, monkeypatch: pytest.MonkeyPatch, answer: bool, made: bool
) -> None:
    """A no makes none, and sends nothing."""
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr("runner.cli.console.console.is_interactive", lambda: True)
    monkeypatch.setattr("runner.cli.console.console.ask", ask)
    other = night.folder / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    ran = night.run("run", str(night.folder / "night.csv"), "--yes" if made else "--quiet")
    assert ran.code == 2
    assert (other / "nightsheet.db").exists() is made
    assert asked == ([] if made else ["Make a new database here?"])


def test_a_database_that_is_named_is_meant(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is told of another one; what it paid for is held all the same."""
    monkeypatch.chdir(night.folder)
    ran = night.run("run", "night.csv", "--yes", "--db", "new.db")
    assert "There is no database here" not in ran.err
    assert "3 rows were paid for before" in words(ran.err)


def test_status_and_jobs_tell_of_held_rows(night: World) -> None:
    """How many, why, and what to do."""
    path = sheet(night, "copy.csv", *ROWS)

    async def load(store: Store) -> None:
        batch, _ = await store.batches.load(name="copy", sheet=path, origin=API, planned=rows(path))
        await hold(store, batch, {}, NIGHT, lambda _text: None)

    night.store(load)
    status = night.run("status", "copy", "--json").json
    assert status["held"] == 3
    text = words(night.run("status", "copy").out)
    assert "3 of the queued are held: paid for before, and not sent again unasked" in text
    assert "nightsheet resume copy --again" in text
    listed = words(night.run("jobs", "copy", "--verbose").out)
    assert "held: paid for on 2026-03-04 under batch night" in listed


def test_a_worksheet_and_standard_input_have_a_folder_or_none(tmp_path: Path) -> None:
    """What is no path has no database beside it."""
    (tmp_path / "nightsheet.db").touch()
    settings = Settings()
    assert settings.database_beside(f"{tmp_path}/a.xlsx#Night") == tmp_path / "nightsheet.db"
    assert settings.database_beside("standard input") is None
    assert settings.database_beside(str(tmp_path / "no" / "a.csv")) is None
    assert Settings(db=tmp_path / "nightsheet.db").database_beside(f"{tmp_path}/a.csv") is None
