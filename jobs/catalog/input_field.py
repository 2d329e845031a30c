"""One input of a model, as its page publishes it."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue


class InputKind(StrEnum):
    """The JSON type of an input."""

    TEXT = "string"
    WHOLE_NUMBER = "integer"
    LIST = "array"


@dataclass(frozen=True, slots=True)
class InputField:
    """One input. `choices` is empty where any value is valid, `default` is None where the page names none."""

    name: str
    kind: InputKind
    required: bool
    choices: tuple[str | int, ...]
    default: JsonValue

    @property
    def words(self) -> tuple[str, ...]:
        """The choices that are text; none where the choices are numbers."""
        return tuple(choice for choice in self.choices if isinstance(choice, str))
