"""The price of an image before a run: as the API reports now, else from the last run or the settings."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from jobs.errors import NightsheetError
from runner.clock import Clock
from runner.environment import Environment
from runner.providers.base import CallFailed, Priced, Stopped
from runner.providers.vendor import has_token
from runner.settings import Settings

if TYPE_CHECKING:
    from runner.providers.connect import Api

ASKED_SECONDS = 5.0
"""The time limit for all price calls together: a plan can be shown without them."""


class PriceSource(StrEnum):
    """Where a price comes from, the most reliable first."""

    API = "api"
    LAST_RUN = "last_run"
    SETTINGS = "settings"
    UNKNOWN = "unknown"
    EMULATOR = "emulator"


_BEST_FIRST = list(PriceSource)


@dataclass(frozen=True, slots=True)
class Prices:
    """USD an image by model. `source` is the least reliable one that was needed, None if none was.

    `why` is the reason why the API did not report all of them; empty if it did.
    """

    usd: Mapping[str, Decimal]
    source: PriceSource | None = None
    why: str = ""


async def prices_for(
    models: Collection[str],
    settings: Settings,
    env: Mapping[str, str],
    home: Path,
    clock: Clock,
    last_run: Mapping[str, Decimal],
) -> Prices:
    """The prices of `models`. The API is asked for a few seconds, if there is a token. Raises nothing."""
    if not models:
        return Prices({**settings.prices, **last_run})
    quoted: dict[str, Decimal] = {}
    why = ""
    try:
        if not has_token(env, home):
            why = "there is no token to ask the API with"
        else:
            from runner.providers import connect  # late: it loads the API's clients

            why = await _ask(models, connect.open_api(settings, Environment(env, home, clock)), quoted)
    except NightsheetError as error:
        why = error.message.rstrip(".")
    known = {PriceSource.API: quoted, PriceSource.LAST_RUN: last_run, PriceSource.SETTINGS: settings.prices}
    sources = [
        next((source for source, prices in known.items() if model in prices), PriceSource.UNKNOWN)
        for model in models
    ]
    return Prices({**settings.prices, **last_run, **quoted}, max(sources, key=_BEST_FIRST.index), why)


async def _ask(
    models: Collection[str], opened: "AbstractAsyncContextManager[Api]", quoted: dict[str, Decimal]
) -> str:
    """Put the prices that the API reports into `quoted`; return why one is missing, or an empty text."""
    with anyio.move_on_after(ASKED_SECONDS) as timeout:
        async with opened as api:
            for model in models:
                match await api.provider.price(model):
                    case Priced(price_usd=Decimal() as usd):
                        quoted[model] = usd
                    case Stopped(message=message):
                        return f"the API refuses: {message.rstrip('.')}"
                    case CallFailed(reason=reason):
                        return f"the API does not answer: {reason.rstrip('.')}"
                    case _:
                        pass
    if timeout.cancelled_caught:
        return f"the API did not answer within {ASKED_SECONDS:g} s"
    return "" if len(quoted) == len(models) else "the API has no price for a model"
