"""What an image of each model costs, as far as it is known: from whom, and of which day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from jobs.catalog.registry import MODELS
from runner.emulator.settings import EmulatorSettings
from runner.environment import Environment
from runner.planning.prices import PriceSource, prices_for
from runner.settings import Settings


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """USD an image of one model; None where nobody told it."""

    usd: Decimal | None
    source: PriceSource
    at: datetime | None = None
    """When it was told; None for a price of the settings, which has no date."""


async def known_prices(
    settings: Settings, environment: Environment, last_runs: Mapping[str, tuple[Decimal, datetime]]
) -> tuple[dict[str, KnownPrice], str]:
    """The best known price of every model; and why the API did not tell all of them, empty if it did.

    The API is asked where there is a token, which is free. `last_runs` is what it told earlier.
    """
    now = environment.clock.now()
    if settings.emulator:
        emulator = EmulatorSettings()
        return {model: KnownPrice(emulator.price(model), PriceSource.EMULATOR, now) for model in MODELS}, ""
    nobodys = settings.model_copy(update={"prices": {}})
    asked = await prices_for(tuple(MODELS), nobodys, environment.env, environment.home, environment.clock, {})

    def best(model: str) -> KnownPrice:
        if model in asked.usd:
            return KnownPrice(asked.usd[model], PriceSource.API, now)
        if model in last_runs:
            return KnownPrice(last_runs[model][0], PriceSource.LAST_RUN, last_runs[model][1])
        if model in settings.prices:
            return KnownPrice(settings.prices[model], PriceSource.SETTINGS)
        return KnownPrice(None, PriceSource.UNKNOWN)

    return {model: best(model) for model in MODELS}, asked.why
