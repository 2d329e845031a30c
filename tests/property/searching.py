"""How far the searches go: the same examples every time in CI, more and other ones with `--slow`."""

import pytest
from hypothesis import HealthCheck, settings

_QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)


def budget(config: pytest.Config, *, examples: int, steps: int, times: int) -> settings:
    """So many examples of so many steps; with `--slow`, `times` as many, by chance."""
    slow = bool(config.getoption("--slow"))
    return settings(
        max_examples=examples * times if slow else examples,
        stateful_step_count=steps,
        derandomize=not slow,
        database=None,
        deadline=None,
        suppress_health_check=_QUIET,
        print_blob=slow,
    )
