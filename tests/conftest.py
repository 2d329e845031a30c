"""Options of the whole suite: how long a search may take."""

import pytest

CRASH_TRIALS = 2500
KILLS = 100
"""In CI. A release is searched with ten times as many, or more."""


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="a long search; run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)
