"""`nightsheet models`: what can be run, and with which inputs."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from jobs.catalog.input_field import InputField
from jobs.catalog.publisher import EXAMPLE_MODEL
from jobs.catalog.registry import MODELS, find, suggest
from jobs.catalog.spec import ModelSpec
from jobs.errors import UsageProblem
from jobs.sheets.rows.column_names import word_for
from jobs.suggestions import did_you_mean
from runner.cli.console import console
from runner.cli.console.formatting import brief_model
from runner.cli.options.command import with_settings
from runner.settings import Settings

EXAMPLE = f"nightsheet models {EXAMPLE_MODEL}"


@with_settings("json", "verbose")
def command(
    settings: Settings,
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="One model, with its inputs.")] = None,
) -> None:
    """List the models that can be run, or show one with its inputs, limits and defaults."""
    if model is None:
        _list(settings)
        return
    spec = find(model)
    if spec is None:
        hint = did_you_mean(suggest(model), f"Models: {', '.join(MODELS)}.")
        raise UsageProblem(f"There is no model {model}.", hint)
    if settings.as_json:
        console.as_json(_as_json(spec) | {"input_schema": spec.input_schema()})
    else:
        _show(spec, whole=settings.verbose)


def _list(settings: Settings) -> None:
    if settings.as_json:
        console.as_json([_as_json(spec) for spec in MODELS.values()])
        return
    rows = [(spec.model_id, spec.summary, ", ".join(spec.vocabulary)) for spec in MODELS.values()]
    console.table(
        ("model", "makes", "columns"), rows, flowing=("makes", "columns"), brief={"model": brief_model}
    )
    console.result(
        "Columns of any sheet: id, model, and again, which is never sent: its text makes a row another one."
    )
    console.result("One of them with all its inputs: nightsheet models MODEL")


def _as_json(spec: ModelSpec) -> dict[str, Any]:
    return {
        "model": spec.model_id,
        "title": spec.title,
        "summary": spec.summary,
        "source": spec.source,
        "inputs": [
            {
                "name": field.name,
                "word": word_for(spec, field.name),
                "type": field.kind.value,
                "required": field.required,
                "choices": list(field.choices),
                "default": field.default,
            }
            for field in spec.fields.values()
        ],
    }


def _show(spec: ModelSpec, *, whole: bool) -> None:
    console.result(spec.model_id, "bold")
    console.result(f"{spec.title}: {spec.summary}")
    console.result(f"Page: {spec.source}")
    properties = spec.input_schema()["properties"]
    for field in spec.fields.values():
        word = word_for(spec, field.name)
        also = "" if word == field.name else f" (at the API: {field.name})"
        need = "required" if field.required else "optional"
        console.result("")
        console.result(f"{word}{also}: {field.kind.value}, {need}", "bold")
        for line in _details(field, properties[field.name], whole=whole):
            console.result(f"  {line}")


def _details(field: InputField, shape: dict[str, Any], *, whole: bool) -> Iterator[str]:
    if field.choices:
        yield f"one of: {', '.join(map(str, field.choices))}"
    for key, words in _LIMITS.items():
        if key in shape:
            yield words.format(shape[key])
    if field.default is not None:
        default = "|".join(map(str, field.default)) if isinstance(field.default, list) else str(field.default)
        yield f"default: {default if whole else console.short(default, 90)}"
    if shape.get("description"):
        yield shape["description"] if whole else console.short(shape["description"], 90)


_LIMITS = {"maxLength": "at most {} characters", "minItems": "at least {}", "maxItems": "at most {}"}
