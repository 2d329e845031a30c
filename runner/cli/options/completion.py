"""What a shell may complete: the names of batches. Asked while somebody types: quick and silent."""

from pathlib import Path
from typing import Any

import typer


def batch_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The batches that begin so, in the database that the line names as far as it is written."""
    return [name for name in _names(ctx.params) if name.startswith(incomplete)]


def _names(said: dict[str, Any]) -> list[str]:
    from jobs.errors import NightsheetError
    from jobs.store.completion import batch_names as names_in
    from runner.settings import load_settings

    try:
        settings = load_settings({name: said.get(name) for name in ("db", "emulator")})
    except NightsheetError:  # the command itself will tell it
        return []
    return names_in(Path(settings.database))
