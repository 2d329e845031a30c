"""`nightsheet review`: the submits without an answer, and what a person decides about each."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.errors import UsageProblem
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.console.formatting import brief_model, then, zone, zone_name
from runner.cli.options.settings import CHANGING, BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps.chosen_jobs import NOT_IN_SHEET
from runner.cli.steps.decisions import Decisions, carry_out
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.cli.steps.unconfirmed import UnconfirmedJobs
from runner.humanize import count_of, money
from runner.providers.vendor import VENDOR, is_handle

if TYPE_CHECKING:
    from jobs.views import BatchView, JobView
    from runner.settings import Settings

EXAMPLE = "nightsheet review --attach lighthouse=6d2b7a10-... --discard harbour"
ALL = "all"
_PROMPT = 60
_GONE = "gone"


@made(*CHANGING)
def command(
    settings: "Settings",
    batch: BatchName = None,
    attach: Annotated[
        list[str] | None,
        typer.Option(
            "--attach", metavar="KEY=REQUEST_ID", help="The API has it under this id: fetch it. Free."
        ),
    ] = None,
    resubmit: Annotated[
        list[str] | None,
        typer.Option(
            "--resubmit", metavar="KEY|all", help="Send it again, `all` for all of them: perhaps paid twice."
        ),
    ] = None,
    discard: Annotated[
        list[str] | None,
        typer.Option(
            "--discard", metavar="KEY|all", help="Let it go, `all` for all of them: perhaps paid for nothing."
        ),
    ] = None,
) -> int:
    """List the submits that were sent without an answer, and decide about them."""
    return execute(lambda: _review(settings, batch, attach or (), resubmit or (), discard or ()))


# Not written as a docstring: `--help` shows it, and the name of the site is the vendor's.
command.__doc__ = f"""List the submits that were sent without an answer, and decide about them.

Look at your requests on {VENDOR.website}: what is there was accepted and paid for, so attach it. Where two
revisions of a row are unconfirmed, KEY@REVISION names one of them. Ends with exit code 1 if something
that was decided could not be done.
"""


async def _review(
    settings: "Settings",
    name: str | None,
    attach: Sequence[str],
    resubmit: Sequence[str],
    discard: Sequence[str],
) -> int:
    from runner.recovery.recover import settle_beside

    clock = system_clock()
    async with opened_batch(settings, clock, name) as (store, batch):
        await settle_beside(
            store, batch, settings.database, command="review", clock=clock, notice=console.message
        )
        found = store.jobs.each(batch.id, everything=True, states=[JobState.UNCONFIRMED])
        doubts = UnconfirmedJobs(batch.name, [job async for job in found])
        if not (attach or resubmit or discard):
            if settings.as_json:
                console.as_json([_as_json(job) for job in doubts.jobs])
            else:
                _show(batch, doubts, settings, clock.now())
            return 0
        decisions = _understood(doubts, attach, resubmit, discard)
        told = await carry_out(decisions, store, batch, settings, clock)
        if settings.as_json:
            console.as_json(told.as_json())
        else:
            told.show(settings)
        return told.exit_code


def _understood(
    doubts: UnconfirmedJobs, attach: Sequence[str], resubmit: Sequence[str], discard: Sequence[str]
) -> Decisions:
    """What was asked for, in terms of the jobs that are unconfirmed.

    Raises:
        UsageProblem: it cannot be meant like that; nothing was changed.
    """
    pairs = [_pair(doubts, text) for text in attach]
    if ALL in resubmit and ALL in discard:
        raise UsageProblem("All cannot be both resubmitted and discarded. Nothing was changed.")
    again = [job for text in resubmit if text != ALL for job in doubts.to_send(text)]
    gone = [doubts.one(text) for text in discard if text != ALL]
    spoken_for = Counter(job.id for job in (*(job for job, _ in pairs), *again, *gone))
    for job in doubts.jobs:
        if spoken_for[job.id] > 1:
            raise UsageProblem(f"Job {doubts.name(job)!r} is named twice. Nothing was changed.")
    rest = [job for job in doubts.jobs if job.id not in spoken_for]
    return Decisions(
        doubts,
        pairs,
        again + (rest if ALL in resubmit else []),
        gone + (rest if ALL in discard else []),
    )


def _pair(doubts: UnconfirmedJobs, text: str) -> tuple["JobView", str]:
    key, equals, request_id = text.rpartition("=")
    if not equals or not key or not is_handle(request_id):
        raise UsageProblem(
            f"--attach {text} is not KEY=REQUEST_ID. Nothing was changed.",
            hint="A request_id is of letters, digits, - and _.",
        )
    return doubts.one(key), request_id


def _inputs(job: "JobView") -> tuple[str, int | None]:
    """The prompt and the seed that were sent: what tells a request from the others at the API."""
    import json

    from jobs.catalog.registry import find

    sent = json.loads(job.inputs)
    spec = find(job.model)
    words = {} if spec is None else spec.vocabulary
    return str(sent.get(words.get("prompt", "prompt"), "")), sent.get(words.get("seed", "seed"))


def _as_json(job: "JobView") -> dict[str, Any]:
    """An unconfirmed job for scripts. `at_risk_usd` is the most that it may have cost, null if unknown."""
    from jobs.manifests.record import dollars, moment

    prompt, seed = _inputs(job)
    return {
        "batch": job.batch,
        "key": job.key,
        "revision": job.revision,
        "current": job.current,
        "row": job.row,
        "model": job.model,
        "submitted_at": moment(job.submitted_at),
        "prompt": prompt,
        "seed": seed,
        "at_risk_usd": dollars(job.estimate_usd),
        "message": "" if job.failure is None else job.failure.message,
    }


def _show(batch: "BatchView", doubts: UnconfirmedJobs, settings: "Settings", now: datetime) -> None:
    if not doubts.jobs:
        console.result(f"Batch {batch.name}: nothing is unconfirmed.")
        return
    rows, here = [], zone(now)
    for job in doubts.jobs:
        prompt, seed = _inputs(job)
        sent = "" if job.submitted_at is None else f"{job.submitted_at.astimezone(here):%Y-%m-%d %H:%M:%S}"
        risk = "unknown" if job.estimate_usd is None else money(job.estimate_usd)
        told = prompt if settings.verbose else console.short(prompt, _PROMPT)
        row = job.row if job.current else _GONE
        rows.append((doubts.name(job), row, job.model, sent, "" if seed is None else seed, risk, told))
    console.table(
        ("key", "row", "model", f"sent ({zone_name(now)})", "seed", "at risk", "prompt"),
        rows,
        numbers=("row", "at risk"),
        flowing=("prompt",),
        spare=("row", "model", "at risk"),
        brief={"model": brief_model},
    )
    if not all(job.current for job in doubts.jobs):
        console.result(f"{_GONE}: {NOT_IN_SHEET}; it can be attached or let go, but not sent again.")
    name = batch.name
    console.result(
        f"{count_of(len(doubts.jobs), 'submit')} without an answer: each may be paid for. "
        "Look for them in your"
    )
    console.result(f"requests on {VENDOR.website}, by time, prompt and seed. Then, for each:")
    console.result(f"  it is there:     {then(settings, 'review', name, '--attach', 'KEY=REQUEST_ID')}")
    console.result("                   free: it is fetched")
    console.result(f"  it is not there: {then(settings, 'review', name, '--resubmit', 'KEY')}")
    console.result("                   paid: twice, if the first was accepted after all")
    console.result(f"  let it go:       {then(settings, 'review', name, '--discard', 'KEY')}")
    console.result("                   costs nothing more; if it was accepted, it was paid for nothing")
