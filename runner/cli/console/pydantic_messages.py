"""Plain words for pydantic's messages about a value on the command line, in the environment or in a file.

pydantic itself is not imported: the root of the command line does without it.
"""

from collections.abc import Mapping
from typing import Any

from runner.humanize import number

_FOREIGN = "Value error, "

_WORDS = {
    "decimal_parsing": "a number is needed",
    "decimal_type": "a number is needed",
    "float_parsing": "a number is needed",
    "float_type": "a number is needed",
    "finite_number": "a number is needed",
    "int_parsing": "a whole number is needed",
    "int_parsing_size": "a smaller whole number is needed",
    "int_from_float": "a whole number is needed",
    "int_type": "a whole number is needed",
    "bool_parsing": "true or false is needed",
    "bool_type": "true or false is needed",
    "string_type": "text is needed",
    "path_type": "a path is needed",
    "greater_than": "more than {gt} is needed",
    "greater_than_equal": "at least {ge} is needed",
    "less_than": "less than {lt} is needed",
    "less_than_equal": "at most {le} is possible",
    "enum": "it is not one of {expected}",
    "literal_error": "it is not one of {expected}",
    "extra_forbidden": "there is no such field",
    "missing": "it is missing",
    "model_type": "a table of fields is needed",
    "list_type": "a list is needed",
    "tuple_type": "a list is needed",
}


def in_plain_words(problem: Mapping[str, Any]) -> str:
    """A finding of pydantic in plain words, to be put after a colon."""
    context = {name: _text(value) for name, value in (problem.get("ctx") or {}).items()}
    words = _WORDS.get(problem["type"])
    text: str = problem["msg"] if words is None else words.format_map(context)
    return text.removeprefix(_FOREIGN).removesuffix(".")


def reworded(text: str, cause: BaseException | None) -> str:
    """`text` with pydantic's phrases, if it was pydantic that caused it, in plain words."""
    for problem in findings(cause):
        phrase, plain = problem["msg"], in_plain_words(problem)
        for original in (phrase, f"{phrase[:1].lower()}{phrase[1:]}"):
            text = text.replace(original, plain)
    return text


def findings(cause: BaseException | None) -> list[Mapping[str, Any]]:
    """What pydantic found, if it was pydantic."""
    if cause is None or not type(cause).__module__.startswith("pydantic"):
        return []
    found: list[Mapping[str, Any]] = cause.errors()  # type: ignore[attr-defined]
    return found


def _text(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else str(value)
