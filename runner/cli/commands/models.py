"""`nightsheet models`: what can be run, and with which inputs."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from jobs.catalog.input_field import InputField
from jobs.catalog.publisher import EXAMPLE_MODEL
from jobs.catalog.registry import MODELS, find, suggest
from jobs.catalog.spec import ModelSpec
from jobs.errors import UsageProblem
from jobs.manifests.record import dollars, moment
from jobs.sheets.rows.column_names import word_for
from jobs.suggestions import did_you_mean
from runner.cli.console import console
from runner.cli.console.formatting import brief_model
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.cli.steps.open import execute, open_existing, process_environment
from runner.humanize import money
from runner.planning.model_prices import KnownPrice, known_prices
from runner.planning.prices import PriceSource
from runner.providers.origin import origin_of
from runner.settings import Settings

EXAMPLE = f"nightsheet models {EXAMPLE_MODEL}"


@with_settings(*LOOKING)
def command(
    settings: Settings,
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="One model, with its inputs.")] = None,
) -> None:
    """List the models that can be run, or show one with its inputs, limits and defaults.

    With a token it asks the API for its prices, which is free; without, it takes the prices of the last run
    of this database, or those in the table `prices` of nightsheet.toml.
    """
    if model is not None and find(model) is None:
        hint = did_you_mean(suggest(model), f"Models: {', '.join(MODELS)}.")
        raise UsageProblem(f"There is no model {model}.", hint)
    prices, why = execute(lambda: _prices(settings))
    if model is None:
        _list(settings, prices, why)
        return
    spec = MODELS[model]
    if settings.as_json:
        console.as_json(_as_json(spec, prices[model]) | {"input_schema": spec.input_schema()})
    else:
        _show(spec, prices[model], why, whole=settings.verbose)


async def _prices(settings: Settings) -> tuple[dict[str, KnownPrice], str]:
    environment = process_environment()
    last_runs: dict[str, tuple[Decimal, datetime]] = {}
    if settings.place.may_exist():
        async with open_existing(settings, environment.clock) as store:
            last_runs = await store.preview.latest_prices(origin_of(settings, environment.env))
    return await known_prices(settings, environment, last_runs)


def _list(settings: Settings, prices: dict[str, KnownPrice], why: str) -> None:
    if settings.as_json:
        console.as_json([_as_json(spec, prices[name]) for name, spec in MODELS.items()])
        return
    rows = [
        (name, _usd(prices[name]), spec.summary, ", ".join(spec.vocabulary)) for name, spec in MODELS.items()
    ]
    console.table(
        ("model", "an image", "makes", "columns"),
        rows,
        numbers=("an image",),
        flowing=("makes", "columns"),
        brief={"model": brief_model},
    )
    of_source: dict[str, list[str]] = {}
    for name, price in prices.items():
        of_source.setdefault(_source(price, why), []).append(brief_model(name))
    for source, names in of_source.items():
        whose = "" if len(of_source) == 1 else f" of {', '.join(names)}"
        console.result(f"Prices{whose}: {source}")
    console.result(
        "Columns of any sheet: id, model, and again, which is never sent: its text makes a row another one."
    )
    console.result("One of them with all its inputs: `nightsheet models MODEL`")


def _usd(price: KnownPrice) -> str:
    return "not known" if price.usd is None else money(price.usd)


def _source(price: KnownPrice, why: str) -> str:
    """Where a price comes from, and of which day it is."""
    day = "" if price.at is None else f"{price.at.astimezone():%Y-%m-%d}"
    match price.source:
        case PriceSource.API:
            return f"the API's of today, {day}."
        case PriceSource.LAST_RUN:
            return f"the API's of the last run, {day} ({why})."
        case PriceSource.SETTINGS:
            return f"those under [prices] in nightsheet.toml ({why})."
        case PriceSource.EMULATOR:
            return "the emulator's, which costs nothing."
        case PriceSource.UNKNOWN:
            return f"not known ({why})."


def _as_json(spec: ModelSpec, price: KnownPrice) -> dict[str, Any]:
    return {
        "model": spec.model_id,
        "title": spec.title,
        "summary": spec.summary,
        "source": spec.source,
        "price": {"usd": dollars(price.usd), "source": price.source.value, "at": moment(price.at)},
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


def _show(spec: ModelSpec, price: KnownPrice, why: str, *, whole: bool) -> None:
    console.result(spec.model_id, "bold")
    console.result(f"{spec.title}: {spec.summary}")
    console.result(f"Page: {spec.source}")
    console.result(
        f"An image: {_usd(price)}; {_source(price, why)}" if price.usd else f"Price: {_source(price, why)}"
    )
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
        yield shape["description"]


_LIMITS = {"maxLength": "at most {} characters", "minItems": "at least {}", "maxItems": "at most {}"}
