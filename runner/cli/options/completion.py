"""What a shell completes: the names of batches. Asked while somebody types: quick and silent."""

from typing import Any

import typer

from jobs.errors import NightsheetError
from jobs.store.sqlite import completion
from runner.settings import load_settings


def batch_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The batches that begin so, in the database that the line names as far as it is written."""
    return [name for name in _names(ctx.params) if name.startswith(incomplete)]


def _names(flags: dict[str, Any]) -> list[str]:
    try:
        settings = load_settings({name: flags.get(name) for name in ("db", "emulator")})
    except NightsheetError:  # the command itself reports it
        return []
    return [] if settings.place.is_server else completion.batch_names(settings.place.path)
