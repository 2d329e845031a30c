"""What a check finds, as data."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one input: `field` is the API's own name, `value` what was found there."""

    field: str
    value: object | None
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on one set of inputs.

    `inputs` is exactly what may be sent, and None where there are problems. A warning never stops a job.
    """

    inputs: dict[str, JsonValue] | None
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


Rule = Callable[[Mapping[str, Any]], Iterable[Finding]]
"""Looks at inputs that passed the check, by the API's own field names, and gives warnings."""
