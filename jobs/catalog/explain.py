"""Words pydantic's errors as sentences for the author of the sheet."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jobs.catalog.findings import Finding
from jobs.catalog.input_field import InputField
from jobs.suggestions import closest, did_you_mean, nearest_choice

_SENTENCES = {
    "missing": "This model needs a value here, and there is none.",
    "string_type": "Text is needed here.",
    "string_unicode": "This text holds half a character (a lone surrogate), which cannot be sent.",
    "int_type": "A whole number is needed here.",
    "list_type": "A list of https addresses is needed here.",
}


def explain(error: ValidationError, model_id: str, fields: Mapping[str, InputField]) -> Iterator[Finding]:
    """Every problem of the validation of a model's inputs, in the order of its fields."""
    for detail in error.errors(include_url=False):
        field = str(detail["loc"][0])
        if detail["type"] == "extra_forbidden":
            yield _unknown(field, detail["input"], model_id, fields)
        elif fields[field].choices:
            yield _not_a_choice(fields[field], detail)
        else:
            yield _refused(field, detail)


def _unknown(field: str, value: object, model_id: str, fields: Mapping[str, InputField]) -> Finding:
    meant = closest(field, fields)
    hint = did_you_mean(meant, f"Its inputs are {', '.join(fields)}.")
    return Finding(field, value, f"{model_id} has no such input.", hint)


def _not_a_choice(field: InputField, detail: ErrorDetails) -> Finding:
    value = detail["input"]
    if detail["type"] == "missing":
        return _refused(field.name, detail)
    if not field.words:
        first, *_, last = field.choices
        return Finding(field.name, value, f"A whole number from {first} to {last} is needed here.")
    meant = nearest_choice(value, field.words) if isinstance(value, str) else None
    hint = f"One of: {', '.join(field.words)}."
    if meant:
        hint = f"{did_you_mean(meant)} {hint}"
    return Finding(field.name, value, "This is not one of the model's choices.", hint)


def _refused(field: str, detail: ErrorDetails) -> Finding:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        value = None  # pydantic shows the whole body here
    if kind == "too_short":
        message = f"{len(value)} pictures are given, the model takes at least {context['min_length']}."
    elif kind == "too_long":
        message = f"{len(value)} pictures are given, the model takes at most {context['max_length']}."
    elif kind == "string_too_long":
        message = f"The text has {len(value)} characters, the model takes at most {context['max_length']}."
    else:
        message = _SENTENCES.get(kind, detail["msg"])
    return Finding(field, value, message, context.get("hint", ""))
