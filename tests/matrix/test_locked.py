"""What is installed is what was looked at."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-bench.txt"])
def test_every_package_is_pinned_with_its_hashes(name: str) -> None:
    """One version each, and the bytes that it may have; pip refuses everything else then."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(packages) > 20
    pinned = re.compile(r"[A-Za-z0-9._-]+==[^\s;]+(\s*;[^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [line[:60] for line in packages if not pinned.fullmatch(line)] == []
