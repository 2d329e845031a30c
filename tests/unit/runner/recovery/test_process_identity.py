"""Whether a process is gone, told on its own machine alone."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.runners import RunnerIdentity
from runner.recovery import process_identity
from runner.recovery.process_identity import _begun, is_gone, own_identity

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="only Linux tells when a process began"
)


def test_this_process_is_there() -> None:
    """And one of the same number that began at another time was another one."""
    me = own_identity()
    assert not is_gone(me)
    assert is_gone(replace(me, begun="1"))


def test_a_process_that_has_ended_is_gone() -> None:
    """Also before its parent has asked how it ended."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = replace(own_identity(), pid=child.pid, begun=_begun(child.pid))
    assert not is_gone(known)
    child.kill()
    child_stat = Path(f"/proc/{child.pid}/stat")
    while child_stat.read_text().rpartition(")")[2].split()[0] not in "ZX":
        pass
    assert is_gone(known), "a zombie does nothing more"
    child.communicate()
    assert is_gone(known)


def test_a_process_that_is_hidden_is_not_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`/proc` may hide what is another user's, or show it to nobody (`hidepid`)."""
    hidden = tmp_path / "proc"
    (hidden / "sys/kernel/random").mkdir(parents=True)
    (hidden / "self/ns").mkdir(parents=True)
    (hidden / "sys/kernel/random/boot_id").write_bytes(Path("/proc/sys/kernel/random/boot_id").read_bytes())
    (hidden / "self/ns/pid").symlink_to(Path("/proc/self/ns/pid").readlink())
    known = own_identity()
    monkeypatch.setattr(process_identity, "_PROC", hidden)
    assert not is_gone(known)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"machine": "another boot", "begun": "1"},
        {"machine": None, "begun": "1"},
        {"begun": None},
    ],
)
def test_nothing_is_told_of_another_machine(elsewhere: dict[str, str | None]) -> None:
    """Nor of another boot, nor of what nobody could tell then."""
    runner: RunnerIdentity = replace(own_identity(), **elsewhere)  # type: ignore[arg-type]
    assert not is_gone(runner)
