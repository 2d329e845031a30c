"""Options that say which pictures of a batch a command takes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

_PANEL = "Which"


class OnlyThose(StrEnum):
    """Pictures by what a person decided."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REROLL = "reroll"
    UNDECIDED = "undecided"
    STARRED = "starred"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Picking:
    """Which pictures."""

    only: Annotated[
        OnlyThose | None,
        typer.Option("--only", help="Pictures by what was decided about them; all.", rich_help_panel=_PANEL),
    ] = None
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            metavar="TEXT",
            help='What the search of the page finds, such as "fox size:2048x2048 -tram".',
            rich_help_panel=_PANEL,
        ),
    ] = None
