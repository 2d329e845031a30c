"""Which jobs and pictures an export is about."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from jobs.errors import UsageProblem
from jobs.review.decisions import Verdict
from jobs.review.search import UNDECIDED, Search, SearchField, SearchProblem, SearchTerm, parse_search
from runner.cli.options.picking import OnlyThose, Picking

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView


_TERMS = {
    OnlyThose.ACCEPTED: SearchTerm(SearchField.VERDICT, Verdict.ACCEPTED),
    OnlyThose.REJECTED: SearchTerm(SearchField.VERDICT, Verdict.REJECTED),
    OnlyThose.REROLL: SearchTerm(SearchField.VERDICT, Verdict.REROLL),
    OnlyThose.UNDECIDED: SearchTerm(SearchField.VERDICT, UNDECIDED),
    OnlyThose.STARRED: SearchTerm(SearchField.STARS, ">0"),
}


async def search_of(store: "Store", batch: "BatchView", picking: Picking) -> Search:
    """What was asked for, as a search; nothing is everything.

    Raises:
        UsageProblem: it is no search, or both options choose by the same.
    """
    columns = (await store.jobs.columns(batch.id)).own
    found = parse_search(picking.search or "", columns)
    if isinstance(found, SearchProblem):
        raise UsageProblem(f"{found.message} Nothing was written.", found.hint)
    only = None if picking.only is None else _TERMS.get(picking.only)
    if only is None:
        return found
    if any(term.field is only.field for term in found):  # of two values one would be enough
        raise UsageProblem(
            f"--only {picking.only} and {only.field}: in --search choose by the same. Nothing was written.",
            hint="Leave one of the two out.",
        )
    return (*found, only)


def jobs_of(store: "Store", batch: "BatchView", search: Search) -> "AsyncIterator[JobView]":
    """The jobs that it finds, each with the pictures that it finds."""
    return store.tiles.found(batch.id, search) if search else store.jobs.each(batch.id)
