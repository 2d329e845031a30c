"""The findings of a check, as data."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem or a warning of one input: `field` is the API's own name, `value` its value."""

    field: str
    value: object | None
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking one set of inputs.

    `inputs` are exactly those that may be sent, None where there are problems. A warning never stops a job.
    """

    inputs: dict[str, JsonValue] | None
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


Rule = Callable[[Mapping[str, Any]], Iterable[Finding]]
"""Takes inputs that passed the check, by the API's own field names, and gives warnings."""
