"""Checks whether the model's endpoint accepts the body of a submit."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from jobs.catalog.spec import ModelSpec
from runner.emulator.settings import EmulatorSettings

_NOT_AN_ADDRESS = "picture:"
"""How a client may name an image for itself: no URL here, whatever the catalog accepts."""
_LONG = 200
_STAND_IN = "https://playgrounds-storage-public.runcomfy.net/inline-{}.png"


@dataclass(frozen=True, slots=True)
class SubmitCheck:
    """`asked`: the most images that it may give. `problems`: (field, message), empty if it fits."""

    asked: int
    problems: tuple[tuple[str, str], ...] = ()


def check_body(spec: ModelSpec, body: Mapping[str, JsonValue], settings: EmulatorSettings) -> SubmitCheck:
    """Check `body` as the server would: the model's schema, then what is left to the settings' choice."""
    known = spec.fields
    problems = [
        (field, "unknown field")
        for field in body
        if field not in known and settings.unknown_keys == "refused"
    ]
    values: dict[str, JsonValue] = {}
    for field, value in body.items():
        if field not in known:
            continue
        if field == spec.vocabulary.get("images") and _holds_data_uri(value):
            if settings.data_uris == "refused":
                problems.append((field, "must be public https addresses; data URIs are not accepted"))
            value = _without_data_uris(value)
        if isinstance(value, list) and any(str(item).startswith(_NOT_AN_ADDRESS) for item in value):
            problems.append((field, "must be public https addresses"))
        values[field] = value
    checked = spec.check(values)
    problems += [(finding.field, finding.message) for finding in checked.problems]
    if problems or checked.inputs is None:
        return SubmitCheck(1, tuple(problems))
    return SubmitCheck(spec.expected_images(checked.inputs))


def shortened(spec: ModelSpec, body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """A body as the journal stores it: without the bytes of its images, which would fill the journal, and
    without signatures, which would let a reader of the journal fetch them."""
    field = spec.vocabulary.get("images")
    images = body.get(field) if field else None
    if field is None or not isinstance(images, list):
        return body
    return {**body, field: [_short(image) for image in images]}


def _short(image: JsonValue) -> JsonValue:
    if not isinstance(image, str):
        return image
    head, mark, rest = image.partition("," if _is_data_uri(image) else "?")
    return f"{head}{mark}({len(rest)} characters)" if len(rest) > _LONG else image


def _is_data_uri(value: JsonValue) -> bool:
    return isinstance(value, str) and value[:5].lower() == "data:"


def _holds_data_uri(value: JsonValue) -> bool:
    return any(map(_is_data_uri, value)) if isinstance(value, list) else _is_data_uri(value)


def _without_data_uris(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_STAND_IN.format(n) if _is_data_uri(item) else item for n, item in enumerate(value)]
    return _STAND_IN.format(0) if _is_data_uri(value) else value
