"""What others may know of the vendor without opening a connection."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import TokenProblem
from runner.providers.vendor import VENDOR, has_token, is_handle


def test_a_token_in_any_of_the_variables(tmp_path: Path) -> None:
    """Or in none of them: then there is none."""
    assert not has_token({}, tmp_path)
    for name in VENDOR.token_variables:
        assert has_token({name: "t0ken"}, tmp_path)


def test_a_damaged_token_is_no_missing_token(tmp_path: Path) -> None:
    """It is reported, not passed over."""
    with pytest.raises(TokenProblem):
        has_token({VENDOR.token_variable: "two words"}, tmp_path)


def test_what_can_be_a_handle() -> None:
    """What may stand in a path of the API's."""
    assert is_handle("6d2b7a10-0000")
    assert not is_handle("../../admin")


def test_it_costs_no_client_and_no_pydantic() -> None:
    """The command line's help reads from it, and has to be quick."""
    heavy = ("pydantic", "httpx", "aiohttp", "sqlalchemy", "anyio")
    script = f"import sys, runner.providers.vendor; print(*(set({heavy!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
