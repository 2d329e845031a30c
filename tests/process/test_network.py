"""The real command over a network that loses, delays and cuts in one direction: 0 paid twice, 0 lost.

Behind a flag: NETNS=1, on Linux, with the right to make network namespaces (root, or user namespaces). What
the machine does not allow is skipped with its reason.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.network import GATE, ROWS, TROUBLES

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not os.environ.get("NETNS"), reason="changes networks; run with NETNS=1"),
]

OWN = ("unshare", "--net") if hasattr(os, "geteuid") and os.geteuid() == 0 else ("unshare", "-r", "--net")


@cache
def _refused(trouble: str) -> str:
    """Why this machine cannot make the trouble; empty where it can."""
    if any(shutil.which(program) is None for program in ("unshare", "ip", "tc")):
        return "needs unshare, ip and tc"
    tried = "ip link set lo up"
    if trouble == "lossy":
        tried += " && tc qdisc add dev lo root netem delay 1ms"
    told = subprocess.run([*OWN, "sh", "-c", tried], capture_output=True, text=True, check=False)
    return told.stderr.strip() if told.returncode else ""


def _night(folder: Path, trouble: str) -> dict[str, Any]:
    if refused := _refused(trouble):
        pytest.skip(f"not on this machine: {refused}")
    ended = subprocess.run(
        [*OWN, sys.executable, "-m", "tests.support.network", str(folder), trouble],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_a_broken_network_costs_nothing(tmp_path: Path, trouble: str) -> None:
    """Every row ends; what the server took and we do not know of is kept as unconfirmed."""
    found = _night(tmp_path, trouble)
    assert found["paid_twice"] == []
    assert found["lost"] == []
    assert set(found["states"]) <= {"succeeded", "unconfirmed"}, found["errors"]
    assert found["accepted"] + found["unconfirmed"] >= ROWS
    assert found["codes"][-1] == (1 if found["unconfirmed"] else 0), found["errors"]
    if trouble in ("answers_cut", "requests_cut"):  # one outage
        assert found["unconfirmed"] <= GATE
        assert found["unconfirmed"] or "does not answer" in found["errors"], "the cut met nothing"
