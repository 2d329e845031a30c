"""One input of a model, as its page publishes it."""

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue


class InputKind(StrEnum):
    """The JSON type of an input."""

    TEXT = "string"
    WHOLE_NUMBER = "integer"
    LIST = "array"


@dataclass(frozen=True, slots=True)
class InputField:
    """One input. `choices` is empty where any value is valid, `default` is None where the page names none.

    `words` are the choices that are text; none where the choices are numbers.
    """

    name: str
    kind: InputKind
    required: bool
    choices: tuple[str | int, ...]
    default: JsonValue
    words: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        words = tuple(choice for choice in self.choices if isinstance(choice, str))
        object.__setattr__(self, "words", words)  # once: every row asks for them
