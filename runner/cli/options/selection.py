"""The options that select some jobs of a batch for a run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.errors import UsageProblem

if TYPE_CHECKING:
    from runner.planning.selection import Selection

_PANEL = "Part of a batch"


@dataclass(frozen=True, slots=True)
class SelectionOptions:
    """The group of options that `run` and `resume` share."""

    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="KEY", help="Send only this job; may be repeated.", rich_help_panel=_PANEL
        ),
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="COLUMN=VALUE",
            help="Send only jobs with this; may be repeated.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", min=1, help="Send only the next N jobs.", rich_help_panel=_PANEL
        ),
    ] = None
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            metavar="N",
            min=1,
            help="Send only N jobs, from all over the sheet.",
            rich_help_panel=_PANEL,
        ),
    ] = None

    def selection(self) -> "Selection":
        """The jobs that these options select.

        Raises:
            UsageProblem: a condition has no `=`, or both a limit and a sample are given.
        """
        from runner.planning.selection import Selection  # late: SQLAlchemy comes along; `--help` needs none

        if self.limit is not None and self.sample is not None:
            raise UsageProblem("--limit and --sample exclude each other.", hint="Give one of them.")
        conditions = []
        for condition in self.where or ():
            column, equals, value = condition.partition("=")
            if not equals or not column.strip():
                raise UsageProblem(f"--where {condition}: a column, =, and its value are needed.")
            conditions.append((column.strip(), value.strip()))
        return Selection(tuple(self.only or ()), tuple(conditions), self.limit, self.sample)
