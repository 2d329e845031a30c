"""`nightsheet account show` and `account set`: the limits that all batches of an account share."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.errors import TokenProblem, UsageProblem
from runner.cli.console import console
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.cli.reports.studio.account import as_json, lines
from runner.cli.steps.open import execute, must_exist, process_environment
from runner.deciding.account_limits import limits_given
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.admission import AccountStanding

EXAMPLE = "nightsheet account set --concurrency 24 --rate 60 --budget 500"


class AccountWork(StrEnum):
    """What is done about the account."""

    SHOW = "show"
    SET = "set"


@with_settings(*LOOKING)
def command(
    settings: Settings,
    work: Annotated[AccountWork, typer.Argument(metavar="show|set", help="Show the limits, or set some.")],
    concurrency: Annotated[
        str | None, typer.Option("--concurrency", metavar="N", help="Most jobs at the API at once, or none.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="N", help="Most submits a minute, or none.")
    ] = None,
    gate: Annotated[
        str | None, typer.Option("--gate", metavar="N", help="Most submits on their way at once, or none.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="USD", help="The most that all batches may cost, or none."),
    ] = None,
) -> None:
    """Show or set the limits of your account: for all its batches in this database, and all who run them.

    The database holds each submit against them before it leaves, whatever a run's own settings are. `none`
    takes a limit away. The account is that of your token.
    """
    options = {"concurrency": concurrency, "rate": rate, "gate": gate, "budget": budget}
    given = {option: text for option, text in options.items() if text is not None}
    if work is AccountWork.SHOW and given:
        raise UsageProblem("`account show` sets nothing.", hint=f"To set a limit: {EXAMPLE}")
    if work is AccountWork.SET and not given:
        raise UsageProblem("`account set` needs a limit to set.", hint=f"For example: {EXAMPLE}")
    accounts, own = execute(lambda: _accounts(settings, given))
    if settings.as_json:
        console.as_json([as_json(account, is_own=account.name == own) for account in accounts])
        return
    if not accounts:
        console.result("No account is known here yet: a run makes its own known, and so does `account set`.")
    for account in accounts:
        for line, style in lines(account, is_own=account.name == own):
            console.result(line, style)


async def _accounts(settings: Settings, given: dict[str, str]) -> tuple[list["AccountStanding"], str | None]:
    """Set what is given; then all accounts, and the name of this token's."""
    from jobs.store.open import open_store  # late: SQLAlchemy comes along
    from runner.providers.connect import account_name

    limits = limits_given(given)
    environment = process_environment()
    own = account_name(settings, environment)
    if limits and own is None:
        raise TokenProblem(
            "There is no API token, and it tells which account is meant.",
            hint="Set the token as for a run; or --emulator, for rehearsals.",
        )
    if not limits:
        must_exist(settings)
    async with open_store(settings.place, environment.clock.now, create=bool(limits)) as store:
        if limits and own is not None:
            await store.accounts.set_limits(own, limits)
        return await store.accounts.all(), own
