"""`nightsheet review`: the submits without an answer, and what a person decides about each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.errors import UsageProblem
from jobs.states import JobState
from runner.cli import render
from runner.cli.deciding import Decisions, carry_out
from runner.cli.opening import execute, opened_batch, surroundings
from runner.cli.options import CHANGING, BatchName
from runner.cli.options import command as made
from runner.cli.words import many, money, then

if TYPE_CHECKING:
    from jobs.views import BatchView, JobView
    from runner.settings import Settings

EXAMPLE = "nightsheet review --attach lighthouse=6d2b7a10-... --discard harbour"
ALL = "all"
_PROMPT = 60


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
        typer.Option("--resubmit", metavar="KEY", help="Send it again, or all of them: perhaps paid twice."),
    ] = None,
    discard: Annotated[
        list[str] | None,
        typer.Option("--discard", metavar="KEY", help="Let it go, or all of them: perhaps paid for nothing."),
    ] = None,
) -> int:
    """List the submits that were sent without an answer, and decide about them.

    Look at your requests on runcomfy.com: what is there was accepted and paid for, so attach it.
    """
    return execute(lambda: _review(settings, batch, attach or (), resubmit or (), discard or ()))


async def _review(
    settings: "Settings",
    name: str | None,
    attach: Sequence[str],
    resubmit: Sequence[str],
    discard: Sequence[str],
) -> int:
    around = surroundings()
    async with opened_batch(settings, around, name) as (store, batch):
        open_now = [job async for job in store.jobs(batch.id, everything=True, states=[JobState.UNCONFIRMED])]
        if not (attach or resubmit or discard):
            if settings.as_json:
                render.as_json([_as_json(job) for job in open_now])
            else:
                _show(batch, open_now, settings)
            return 0
        decisions = _understood(batch, open_now, attach, resubmit, discard)
        told = await carry_out(decisions, store, batch, settings, around)
        if settings.as_json:
            render.as_json(told.as_json())
        else:
            told.show(settings)
        return told.exit_code


def _understood(
    batch: "BatchView",
    open_now: Sequence["JobView"],
    attach: Sequence[str],
    resubmit: Sequence[str],
    discard: Sequence[str],
) -> Decisions:
    """What was asked for, in terms of the jobs that are unconfirmed.

    Raises:
        UsageProblem: it cannot be meant like that; nothing was changed.
    """
    from runner.classify import is_request_id

    jobs = {job.key: job for job in open_now}
    pairs = []
    for text in attach:
        key, equals, request_id = text.rpartition("=")
        if not equals or not key or not is_request_id(request_id):
            raise UsageProblem(
                f"--attach {text} is not KEY=REQUEST_ID. Nothing was changed.",
                hint="A request_id is of letters, digits, - and _.",
            )
        pairs.append((key, request_id))
    spoken_for = [key for key, _ in pairs] + [key for key in (*resubmit, *discard) if key != ALL]
    if ALL in resubmit and ALL in discard:
        raise UsageProblem("All cannot be both resubmitted and discarded. Nothing was changed.")
    for key in spoken_for:
        if spoken_for.count(key) > 1:
            raise UsageProblem(f"Job {key!r} is named twice. Nothing was changed.")
        if key not in jobs:
            known = ", ".join(jobs) if jobs else "none is"
            raise UsageProblem(
                f"Job {key!r} of batch {batch.name!r} is not unconfirmed. Nothing was changed.",
                hint=f"Unconfirmed: {known}.",
            )
    rest = [job for key, job in jobs.items() if key not in spoken_for]

    def chosen(keys: Sequence[str]) -> list["JobView"]:
        return [jobs[key] for key in keys if key != ALL] + (rest if ALL in keys else [])

    return Decisions(
        [(jobs[key], request_id) for key, request_id in pairs], chosen(resubmit), chosen(discard)
    )


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
        "row": job.row,
        "model": job.model,
        "submitted_at": moment(job.submitted_at),
        "prompt": prompt,
        "seed": seed,
        "at_risk_usd": dollars(job.estimate_usd),
        "message": "" if job.failure is None else job.failure.message,
    }


def _show(batch: "BatchView", jobs: Sequence["JobView"], settings: "Settings") -> None:
    if not jobs:
        render.result(f"Batch {batch.name}: nothing is unconfirmed.")
        return
    rows = []
    for job in jobs:
        prompt, seed = _inputs(job)
        sent = "" if job.submitted_at is None else f"{job.submitted_at.astimezone():%Y-%m-%d %H:%M:%S}"
        risk = "unknown" if job.estimate_usd is None else money(job.estimate_usd)
        told = prompt if settings.verbose else render.short(prompt, _PROMPT)
        rows.append((job.key, job.row, job.model, sent, "" if seed is None else seed, risk, told))
    render.table(
        ("key", "row", "model", "sent at", "seed", "at risk", "prompt"), rows, numbers=("row", "at risk")
    )
    here = batch.name
    render.result(
        f"{many(len(jobs), 'submit')} without an answer: each may be paid for. Look for them in your"
    )
    render.result("requests on runcomfy.com, by time, prompt and seed. Then, for each:")
    render.result(f"  it is there:     {then(settings, 'review', here, '--attach', 'KEY=REQUEST_ID')}")
    render.result("                   free: it is fetched")
    render.result(f"  it is not there: {then(settings, 'review', here, '--resubmit', 'KEY')}")
    render.result("                   paid: twice, if the first was accepted after all")
    render.result(f"  let it go:       {then(settings, 'review', here, '--discard', 'KEY')}")
    render.result("                   costs nothing more; if it was accepted, it was paid for nothing")
