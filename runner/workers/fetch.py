"""Brings a job's pictures home. They are paid for: what does not come is tried again, or said loudly."""

from anyio import to_thread

from jobs.failures import Failure, FailureKind
from jobs.outcomes import Fetched, FetchFailed, LinksExpired
from jobs.paths import image_path
from jobs.pauses import PauseReason
from jobs.stored_files import is_at_hand
from jobs.views import ArtifactView, OpenJob
from runner.backoff import Backoff
from runner.downloads.disk import DiskTrouble
from runner.downloads.download import DownloadedImage, fetch_image
from runner.downloads.download import DownloadResult as Download
from runner.downloads.validate import Broken
from runner.http.image_client import DownloadFailed, LinkGone
from runner.http.url_policy import Blocked, shown_host
from runner.limits.brake import Reach
from runner.workers.context import Context, must

BROKEN_TRIES = 4
"""Downloads of a picture that comes, but not whole or not as a picture."""
SERVER_TRIES = 6
"""Downloads of a picture whose server cannot be reached, or answers with an error, while others come."""

_AGAIN = Backoff(first=1.0, longest=20.0)


async def collect(run: Context, job: OpenJob, *, refreshed: bool) -> OpenJob | None:
    """Fetch the pictures of a job that is done at the API.

    Returns the job if its links are dead and its result is to be asked for anew, which `refreshed` says has
    been done once already. Else None: it has come to its end, or the next run takes it up.
    """
    urls = job.urls or ()
    if not urls:
        await _fail(run, job, Failure(FailureKind.NO_IMAGES, "The API was done, and had no picture."))
        return None
    held = await run.store.ledger.images_of(job.attempt_id)
    failure: Failure | None = None
    for number, url in enumerate(urls, start=1):
        earlier = held.get(number)
        if earlier is not None and await to_thread.run_sync(is_at_hand, earlier):
            continue
        match await _fetch(run, job, number, url, earlier, refreshed=refreshed):
            case DownloadedImage() as picture:
                await _record(run, job, number, url, picture)
            # A stand-in that is started anew has another port; another link may lead to another server.
            case LinkGone() | Blocked() | DownloadFailed(status=int()) if not refreshed:
                must(await run.store.jobs.apply(LinksExpired(job.id)), job.key)
                return await run.store.jobs.open_job(job.id)
            case LinkGone(status=status):
                failure = failure or Failure(
                    FailureKind.EXPIRED,
                    f"Picture {number} is paid for, and gone from {shown_host(url)} (HTTP {status}), "
                    "with fresh links as well.",
                    str(status),
                )
            case Blocked(reason=reason):
                failure = failure or Failure(
                    FailureKind.BLOCKED, f"Picture {number} is not fetched: {reason}."
                )
            case Broken(reason=reason) | DownloadFailed(reason=reason):
                failure = failure or Failure(
                    FailureKind.BAD_PICTURE, f"Picture {number} did not come whole: {reason}."
                )
            case DiskTrouble(in_the_way=True, reason=reason):
                failure = failure or Failure(FailureKind.BLOCKED, f"Picture {number} has no place: {reason}.")
            case DiskTrouble(reason=reason):
                run.brake.pause(PauseReason.DISK, f"{reason}.")
                return None
            case None:
                return None
    if failure is not None:
        await _fail(run, job, failure)
    else:
        await _succeed(run, job, len(urls))
    return None


async def _fetch(
    run: Context, job: OpenJob, number: int, url: str, earlier: ArtifactView | None, *, refreshed: bool
) -> Download | None:
    """One picture, over as many tries as its trouble is worth; None: not in this run."""
    name = image_path(
        run.limits.name_template,
        batch=run.batch.name,
        folder=job.folder,
        index=number,
        total=len(job.urls or ()),
        model=job.model,
    )
    begun = run.clock.monotonic()
    came = run.tally.came_before.pop(job.id, run.tally.pictures)
    tries = 0
    try:
        while True:
            tries += 1
            got = await fetch_image(
                run.downloads,
                url,
                name,
                replaces=earlier.sha256 if earlier else None,
                keep_bad=run.limits.keep_bad,
            )
            match got:
                case Broken() if tries < BROKEN_TRIES:
                    pass
                case LinkGone() if refreshed and tries < BROKEN_TRIES:  # it may not be everywhere yet
                    pass
                case DownloadFailed():
                    run.tally.struggling.add(job.id)
                    if tries >= SERVER_TRIES and got.status is not None and not refreshed:
                        run.tally.came_before[job.id] = came
                        return got
                    if tries >= SERVER_TRIES:
                        if run.brake.stops(
                            Reach.POLLS
                        ):  # the others try no more: there is nobody to compare with
                            return None
                        if not await _is_outage(run, job, came):
                            return got
                    if run.clock.monotonic() - begun >= run.limits.outage_limit:
                        run.brake.pause(PauseReason.OUTAGE, f"The pictures do not come: {got.reason}.")
                        return None
                    if tries == SERVER_TRIES:
                        run.notice(f"The pictures of job {job.key!r} do not come ({got.reason}). Trying on.")
                case _:
                    return got
            await run.clock.sleep(_AGAIN.jittered(tries - 1, run.rng))
    finally:
        run.tally.struggling.discard(job.id)


async def _is_outage(run: Context, job: OpenJob, came: int) -> bool:
    """Whether it is not this picture's own trouble: no other comes either, or the API is silent as well."""
    if run.tally.pictures > came:
        return False
    if len(run.tally.struggling) > 1:
        return True
    return not await run.health.is_up()


async def _record(run: Context, job: OpenJob, number: int, url: str, picture: DownloadedImage) -> None:
    view = ArtifactView(
        number=number,
        path=str(run.downloads.root / picture.path),
        url=url,
        sha256=picture.sha256,
        bytes=picture.bytes,
        width=picture.width,
        height=picture.height,
        content_type=picture.content_type,
    )
    await run.store.ledger.record_image(job.id, job.attempt_id, view)
    run.tally.pictures += 1


async def _succeed(run: Context, job: OpenJob, came: int) -> None:
    warnings = list(job.warnings)
    if came != job.pictures:
        short = f"{came} of {job.pictures} pictures came."
        note = short if came < job.pictures else f"{came} pictures came, {job.pictures} were asked for."
        warnings = [*(w for w in warnings if w != note), note]
    must(await run.store.jobs.apply(Fetched(job.id, tuple(warnings), run.clock.now())), job.key)
    run.tally.ended += 1
    run.guards.succeeded()


async def _fail(run: Context, job: OpenJob, failure: Failure) -> None:
    must(await run.store.jobs.apply(FetchFailed(job.id, failure, run.clock.now())), job.key)
    run.tally.ended += 1
    run.guards.failed(job.id, failure.kind)
    run.notice(f"Job {job.key!r}: {failure.message} `nightsheet retry` fetches it again, which is free.")
