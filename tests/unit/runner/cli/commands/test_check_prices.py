"""`nightsheet check` and the price: asked of the API where there is a token, else as far as it is known."""

from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from jobs.pauses import PauseReason
from jobs.store.store import Store
from runner.planning import prices
from runner.providers.base import CallFailed, NoSuchModel, Priced, PriceVerdict, Stopped
from tests.unit.runner.cli.world import SERIES, TEXT, FakeApi, World, job

PRICED = Priced(Decimal("0.06"))


@pytest.fixture
def sheet(world: World) -> Path:
    path = world.folder / "night.csv"
    path.write_text(f"id,prompt,model\na,Generate 3 images of a pier,{SERIES}\nb,A pier,{TEXT}\n")
    return path


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch, world: World) -> str:
    """After the world is made: it takes away what this machine has."""
    secret = "canary-check-token"
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", secret)
    return secret


def last_run(world: World, usd: str = "0.05") -> None:
    world.load(job(0, "x"))

    async def note(store: Store) -> None:
        await store.batches.note_prices(1, {SERIES: Decimal(usd), TEXT: Decimal(usd)})

    world.store(note)


def test_the_api_tells(world: World, sheet: Path, token: str) -> None:
    """Each model once, before what was told in the last run; nothing is loaded."""
    world.api.prices = {SERIES: PRICED, TEXT: PRICED}
    ran = world.run("check", str(sheet))
    assert ran.code == 0
    assert "for $0.12 to $0.24" in ran.out
    assert "The price is the API's, asked just now." in ran.out
    assert token not in ran.out + ran.err
    assert sorted(world.api.asked) == [("price", SERIES), ("price", TEXT)]
    assert not world.database.exists()
    last_run(world)
    told = world.run("check", str(sheet), "--json").json
    assert (told["price"]["low_usd"], told["price_source"]) == (0.12, "api")


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (Stopped(PauseReason.TOKEN, "Bad token."), "the API refuses: Bad token"),
        (CallFailed("no route to host"), "the API does not answer: no route to host"),
        (Priced(None), "the API has no price for a model"),
        (NoSuchModel("gone"), "the API has no price for a model"),
    ],
)
def test_trouble_leaves_what_is_known(
    world: World, sheet: Path, token: str, verdict: PriceVerdict, why: str
) -> None:
    """The last run, else the settings, else nothing; and why the API did not tell. Never an error."""
    world.api.prices = {SERIES: PRICED, TEXT: verdict}
    ran = world.run("check", str(sheet))
    assert (ran.code, ran.err) == (0, "")
    assert f"The price is not known ({why})." in ran.out
    prices = "".join(f'"{model}" = 0.03\n' for model in (SERIES, TEXT))
    (world.folder / "nightsheet.toml").write_text(f"[prices]\n{prices}")
    assert (
        f"The price is that under [prices] in nightsheet.toml ({why})." in world.run("check", str(sheet)).out
    )
    last_run(world)
    ran = world.run("check", str(sheet))
    assert f"The price is the API's, of the batch's last run ({why})." in ran.out
    record = world.run("check", str(sheet), "--json").json
    assert record["price_source"] == "last_run"
    assert record["price"]["low_usd"] == 0.11, "the model that was told is reckoned at its new price"


def test_silence_is_waited_out_for_a_moment(
    world: World, sheet: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan can be shown without it."""
    monkeypatch.setattr(prices, "ASKED_SECONDS", 0.01)

    async def never(_self: FakeApi, _model: str) -> PriceVerdict:
        await anyio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(FakeApi, "price", never)
    ran = world.run("check", str(sheet))
    assert ran.code == 0
    assert "(the API did not answer within 0.01 s)" in ran.out


def test_without_a_token_nobody_is_asked(world: World, sheet: Path) -> None:
    """Nor with the stand-in, nor where nothing is to be sent, nor where the sheet has problems."""
    ran = world.run("check", str(sheet))
    assert "The price is not known (there is no token to ask the API with)." in ran.out
    assert world.run("check", str(sheet), "--json").json["price_source"] == "unknown"
    assert world.api.asked == []


def test_nobody_is_asked_for_nothing(world: World, sheet: Path, token: str) -> None:
    """The stand-in's prices are known; a sheet with problems has no price."""
    ran = world.run("check", str(sheet), "--emulator", "--json").json
    assert ran["price_source"] == "emulator"
    assert "The price is" not in world.run("check", str(sheet), "--emulator").out
    sheet.write_text("id,prompt\na,\n")
    assert world.run("check", str(sheet)).code == 65
    assert world.api.asked == []


def test_a_token_that_cannot_be_read_is_told_and_stops_nothing(world: World, sheet: Path) -> None:
    """As any other reason not to have asked."""
    folder = world.folder / ".config" / "runcomfy"
    folder.mkdir(parents=True)
    (folder / "token.json").write_text("{}")
    ran = world.run("check", str(sheet))
    assert ran.code == 0
    assert "token.json holds no access_token)." in ran.out
