"""Other witnesses of what was paid for: databases that are not this one."""

from collections.abc import Callable

from anyio import to_thread

from jobs.errors import CannotWrite
from jobs.paid import PaidByBoth, PaidElsewhere, PaidSubmit, by_fingerprint
from jobs.store.sqlite.beside import paid_submits
from runner.environment import Environment
from runner.recovery.elsewhere import PaidByJournals, paid_by_journals
from runner.settings import Settings


async def paid_elsewhere(
    settings: Settings,
    environment: Environment,
    sheet: str,
    origin: str,
    uid: str | None,
    notice: Callable[[str], None],
) -> tuple[PaidElsewhere, PaidByJournals]:
    """What other databases paid for at this API, as far as they can be found from here.

    The one beside the sheet is asked, and the journals in the state folder and beside this database, whose
    uid is `uid`. What a ledger has, it knows better than a journal: how it ended.

    The journals come by themselves as well: what they get meanwhile can be looked for.

    Raises:
        CannotWrite: a later version wrote a journal.
    """
    submits = await to_thread.run_sync(_beside, settings, sheet, origin, notice)
    state, now = environment.state_folder, environment.clock.now()
    journals = await to_thread.run_sync(paid_by_journals, settings.database, uid, origin, state, now)
    return PaidByBoth(by_fingerprint(submits), journals), journals


def _beside(settings: Settings, sheet: str, origin: str, notice: Callable[[str], None]) -> list[PaidSubmit]:
    path = settings.database_beside(sheet)
    if path is None:
        return []
    try:
        return paid_submits(path, origin)
    except CannotWrite as error:
        notice(f"A database lies beside the sheet, and what it paid for is not known: {error.message}")
        return []
