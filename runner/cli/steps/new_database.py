"""A database lies beside the sheet, and this command would make, or look for, another one here."""

from jobs.errors import UsageProblem
from jobs.sheets import SheetSource
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.settings import Settings


def tell_of_another(settings: Settings, source: SheetSource, verb: str, *words: str) -> bool:
    """Say so, with the command for that one; return whether it is so."""
    if settings.db is not None or settings.database.exists() or source.spooled:
        return False
    beside = settings.database_beside(str(source.path.absolute()))
    if beside is None:
        return False
    console.message(f"There is no database here ({settings.database}), and one beside the sheet.", "yellow")
    known = settings.model_copy(update={"db": beside})
    console.message(f"To go on with that one: {then(known, verb, *words)}")
    return True


def make_another(settings: Settings, source: SheetSource, *words: str) -> None:
    """Before `run` makes a new database: tell, and ask where there is somebody to ask.

    Raises:
        UsageProblem: the person wants no new one.
    """
    if not tell_of_another(settings, source, "run", *words):
        return
    if settings.yes or settings.emulator or not console.is_interactive():
        return
    if not console.ask("Make a new database here?"):
        raise UsageProblem("No database was made, and nothing was sent.")
