"""Options of the whole suite: how long a search may take."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support import command, night
from tests.support.postgres import Cluster, on_server, running_cluster, why_there_is_none
from tests.support.warm import warm

CRASH_TRIALS = 1000
KILLS = 100
"""In CI. A release is searched with ten times as many, or more."""

TOKENS = (command.TOKEN.encode(), night.TOKEN.encode())
"""Of the runs that the tests make. A test that writes a token's file has a token of its own for it."""


@pytest.fixture(scope="session", autouse=True)
def no_token_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Search everything that this process's tests have left behind: databases, manifests, pictures, logs."""
    yield
    left = tmp_path_factory.getbasetemp().rglob("*")
    files = (path for path in left if path.is_file() and path.name != "token.json")  # its own place
    found = [str(path) for path in files if any(token in path.read_bytes() for token in TOKENS)]
    assert not found, f"a token was left behind in {found}"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of this process's own."""
    if (why := why_there_is_none()) is not None:
        pytest.skip(why)
    with running_cluster() as running:
        yield running


@pytest.fixture
def kept_on(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the tables of this test are: in files, or on a server."""
    where = str(getattr(request, "param", "file"))
    if where == "file":
        yield where
        return
    with on_server(request.getfixturevalue("cluster")):
        yield where


@pytest.fixture(scope="session", autouse=True)
def warmed() -> Iterator[None]:
    """What is the same for every test of this process is made once."""
    with warm():
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    searches = parser.getgroup("searches", "how far to search")
    searches.addoption("--slow", action="store_true", help="run the tests that are marked slow, too")
    searches.addoption(
        "--trials",
        type=int,
        default=CRASH_TRIALS,
        metavar="N",
        help=f"crash trials of the simulation (default: {CRASH_TRIALS})",
    )
    searches.addoption(
        "--kills",
        type=int,
        default=KILLS,
        metavar="N",
        help=f"kill -9 of the real command (default: {KILLS})",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The same examples every time, on however busy a machine; others with --slow."""
    settings.register_profile(
        "same",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    if not config.getoption("--slow"):
        settings.load_profile("same")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="a long search; run with --slow")
    for item in items:
        if item.get_closest_marker("slow") and not config.getoption("--slow"):
            item.add_marker(skip)
