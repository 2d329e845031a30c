"""The options that choose a part of a batch for a run."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.errors import UsageProblem

if TYPE_CHECKING:
    from runner.planning.selection import Selection

_PART = "A part first"

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="KEY", help="Send only this job; may be repeated.", rich_help_panel=_PART),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="COLUMN=VALUE",
        help="Send only jobs that say this; may be repeated.",
        rich_help_panel=_PART,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=1, help="Send only the next N jobs.", rich_help_panel=_PART),
]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample",
        metavar="N",
        min=1,
        help="Send only N jobs from all over the sheet.",
        rich_help_panel=_PART,
    ),
]


def part_of(
    only: list[str] | None, where: list[str] | None, limit: int | None, sample: int | None
) -> "Selection":
    """What was said, understood.

    Raises:
        UsageProblem: a condition has no `=`, or both a limit and a sample are asked for.
    """
    from runner.planning.selection import Selection

    if limit is not None and sample is not None:
        raise UsageProblem("--limit and --sample are two answers to one question.", hint="Give one of them.")
    conditions = []
    for condition in where or ():
        column, equals, value = condition.partition("=")
        if not equals or not column.strip():
            raise UsageProblem(f"--where {condition}: a column, =, and its value are needed.")
        conditions.append((column.strip(), value.strip()))
    return Selection(tuple(only or ()), tuple(conditions), limit, sample)
