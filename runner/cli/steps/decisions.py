"""`review`: from words of the command line to decisions, and each decision to its end."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.errors import UsageProblem
from runner.cli.console.errors import show_error
from runner.cli.steps.consent import agrees
from runner.cli.steps.open import opener_of_api
from runner.deciding.changes import price_to_send
from runner.deciding.review import Decisions, ReviewResult, attach, discard, resubmit, resubmittable
from runner.deciding.reviewable import UnconfirmedJobs
from runner.environment import Environment
from runner.humanize import count_of
from runner.providers.vendor import is_handle
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView

_ALL = "all"


def decisions_from(
    unconfirmed: UnconfirmedJobs,
    attach_words: Sequence[str],
    resubmit_words: Sequence[str],
    discard_words: Sequence[str],
) -> Decisions:
    """What the words of `--attach`, `--resubmit` and `--discard` mean for the unconfirmed jobs.

    Raises:
        UsageProblem: a word has no meaning, or two contradict each other; nothing was changed.
    """
    pairs = [_job_and_request_id(unconfirmed, word) for word in attach_words]
    if _ALL in resubmit_words and _ALL in discard_words:
        raise UsageProblem("All cannot be both resubmitted and discarded. Nothing was changed.")
    to_resubmit = [job for word in resubmit_words if word != _ALL for job in unconfirmed.to_send(word)]
    to_discard = [unconfirmed.one(word) for word in discard_words if word != _ALL]
    named = Counter(job.id for job in (*(job for job, _ in pairs), *to_resubmit, *to_discard))
    for job in (*unconfirmed.jobs, *unconfirmed.ended):
        if named[job.id] > 1:
            raise UsageProblem(f"Job {unconfirmed.name(job)!r} is named twice. Nothing was changed.")
    others = [job for job in unconfirmed.jobs if job.id not in named]
    return Decisions(
        unconfirmed,
        pairs,
        to_resubmit + (others if _ALL in resubmit_words else []),
        to_discard + (others if _ALL in discard_words else []),
    )


def _job_and_request_id(unconfirmed: UnconfirmedJobs, word: str) -> tuple["JobView", str]:
    """Keys and ids may hold `=` themselves: of those with a job to their left, the last one divides."""
    places = [place for place, character in enumerate(word) if character == "=" and place > 0]
    pairs = [(word[:place], word[place + 1 :]) for place in reversed(places)]
    pairs = [(key, request_id) for key, request_id in pairs if is_handle(request_id)]
    if not pairs:
        raise UsageProblem(
            f"--attach {word} is not KEY=REQUEST_ID. Nothing was changed.",
            hint="A request_id has no slash and no line break, and at most 128 characters.",
        )
    key, request_id = next((pair for pair in pairs if unconfirmed.has_to_attach(pair[0])), pairs[0])
    return unconfirmed.to_attach(key), request_id


async def carry_out(
    decisions: Decisions, store: "Store", batch: "BatchView", settings: Settings, environment: Environment
) -> ReviewResult:
    """Do what was decided, as far as it is possible; each job by itself. A person is asked first.

    Raises:
        UsageProblem: sending again may pay, and nobody can be asked; nothing is changed.
    """
    jobs = resubmittable(decisions)
    what = f"{count_of(len(jobs), 'submit')} may have been accepted; sending again may pay twice"
    agreed = not jobs or await agrees(settings, what, *price_to_send(batch, jobs))
    result = ReviewResult()
    if decisions.attach:
        open_api = opener_of_api(batch, settings, environment)
        result += await attach(decisions, store, open_api, environment.clock)
        if result.error is not None:
            show_error(result.error)
    result += await resubmit(
        decisions, store, environment.clock, agreed=agreed, submit_timeout=settings.submit_timeout
    )
    return result + await discard(decisions, store, environment.clock)
