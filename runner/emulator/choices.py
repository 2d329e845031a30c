"""The emulator's settings by name and text, as `--set NAME=VALUE` gives them."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from jobs.errors import UsageProblem
from jobs.suggestions import did_you_mean, similar
from runner.emulator.faults.faults import Fault
from runner.emulator.settings import EmulatorSettings

CHOICES = tuple(name for name in EmulatorSettings.model_fields if name not in ("speed", "faults"))
"""What `--set` takes: all but what has an option of its own."""


def chosen(texts: Sequence[str], speed: float, faults: Sequence[Fault]) -> EmulatorSettings:
    """The settings with these choices.

    Raises:
        UsageProblem: there is no such choice, or it does not take that value.
    """
    given: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageProblem(f"--set {text}: NAME=VALUE is needed.")
        if name not in CHOICES:
            near = similar(name, CHOICES)
            hint = did_you_mean(near[0]) if near else f"One of: {', '.join(CHOICES)}."
            raise UsageProblem(f"--set {text}: there is no choice {name!r}.", hint)
        given[name] = _value(value)
    try:
        return EmulatorSettings(speed=speed, faults=tuple(faults), **given)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise UsageProblem(f"--set {name}: {error.errors()[0]['msg']}.", _possible(name)) from error


def _value(text: str) -> Any:
    """A number, true, false, a list or a table as in JSON; anything else is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _possible(name: str) -> str:
    default = EmulatorSettings.model_fields[name].get_default(call_default_factory=True)
    return f"Without --set it is {shown(default)}."


def shown(value: Any) -> str:
    """A value as one writes it behind `--set NAME=`."""
    if isinstance(value, dict):
        return json.dumps({key: float(amount) for key, amount in value.items()}, separators=(",", ":"))
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
