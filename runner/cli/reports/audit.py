"""What an audit finds beside the ledger: jobs that another was sent for, pictures that are gone."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs.states import JobState
from jobs.stored_files import missing_files
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.humanize import count_of, money

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView, LinkedJob
    from runner.settings import Settings


@dataclass(frozen=True, slots=True)
class MissingImages:
    """A job that succeeded, and where its pictures should lie, and do not."""

    job: "JobView"
    paths: tuple[str, ...]
    wanted: bool
    """Whether a row of the sheet has them: `retry` has them fetched again."""


async def gone_from_disk(store: "Store", batch: "BatchView") -> list[MissingImages]:
    """What somebody has deleted, moved or changed since; what is linked has its pictures from another."""
    lost = []
    shared = set()
    async for job in store.jobs.each(batch.id, everything=True, states=[JobState.SUCCEEDED]):
        if job.twin is None:
            if paths := missing_files(job):
                lost.append((job, paths))
        elif job.current:
            shared.add(job.twin.id)
    return [MissingImages(job, paths, job.current or job.id in shared) for job, paths in lost]


def show_gone(gone: list[MissingImages], batch: "BatchView", settings: "Settings") -> None:
    """Each picture, and how to have it back, as far as a row of the sheet has it."""
    if not gone:
        return
    console.result()
    console.result("Came home, and no longer on disk as they were", "bold red")
    rows = (
        (one.job.row if one.job.current else "gone", one.job.key, path) for one in gone for path in one.paths
    )
    console.table(("row", "key", "picture"), rows, numbers=("row",), flowing=("picture",))
    wanted = [one for one in gone if one.wanted]
    unwanted = [one for one in gone if not one.wanted]
    if wanted:
        console.result(
            f"In all {_told(wanted)}. Put them back, or have them fetched again, free as long as the API has"
            f" them: {then(settings, 'retry', batch.name)}"
        )
    if unwanted:
        console.result(
            f"Not fetched again: {_told(unwanted)}, whose rows are no longer in the sheet, or say something"
            " else by now."
        )


def _told(gone: list[MissingImages]) -> str:
    pictures = sum(len(one.paths) for one in gone)
    return f"{count_of(pictures, 'picture')} of {count_of(len(gone), 'job')}"


def show_linked(linked: "list[LinkedJob]") -> None:
    """Each job, and the one that was sent in its stead."""
    if not linked:
        return
    console.result()
    console.result("Not sent: another job says the same, and its result counts for both", "bold")
    rows = ((job.row, job.key, job.same_as, job.state.value, money(Decimal(0))) for job in linked)
    console.table(("row", "key", "same as", "state", "cost"), rows, numbers=("row", "cost"))
