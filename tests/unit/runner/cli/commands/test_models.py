"""`nightsheet models`."""

from decimal import Decimal

import pytest

from jobs.catalog.registry import MODELS
from runner.providers.base import Priced
from tests.unit.runner.cli.world import NOW, SERIES, World, job

EDIT = "bytedance/seedream-4-5/edit-sequential"


def test_the_table_has_every_model(world: World) -> None:
    """By its id."""
    ran = world.run("models")
    assert ran.code == 0
    assert [model for model in MODELS if model not in ran.out] == []


def test_the_list_as_json(world: World) -> None:
    """One object a model."""
    told = world.run("models", "--json").json
    assert [one["model"] for one in told] == list(MODELS)
    assert {tuple(one) for one in told} == {("model", "title", "summary", "source", "price", "inputs")}


def test_one_model_as_json(world: World) -> None:
    """With its inputs, and the schema of its page."""
    told = world.run("models", EDIT, "--json").json
    assert told["input_schema"] == MODELS[EDIT].input_schema()
    assert told["inputs"][3] == {
        "name": "seed",
        "word": "seed",
        "type": "integer",
        "required": False,
        "choices": [],
        "default": 54519385,
    }


@pytest.mark.parametrize("model", list(MODELS))
def test_one_model_for_a_person(world: World, model: str) -> None:
    """Every input by the word for it, with its choices, limits and default."""
    ran = world.run("models", model)
    assert ran.code == 0
    spec = MODELS[model]
    for name, field in spec.fields.items():
        assert name in ran.out
        assert all(str(choice) in ran.out for choice in field.choices)
    if model == EDIT:
        assert "count (at the API: sequential_image_generation_options): integer, required" in ran.out
        assert "at most 14" in ran.out


def test_a_near_miss_is_suggested(world: World) -> None:
    """What is paid for is never guessed, only proposed."""
    ran = world.run("models", "seedream-4-5/edit")
    assert ran.code == 2
    assert "Did you mean bytedance/seedream-4-5/edit?" in ran.err


# -- prices ----------------------------------------------------------------------------------------------


def test_nobody_knows_the_prices(world: World) -> None:
    """Without a token, a run and a table of one's own: said once, with the reason."""
    ran = world.run("models")
    assert "Prices: not known (there is no token to ask the API with)." in ran.out.splitlines()
    assert world.run("models", EDIT, "--json").json["price"] == {"usd": None, "source": "unknown", "at": None}


def test_the_api_tells_the_prices(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of today."""
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "anything")
    world.api.prices = dict.fromkeys(MODELS, Priced(Decimal("0.05")))
    ran = world.run("models")
    assert [line for line in ran.out.splitlines() if line.startswith("Prices: the API's of today, 20")]
    assert ran.out.count("$0.05") == len(MODELS)
    told = world.run("models", EDIT, "--json").json["price"]
    assert (told["usd"], told["source"], told["at"][-1]) == (0.05, "api", "Z")


def test_the_prices_of_the_last_run_and_of_the_settings(world: World) -> None:
    """Each with its day; the last run's before one's own."""
    world.load(job(0, "a"))
    world.price("0.04")
    world.store(lambda store: store.batches.begin_run(1, pid=1, host="here"))
    (world.folder / "nightsheet.toml").write_text(f'[prices]\n"{EDIT}" = 0.07\n"{SERIES}" = 0.09\n')
    prices = {one["model"]: one["price"] for one in world.run("models", "--json").json}
    assert prices[SERIES] == {"usd": 0.04, "source": "last_run", "at": "2026-03-04T01:02:03Z"}
    assert prices[EDIT] == {"usd": 0.07, "source": "settings", "at": None}
    ran = world.run("models")
    day = f"{NOW.astimezone():%Y-%m-%d}"
    why = "there is no token to ask the API with"
    assert (
        "Prices of seedream-4-5/text-to-image, seedream-4-5/sequential: "
        f"the API's of the last run, {day} ({why})." in ran.out
    )
    assert (
        f"Prices of seedream-4-5/edit-sequential: those under [prices] in nightsheet.toml ({why})." in ran.out
    )
    assert (
        f"An image: $0.07; those under [prices] in nightsheet.toml ({why})." in world.run("models", EDIT).out
    )


def test_a_rehearsal_has_prices_of_its_own(world: World) -> None:
    """Which are never paid."""
    assert "Prices: the emulator's, which costs nothing." in world.run("models", "--emulator").out
