"""docs/scripts.md: every example has the fields that the commands write, no more and no fewer."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.cli import app

PAGE = (Path(__file__).parents[4] / "docs" / "scripts.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = {
    heading: [
        json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    ]
    for heading, section in SECTIONS.items()
}
SHEET = """id,prompt,model,resolution,count
fox,A red fox,bytedance/seedream-4-5/text-to-image,2048x2048 (1:1),
boat,A paper boat,bytedance/seedream-4-5/text-to-image,,
crane,A paper crane,bytedance/seedream-4-5/text-to-image,,
storm,Generate images of a storm,bytedance/seedream-4-5/sequential,,4
"""
FAULTS = """
[[faults]]
endpoint = "submit"
kind = "drop"
accepted = true
prompt = "boat"

[[faults]]
endpoint = "result"
kind = "failed"
prompt = "crane"
"""
NOTE = "from pathlib import Path; import sys; Path('event.json').write_bytes(sys.stdin.buffer.read())"


def differences(shown: Any, written: Any, place: str = "$") -> list[str]:
    """Where an example is not of the form of what was written. An empty list, and null, are of any form."""
    match shown, written:
        case (None, _) | (_, None) | ([], list()) | (list(), []):
            return []
        case dict(), dict():
            odd = [f"{place}.{name}" for name in sorted(shown.keys() ^ written.keys())]
            both = sorted(shown.keys() & written.keys())
            return odd + [
                at for name in both for at in differences(shown[name], written[name], f"{place}.{name}")
            ]
        case list(), list():
            return differences(shown[0], written[0], f"{place}[0]")
        case _:
            alike = type(shown) is type(written) or {type(shown), type(written)} == {int, float}
            return [] if alike else [place]


def test_the_examples_are_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One batch, as on the page, and every command in turn."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.csv").write_text(SHEET)
    (tmp_path / "faults.toml").write_text(FAULTS)

    def holds(heading: str, line: str, code: int = 0, number: int = 0) -> None:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["nightsheet", *shlex.split(line), "--emulator", "--json"])
        with pytest.raises(SystemExit) as ended:
            app.main()
        out, err = capsys.readouterr()
        assert ended.value.code == code, err
        assert differences(EXAMPLES[heading][number], json.loads(out)) == []

    telling = f"--on-event {shlex.quote(shlex.join([sys.executable, '-c', NOTE]))}"
    holds("check", "check my.csv")
    holds("run and resume", f"run my.csv --faults faults.toml --speed 1000 --poll-min 0.01 {telling}", 1)
    (event,) = EXAMPLES["--on-event and --webhook"]
    assert differences(event, json.loads((tmp_path / "event.json").read_bytes())) == []
    holds("doctor", "doctor")
    holds("status", "status")
    holds("batches", "batches")
    summary = json.loads((tmp_path / "outputs-emulator" / "my" / "summary.json").read_text())
    more = {"exit_code": 1, "ended_at": "", "next": [{"why": "", "command": ""}]}
    assert differences(EXAMPLES["status"][0] | more, summary) == []
    holds("audit", "audit")
    holds("retry", "retry --job crane --yes")
    holds("review", "review")
    holds("review", "review --discard boat --yes", number=1)
    holds("cancel", "cancel")


def test_a_field_that_is_gone_or_new_would_be_seen() -> None:
    """And one of another kind."""
    assert differences({"a": 1, "b": [{"c": "x"}]}, {"a": 1.5, "b": [{"c": "y"}]}) == []
    assert differences({"a": 1, "b": [{"c": "x"}]}, {"d": 1, "b": [{"c": 2}]}) == ["$.a", "$.d", "$.b[0].c"]


def test_every_state_and_every_reason_is_named() -> None:
    """Of a job, and of a pause."""
    assert set(EXAMPLES["status"][0]["counts"]) == {state.value for state in JobState}
    (line,) = (line for line in SECTIONS["status"].splitlines() if "the reason is" in line)
    named = re.findall(r"`(\w+)`", line.partition("the reason is")[2])
    assert set(named) == {reason.value for reason in PauseReason}
