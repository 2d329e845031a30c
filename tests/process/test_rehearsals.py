"""docs/rehearsals.md: its file of single faults does what it says, beside each fault."""

import re
from pathlib import Path

import pytest

from runner.emulator.faults import Kind
from tests.support.command import desk

pytestmark = pytest.mark.process

DOCS = Path(__file__).parents[2] / "docs" / "rehearsals.md"
SHEET = """id,model,prompt
a,bytedance/seedream-4-5/text-to-image,A lighthouse
b,bytedance/seedream-4-5/text-to-image,A harbour
c,bytedance/seedream-4-5/text-to-image,A paper fox
d,bytedance/seedream-4-5/text-to-image,A tram
"""


async def test_single_faults(tmp_path: Path) -> None:
    (toml,) = re.findall(r"^```toml\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "faults.toml").write_text(toml)
    (tmp_path / "boats.csv").write_text(SHEET)
    async with desk(tmp_path) as here:
        ended = await here.call(
            *("run", "boats.csv", "--emulator", "--faults", "faults.toml", "--speed", "200"),
            *("--submit-gate", "1", "--concurrency", "1", "--poll-min", "0.02"),
        )
        assert ended.code == 1, ended.err
        listed = await here.call("jobs", "--emulator")
    lines = {line.split()[0]: line for line in listed.out.splitlines()[1:]}
    assert "succeeded" in lines["a"]
    assert "unconfirmed" in lines["b"]
    assert "bad_picture" in lines["c"]
    assert "moderated" in lines["d"]


def test_every_kind_is_named() -> None:
    text = DOCS.read_text()
    missing = [str(kind) for kind in Kind if f"`{kind}`" not in text]
    assert missing == ["no_output"], "the one that is like no_pictures to a user"
