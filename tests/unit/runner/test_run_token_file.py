"""A run with the official client's token file: others who can read it are told of, once."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from runner.environment import Environment
from tests.support.night import BASE, TOKEN, Night, night
from tests.support.virtual_time import virtual

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX modes")


@pytest.mark.parametrize(("mode", "told"), [(0o600, 0), (0o644, 1)])
def test_a_token_file_that_others_can_read(tmp_path: Path, mode: int, told: int) -> None:
    """The run goes on with it, and the token itself is not in the words."""
    file = tmp_path / ".config" / "runcomfy" / "token.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"access_token": TOKEN}))
    file.chmod(mode)
    real: Any = Night.environment

    def environment(w: Night) -> Environment:
        usual: Environment = real.fget(w)
        return replace(usual, env={"RUNCOMFY_MODEL_API_BASE": BASE})

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            with mock.patch.object(Night, "environment", property(environment)):
                assert (await w.run(w.sheet(2))).exit_code == 0
            w.everything_once(2)
            about_it = [text for text in w.watching.notices if "token" in text]
            assert len(about_it) == told
            assert all("chmod 600" in text for text in about_it)
            assert TOKEN not in " ".join(w.watching.notices)

    test()
