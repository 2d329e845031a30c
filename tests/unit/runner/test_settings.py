"""Settings: a flag beats the environment beats `nightsheet.toml`; what does not do is told with its place."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.errors import UsageProblem
from jobs.sheets.images.way import Way
from runner.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no settings of this machine."""
    for name in list(os.environ):
        if name.startswith("NIGHTSHEET_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wrong(flags: dict[str, Any]) -> str:
    """What is said about them."""
    with pytest.raises(UsageProblem) as told:
        load_settings(flags)
    assert told.value.exit_code == 2
    return told.value.message


def test_the_defaults_are_those_of_the_contract(here: Path) -> None:
    """Scripts depend on them."""
    settings = load_settings({})
    assert settings.database == here / "nightsheet.db"
    assert settings.output_root == here / "outputs"
    assert (settings.concurrency, settings.submit_gate, settings.rate) == (8, 4, None)
    assert (settings.poll_min, settings.poll_max) == (0.25, 5)
    assert (settings.deadline, settings.outage_limit) == (3600, 1800)
    assert (settings.max_attempts, settings.budget) == (1, None)
    assert settings.resubmit_unconfirmed == 0
    switches = [settings.emulator, settings.yes, settings.as_json, settings.quiet, settings.verbose]
    assert switches == [False] * 5


def test_the_emulator_has_files_of_its_own(here: Path) -> None:
    """Unless others are named."""
    settings = load_settings({"emulator": True})
    assert settings.database == here / "nightsheet-emulator.db"
    assert settings.output_root == here / "outputs-emulator"
    named = load_settings({"emulator": True, "db": Path("a.db"), "output_dir": Path("o")})
    assert (named.database, named.output_root) == (here / "a.db", here / "o")


def test_flag_environment_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In that order; None is no flag."""
    (here / "nightsheet.toml").write_text("concurrency = 1\nsubmit_gate = 1\nrate = 1\nbudget = 2.5\n")
    monkeypatch.setenv("NIGHTSHEET_SUBMIT_GATE", "2")
    monkeypatch.setenv("NIGHTSHEET_RATE", "2")
    settings = load_settings({"rate": 3, "concurrency": None, "submit_gate": None})
    assert (settings.concurrency, settings.submit_gate, settings.rate) == (1, 2, 3)
    assert settings.budget == Decimal("2.5")


SAMPLES = {
    "db": "a.db",
    "output_dir": "o",
    "name_template": "{key}-{index}",
    "budget": "3",
    "picture_hosts": "a.example, b.example",
    "proxy": "http://127.0.0.1:3128",
    "faults": "busy",
} | {
    name: "7"
    for name, field in Settings.model_fields.items()
    if field.annotation in (int, float, bool) and name != "as_json"
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_setting_has_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """NIGHTSHEET_ and its name in capitals."""
    field = Settings.model_fields[name]
    value = str(int(not field.get_default())) if field.annotation is bool else SAMPLES[name]
    monkeypatch.setenv(f"NIGHTSHEET_{name.upper()}", value)
    assert getattr(load_settings({}), name) != Settings.model_fields[name].get_default()


def test_json_is_a_setting_like_the_others(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By flag, variable and file, under that name."""
    assert load_settings({"json": True}).as_json
    monkeypatch.setenv("NIGHTSHEET_JSON", "1")
    assert load_settings({}).as_json
    assert load_settings({"json": None}).as_json
    monkeypatch.delenv("NIGHTSHEET_JSON")
    (here / "nightsheet.toml").write_text("json = true\n")
    assert load_settings({}).as_json


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As CI systems set them."""
    monkeypatch.setenv("NIGHTSHEET_CONCURRENCY", "")
    assert load_settings({}).concurrency == 8


def test_picture_hosts_as_a_list_or_with_commas(here: Path) -> None:
    """The file has lists, the environment has not."""
    (here / "nightsheet.toml").write_text('picture_hosts = ["a.example", "b.example"]\n')
    assert load_settings({}).picture_hosts == ("a.example", "b.example")
    assert load_settings({"picture_hosts": "a.example, ,c.example"}).picture_hosts == (
        "a.example",
        "c.example",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("concurrency", value) for value in (0, 1001, "many")),
        *(("submit_gate", value) for value in (0, 65)),
        *(("poll_min", value) for value in (0, -1, float("nan"), float("inf"))),
        *(("rate", value) for value in (0, float("nan"))),
        *(("budget", value) for value in (-1, "NaN", "Infinity", "much")),
        ("max_attempts", 0),
        ("deadline", 0),
        ("speed", 0),
        ("name_template", "{index}"),
    ],
)
def test_what_does_not_do_is_told_with_its_flag(name: str, value: Any) -> None:
    """Nothing is guessed or clipped."""
    if name == "name_template":
        with pytest.raises(UsageProblem, match="name template"):
            load_settings({name: value})
        return
    assert f"--{name.replace('_', '-')}: " in wrong({name: value})


def test_all_that_is_wrong_is_told_with_its_place(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, so that one mends it once."""
    (here / "nightsheet.toml").write_text('deadline = "long"\nconcurency = 3\nodd = 1\n')
    monkeypatch.setenv("NIGHTSHEET_RATE", "-3")
    told = wrong({"concurrency": 0})
    assert "--concurrency: " in told
    assert "NIGHTSHEET_RATE: " in told
    assert "deadline in nightsheet.toml: " in told
    assert "nightsheet.toml has no setting 'concurency', but 'concurrency'" in told
    assert "nightsheet.toml has no setting 'odd'" in told


def test_a_file_that_cannot_be_read(here: Path) -> None:
    """Told in a sentence."""
    (here / "nightsheet.toml").write_text("concurrency = \n")
    assert wrong({}).startswith("nightsheet.toml cannot be read: ")


def test_settings_do_not_change() -> None:
    """What was agreed at the start holds to the end."""
    settings = load_settings({})
    with pytest.raises(ValidationError):
        settings.concurrency = 9  # type: ignore[misc]


def test_a_link_to_a_database_is_that_database(tmp_path: Path) -> None:
    """Lock and journal lie beside the file, once: two runners never share it under two names."""
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    assert Settings(db=tmp_path / "link.db").database == (tmp_path / "real.db").resolve()


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that is not read is no limit; what is not like ours at all may be another program's."""
    monkeypatch.setenv("NIGHTSHEET_SOMETHING_ELSE", "1")
    load_settings({})
    monkeypatch.setenv("NIGHTSHEET_BUDGT", "3")
    with pytest.raises(UsageProblem, match="NIGHTSHEET_BUDGT") as caught:
        load_settings({})
    assert "NIGHTSHEET_BUDGET" in caught.value.hint


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({}, Way.REFUSE),
        ({"emulator": True}, Way.INSIDE),
        ({"emulator": True, "upload": "refuse"}, Way.REFUSE),
        ({"upload": "data-uri"}, Way.INSIDE),
        ({"upload": "s3://bucket/prefix"}, Way.STORE),
        ({"upload": "gs://bucket"}, Way.STORE),
    ],
)
def test_how_pictures_get_to_the_api(said: dict[str, object], way: Way) -> None:
    """Not at all unless somebody says how; in a rehearsal inside the request."""
    assert load_settings(said).way is way


@pytest.mark.parametrize(
    "store",
    [
        *("s3", "bucket/prefix", "https://bucket.example/x", "file:///tmp/x", "s3://", "s3:///x"),
        *("s3://key:secret@bucket/x", "s3://bucket/x?secret=1", "s3://bucket/a b", "Refuse", ""),
    ],
)
def test_what_is_no_store_is_refused_unrepeated(store: str) -> None:
    """It may hold a password."""
    with pytest.raises(UsageProblem, match="--upload: value error, refuse, data-uri, or a store") as refused:
        load_settings({"upload": store})
    assert "secret" not in str(refused.value)


def test_a_rehearsal_keeps_away_from_the_real_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the file and the environment; the command line knows what it does."""
    monkeypatch.setenv("NIGHTSHEET_UPLOAD", "s3://bucket/real")
    assert load_settings({"emulator": True}).way is Way.INSIDE
    assert load_settings({}).way is Way.STORE
    assert load_settings({"emulator": True, "upload": "s3://bucket/test"}).way is Way.STORE


def test_picture_folders_are_a_list_in_each_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commas in the environment."""
    monkeypatch.setenv("NIGHTSHEET_PICTURE_FOLDERS", "/a, b/c")
    assert load_settings({}).picture_folders == (Path("/a"), Path("b/c"))


def test_a_process_that_can_do_less_does_less() -> None:
    """Whatever `tune` says; nothing gets more than it asked for."""
    plain = Settings(concurrency=64, downloads=2)
    assert (plain.in_flight(900), plain.within(100, 9).concurrency) == (900, 64)
    fitted = plain.within(6, 1)
    assert (fitted.concurrency, fitted.downloads, fitted.in_flight(900), fitted.in_flight(3)) == (6, 1, 6, 3)
    found_out = Settings(concurrency="auto").within(6, 1)
    assert (found_out.concurrency, found_out.in_flight("auto"), found_out.most_in_flight) == (
        "auto",
        "auto",
        6,
    )


def test_no_budget_can_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the command line it takes back what `tune`, the environment or the file has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTSHEET_BUDGET", "5")
    assert load_settings({}).budget == 5
    settings = load_settings({"budget": "None"})
    assert (settings.budget, settings.on_command_line("budget")) == (None, True)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("postgresql://studio:hunter2@db/night", "a password in an address is seen by everybody"),
        ("postgresql://studio@db/night?password=hunter2", "a password in an address is seen by everybody"),
        (Path("postgresql:/studio:hunter2@db/night"), "an address of a server looks like this"),
        ("mysql://studio:hunter2@db/night", "a file is needed, or an address of a server"),
    ],
)
def test_an_address_that_is_refused_is_not_said_again(place: str | Path, why: str) -> None:
    """It was taken for a path with odd folders, and a password in it was shown."""
    with pytest.raises(UsageProblem, match=f"--db: value error, {why}") as refused:
        load_settings({"db": place})
    assert "hunter2" not in f"{refused.value.message} {refused.value.hint}"
    assert load_settings({"db": "C:/night.db"}).db == Path("C:/night.db")


def test_a_database_on_a_server_has_a_folder_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One for each server, database and user; the address is kept as it was given."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    urls = [f"postgresql://{user}@{host}/night" for user in ("a", "b") for host in ("db.local", "db_local")]
    places = [load_settings({"db": url}).place for url in urls]
    assert [str(place) for place in places] == urls
    assert len({place.path for place in places}) == 4
    assert {place.path.parent.parent for place in places} == {tmp_path / "nightsheet" / "servers"}
    assert load_settings({"db": urls[0]}).flags_for("status") == [("--db", urls[0])]


def test_a_rehearsal_keeps_out_of_a_studio_s_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its jobs are at an API inside one process."""
    monkeypatch.setenv("NIGHTSHEET_DB", "postgresql://studio@db/night")
    with pytest.raises(UsageProblem, match="A rehearsal keeps its jobs in a file") as refused:
        load_settings({"emulator": True})
    assert refused.value.hint == "Add --db nightsheet-emulator.db."
    assert load_settings({"emulator": True, "db": "nightsheet-emulator.db"}).emulator
