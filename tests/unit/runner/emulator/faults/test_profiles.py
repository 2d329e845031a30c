"""Faults by name and out of files."""

import json
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from runner.emulator.faults.faults import Endpoint, FaultKind
from runner.emulator.faults.profiles import PROFILES, load_faults, parse_faults

_JSON = [{"endpoint": "submit", "kind": "drop", "accepted": True, "job": 3}]
_TOML = """
[[faults]]
endpoint = "submit"
kind = "drop"
accepted = true
job = 3
"""


def test_profiles_by_name() -> None:
    """calm is empty, the others are not, hostile has what busy and flaky have."""
    assert load_faults("calm") == ()
    assert all(load_faults(name) for name in ("busy", "flaky", "hostile", "outage"))
    assert set(PROFILES["hostile"]) > set(PROFILES["busy"]) | set(PROFILES["flaky"])


def test_no_profile_needs_a_person() -> None:
    """Neither tokens nor balances are touched, and nothing but the outage strikes for sure."""
    for name, faults in PROFILES.items():
        assert {fault.kind for fault in faults}.isdisjoint({FaultKind.TOKEN, FaultKind.BALANCE})
        assert name == "outage" or all(fault.chance <= 0.25 for fault in faults)


@pytest.mark.parametrize(
    ("name", "text"),
    [("f.json", json.dumps(_JSON)), ("f.json", json.dumps({"faults": _JSON})), ("f.toml", _TOML)],
)
def test_faults_out_of_a_file(tmp_path: Path, name: str, text: str) -> None:
    """A JSON list, the same under a key, or TOML tables."""
    path = tmp_path / name
    path.write_text(text)
    (fault,) = load_faults(str(path))
    assert (fault.endpoint, fault.kind, fault.accepted, fault.job) == (
        Endpoint.SUBMIT,
        FaultKind.DROP,
        True,
        3,
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("stormy", None, "no fault profile 'stormy'"),
        ("gone.json", None, "cannot be read: No such file"),
        ("f.json", "[", "cannot be read: Expecting value"),
        ("f.toml", "x = ", "cannot be read: Invalid value"),
        ("f.json", '[{"endpoint": "submit"}]', r"fault 0\.kind: Field required"),
        ("f.json", "3", "fault the list: Input should be a valid"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, text: str | None, words: str) -> None:
    """With the place."""
    source = name
    if text is not None:
        (tmp_path / name).write_text(text)
    if "." in name:
        source = str(tmp_path / name)
    with pytest.raises(UsageProblem, match=words):
        load_faults(source)


def test_parsed_faults_name_their_source() -> None:
    """So that a request's are not taken for a file's."""
    with pytest.raises(UsageProblem, match=r"^The request: fault 0\.endpoint"):
        parse_faults([{"endpoint": "nowhere", "kind": "drop"}], "The request")
