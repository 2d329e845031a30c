"""Other witnesses of what was paid for: databases that are not this one."""

from collections.abc import Callable

from anyio import to_thread

from jobs.errors import CannotWrite
from jobs.paid import PaidElsewhere, PaidSubmit, by_fingerprint
from jobs.store.sqlite.beside import paid_submits
from runner.settings import Settings


async def paid_elsewhere(
    settings: Settings, sheet: str, origin: str, notice: Callable[[str], None]
) -> PaidElsewhere:
    """What other databases paid for at this API, as far as they can be found from here.

    The one beside the sheet is asked. A journal's submits belong here as well.
    """
    return by_fingerprint([*await to_thread.run_sync(_beside, settings, sheet, origin, notice)])


def _beside(settings: Settings, sheet: str, origin: str, notice: Callable[[str], None]) -> list[PaidSubmit]:
    path = settings.database_beside(sheet)
    if path is None:
        return []
    try:
        return paid_submits(path, origin)
    except CannotWrite as error:
        notice(f"A database lies beside the sheet, and what it paid for is not known: {error.message}")
        return []
