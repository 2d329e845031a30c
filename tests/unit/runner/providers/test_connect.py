"""The API that a command works with, or the emulator in its place."""

from pathlib import Path

import pytest

from jobs.errors import TokenProblem, UsageProblem
from runner.clock import SystemClock
from runner.environment import Environment
from runner.providers.base import NoSuchModel, Priced
from runner.providers.connect import open_api, user_agent
from runner.providers.origin import EMULATOR_ORIGIN, origin_of
from runner.providers.runcomfy.endpoint import IMAGE_HOSTS
from runner.settings import Settings

MODEL = "bytedance/seedream-4-5/sequential"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def environment(home: Path, **env: str) -> Environment:
    return Environment(env=env, home=home, clock=SystemClock())


async def test_no_token(here: Path) -> None:
    """Said with what to do; nothing was called."""
    with pytest.raises(TokenProblem) as told:
        async with open_api(Settings(), environment(here)):
            pass
    assert "RUNCOMFY_API_TOKEN" in told.value.hint
    assert "--emulator" in told.value.hint


async def test_the_api_of_the_environment(here: Path) -> None:
    """Its base, its origin, and a token that is nowhere to be seen."""
    env = {"RUNCOMFY_API_TOKEN": "secret-token-1", "RUNCOMFY_MODEL_API_BASE": "http://127.0.0.1:9/v1"}
    async with open_api(Settings(), environment(here, **env)) as api:
        assert (api.base, api.origin) == ("http://127.0.0.1:9/v1", "http://127.0.0.1:9")
        assert origin_of(Settings(), env) == api.origin
        assert "secret-token-1" not in repr(api)
        assert api.image_hosts == IMAGE_HOSTS


async def test_a_base_that_does_not_do(here: Path) -> None:
    """Before any token is sent."""
    env = {"RUNCOMFY_API_TOKEN": "t", "RUNCOMFY_MODEL_API_BASE": "http://api.example/v1"}
    with pytest.raises(UsageProblem, match="plain http"):
        async with open_api(Settings(), environment(here, **env)):
            pass


async def test_the_stand_in(here: Path) -> None:
    """Needs no token, ignores a real one, answers, and keeps its state beside the database."""
    settings = Settings(emulator=True)
    env = {"RUNCOMFY_API_TOKEN": "real", "RUNCOMFY_MODEL_API_BASE": "https://real.example/v1"}
    async with open_api(settings, environment(here, **env)) as api:
        assert api.origin == origin_of(settings, env) == EMULATOR_ORIGIN
        assert api.base.startswith("http://127.0.0.1:")
        assert isinstance(await api.provider.price(MODEL), Priced | NoSuchModel)
    assert (here / "nightsheet-emulator.db.emulator").exists()


async def test_the_stand_in_misbehaves_as_told(here: Path) -> None:
    """A profile that does not exist is a usage problem."""
    with pytest.raises(UsageProblem, match="fault profile"):
        async with open_api(Settings(emulator=True, faults="cursed"), environment(here)):
            pass


def test_how_we_name_ourselves() -> None:
    """With a version, so that the provider can tell who calls."""
    assert user_agent().startswith("nightsheet/")
