"""The lines of a checkup about the API: each question is free, and the token goes to its origin alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.catalog.registry import MODELS
from runner.checkup.advice import Advice, Level
from runner.checkup.api import check_api
from runner.environment import Environment
from runner.settings import Settings
from tests.support.virtual_time import VirtualClock, virtual

TOKEN = "secret-token-0123456789"
BASE = "https://api.example/v1"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Host:
    """An API that answers what a test says, and remembers every request."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[httpx.Request] = []
        self.balance: Any = {"balance_usd": 12.5}
        self.price: Any = {"base_price_usd": 0.04, "price_unit": "output"}
        self.known = httpx.Response(404, json={"error_code": 404001, "message": "no such request"})
        self.time: datetime | None = None
        self.fails: Callable[[httpx.Request], None] = lambda _request: None
        vars(self).update(answers)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.fails(request)
        date = {} if self.time is None else {"date": format_datetime(self.time, usegmt=True)}
        match request.url.path.split("/"):
            case [*_, "balance"]:
                authorised = request.headers.get("authorization") == f"Bearer {TOKEN}"
                return httpx.Response(200 if authorised else 401, json=self.balance, headers=date)
            case [*_, "status"]:
                return self.known
            case _:
                return httpx.Response(200, json=self.price)


async def lines(host: Host, folder: Path, settings: Settings | None = None, **env: str) -> dict[str, Advice]:
    given = {"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_MODEL_API_BASE": BASE} | env
    around = Environment(
        {name: value for name, value in given.items() if value},
        folder,
        VirtualClock(),
        transport=httpx.MockTransport(host),
    )
    if host.time is None:
        host.time = around.clock.now()
    found = [advice async for advice in check_api(settings or Settings(), around)]
    assert len({advice.check for advice in found}) == len(found), "one line each"
    assert TOKEN not in repr(found)
    return {advice.check: advice for advice in found}


@virtual
async def test_all_is_well(here: Path) -> None:
    """Only GETs, each to the API's own origin."""
    host = Host()
    found = await lines(host, here)
    assert {advice.level for advice in found.values()} == {Level.OK}
    assert list(found) == ["proxy", "api", "certificate", "clock", "token", "price", "balance"]
    assert found["balance"].message == "$12.50."
    assert found["price"].message == "$0.04 an image, as the models are priced now."
    assert {request.method for request in host.asked} == {"GET"}
    assert {request.url.host for request in host.asked} == {"api.example"}


@virtual
async def test_a_refused_token(here: Path) -> None:
    """A problem, with the place where one is made; nothing else is asked with it."""
    host = Host(known=httpx.Response(401, json={"error_code": 401001, "message": "bad token"}))
    found = await lines(host, here)
    assert found["token"].level is Level.PROBLEM
    assert "bad token" in found["token"].message
    assert "RUNCOMFY_API_TOKEN" in found["token"].hint
    assert found["price"].level is found["balance"].level is Level.WARNING


@virtual
async def test_no_token(here: Path) -> None:
    """What can be seen without one is seen: the API, its certificate, the clock."""
    host = Host()
    found = await lines(host, here, RUNCOMFY_API_TOKEN="")
    assert [check for check, advice in found.items() if advice.level is Level.PROBLEM] == ["token"]
    assert found["clock"].level is Level.OK
    assert ["authorization" in request.headers for request in host.asked] == [False]


@virtual
async def test_a_damaged_token(here: Path) -> None:
    """It is not sent."""
    host = Host()
    found = await lines(host, here, RUNCOMFY_API_TOKEN="two words")
    assert found["token"].level is Level.PROBLEM
    assert host.asked == []


@virtual
async def test_nobody_answers(here: Path) -> None:
    """One problem, and what is not known for that reason."""

    def fail(request: httpx.Request) -> None:
        raise httpx.ConnectError("no route", request=request)

    found = await lines(Host(fails=fail), here)
    assert [check for check, advice in found.items() if advice.level is Level.PROBLEM] == ["api"]
    assert {"token", "certificate", "clock", "price", "balance"} <= set(found)
    found = await lines(Host(fails=fail), here, RUNCOMFY_API_TOKEN="")
    assert [check for check, advice in found.items() if advice.level is Level.PROBLEM] == ["api", "token"]


@pytest.mark.parametrize(
    ("usd", "level"), [(0, Level.PROBLEM), (-1.5, Level.PROBLEM), ("x", Level.WARNING), (0.01, Level.OK)]
)
@virtual
async def test_the_balance(here: Path, usd: Any, level: Level) -> None:
    """It may be below zero, or not be told."""
    found = await lines(Host(balance={"balance_usd": usd}), here)
    assert found["balance"].level is level
    if usd == -1.5:
        assert "-$1.50" in found["balance"].message


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (timedelta(seconds=59), Level.OK, "agrees"),
        (timedelta(minutes=3), Level.WARNING, "3 min ahead of"),
        (timedelta(minutes=-30), Level.PROBLEM, "30 min behind"),
    ],
)
@virtual
async def test_the_clock(here: Path, ahead: timedelta, level: Level, words: str) -> None:
    """Against the time that the API's answer names."""
    found = await lines(Host(time=VirtualClock().now() - ahead), here)
    assert found["clock"].level is level
    assert words in found["clock"].message


@virtual
async def test_prices_that_are_not_told(here: Path) -> None:
    """A warning, unless the settings have them."""
    host = Host(price={"price_unit": "second", "base_price_usd": 1})
    assert (await lines(host, here))["price"].level is Level.WARNING
    own = Settings(prices=dict.fromkeys(MODELS, 0.05))
    assert (await lines(host, here, own))["price"].message.startswith("$0.05 an image")


@virtual
async def test_a_proxy_of_the_environment_is_not_used(here: Path) -> None:
    """It is told, without its address, which may hold a password; so is the setting's."""
    found = await lines(Host(), here, https_proxy="http://me:hunter2@proxy:3128")
    assert found["proxy"].level is Level.WARNING
    assert "HTTPS_PROXY" in found["proxy"].message
    own = Settings(proxy="http://me:hunter2@proxy:3128")
    found |= {"own": (await lines(Host(), here, own, HTTPS_PROXY="x"))["proxy"]}
    assert found["own"].level is Level.OK
    assert "hunter2" not in repr(found)


@virtual
async def test_a_base_that_cannot_be_used(here: Path) -> None:
    """Nothing is asked of it."""
    host = Host()
    found = await lines(host, here, RUNCOMFY_MODEL_API_BASE="http://api.example/v1")
    assert [*found] == ["api"]
    assert (found["api"].level, host.asked) == (Level.PROBLEM, [])


@virtual
async def test_a_rehearsal_asks_nobody(here: Path) -> None:
    """It needs no token."""
    host = Host()
    found = await lines(host, here, Settings(emulator=True), RUNCOMFY_API_TOKEN="")
    assert ([*found], found["token"].level, host.asked) == (["token"], Level.OK, [])


@virtual
async def test_a_token_file_that_others_read(here: Path) -> None:
    """A warning with the command that closes it."""
    file = here / ".config" / "runcomfy" / "token.json"
    file.parent.mkdir(parents=True)
    file.write_text(f'{{"access_token": "{TOKEN}"}}')
    file.chmod(0o644)
    found = await lines(Host(), here, RUNCOMFY_API_TOKEN="")
    assert found["token"].level is Level.WARNING
    assert "chmod 600" in found["token"].hint
