"""Downloads a job's images. They are paid for: a failed download is retried, or reported."""

from enum import Enum

from anyio import to_thread

from jobs.disk.paths import image_path
from jobs.failures import Failure, FailureKind
from jobs.images.stored import is_on_disk
from jobs.outcomes import Fetched, FetchFailed, LinksExpired
from jobs.pauses import PauseReason
from jobs.views import ArtifactView, OpenJob
from runner.backoff import Backoff
from runner.downloads.disk import DiskTrouble
from runner.downloads.download import DownloadedImage, DownloadResult, fetch_image
from runner.downloads.late_decode import FreshImage
from runner.downloads.placement import stamp_of
from runner.downloads.validate import Broken
from runner.http.image_client import DownloadFailed, LinkGone
from runner.http.url_policy import Blocked, shown_host
from runner.limits.brake import Reach
from runner.workers.context import LOST, Context, must
from runner.workers.late_decodes import is_note

BROKEN_TRIES = 4
"""Tries for an image that arrives incomplete or does not decode."""
SERVER_TRIES = 6
"""Tries for an image whose server is unreachable or answers with an error, while other images arrive."""

_AGAIN = Backoff(first=1.0, longest=20.0)


async def fetch_images(run: Context, job: OpenJob, *, refreshed: bool) -> OpenJob | None:
    """Download the images of a job that is done at the API.

    Returns the job if its links are dead and the API must be polled for new ones. `refreshed`: that was done
    before, and is not done twice. Returns None if the job has ended, or is left to the next run.
    """
    urls = job.urls or ()
    if not urls:
        await _fail(run, job, Failure(FailureKind.NO_IMAGES, "The API was done, and had no picture."))
        return None
    held = await run.store.ledger.images_of(job.attempt_id) if job.has_images else {}
    failure: Failure | None = None
    last: ArtifactView | None = None
    fresh: list[FreshImage] = []
    for number, url in enumerate(urls, start=1):
        earlier = held.get(number)
        if earlier is not None and await to_thread.run_sync(is_on_disk, earlier):
            continue
        match await _fetch(run, job, number, url, earlier, refreshed=refreshed):
            case DownloadedImage() as image:
                taken = _artifact(run, number, url, image)
                run.tally.images += 1
                if number == len(urls) and failure is None:
                    last = taken  # recorded with the job's end
                else:
                    await run.store.ledger.record_image(job.id, job.attempt_id, taken)
                is_decoded = image.content_type != "image/png"  # that is only proven by now
                if not is_decoded or run.images.thumbs is not None:
                    stamp = stamp_of(image.path)
                    fresh.append(
                        FreshImage(job.id, job.key, number, image.path, image.sha256, is_decoded, stamp)
                    )
            # A restarted emulator has another port, and a new link may lead to another server.
            case LinkGone() | Blocked() | DownloadFailed(status=int()) if not refreshed:
                expired = must(run, await run.store.jobs.advance(LinksExpired(job.id)), job.key)
                return None if expired is LOST else expired
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
                run.limits.brake.pause(PauseReason.DISK, f"{reason}.")
                return None
            case None:
                return None
    if failure is not None:
        await _fail(run, job, failure)
    else:
        await _succeed(run, job, len(urls), last)
        for one in fresh:
            run.images.late.offer(one)
    return None


class RetryDecision(Enum):
    """What to do after one try to download an image."""

    TAKE = "accept the result"
    AGAIN = "try again"
    NEW_LINK = "ask the API for a new link"
    COMPARE = "check whether other images arrive, then accept the result or try again"


def retry_decision(got: DownloadResult, tries: int, *, refreshed: bool) -> RetryDecision:
    """What to do after `tries` downloads of an image. `refreshed`: its link has been renewed already.

    A server that answers with an error may have lost the image, and a new link may lead to another server.
    A server that is silent, or fails with a new link as well, may fail for every image: that is an outage.
    One that answers oddly (a redirect to nowhere, no content) is in order: that is this image's own trouble.
    """
    match got:
        case Broken() if tries < BROKEN_TRIES:
            return RetryDecision.AGAIN
        case LinkGone() if refreshed and tries < BROKEN_TRIES:  # a new link may not work everywhere yet
            return RetryDecision.AGAIN
        case DownloadFailed() if tries < SERVER_TRIES:
            return RetryDecision.AGAIN
        case DownloadFailed(status=int()) if not refreshed:
            return RetryDecision.NEW_LINK
        case DownloadFailed(alone=False):
            return RetryDecision.COMPARE
        case _:
            return RetryDecision.TAKE


async def _fetch(
    run: Context, job: OpenJob, number: int, url: str, earlier: ArtifactView | None, *, refreshed: bool
) -> DownloadResult | None:
    """Download one image, with retries. None: this run stops trying, the next one continues."""
    name = image_path(
        run.images.name_template,
        batch=run.batch.name,
        folder=job.folder,
        index=number,
        total=len(job.urls or ()),
        model=job.model,
    )
    replaces = earlier.sha256 if earlier else None
    begun = run.time.clock.monotonic()
    images_before = run.images.images_before.pop(job.id, run.tally.images)
    tries = 0
    try:
        while True:
            tries += 1
            got = await fetch_image(
                run.images.downloads, url, name, replaces=replaces, keep_bad=run.images.keep_bad
            )
            if isinstance(got, DownloadFailed) and not got.alone:
                run.images.struggling.add(job.id)
            match retry_decision(got, tries, refreshed=refreshed):
                case RetryDecision.TAKE:
                    return got
                case RetryDecision.NEW_LINK:
                    run.images.images_before[job.id] = images_before
                    return got
                case RetryDecision.COMPARE if run.limits.brake.stops(Reach.POLLS):
                    return None  # other downloads have stopped: there is nothing to compare with
                case RetryDecision.COMPARE if not await _is_outage(run, job, images_before):
                    return got
            if isinstance(got, DownloadFailed) and not got.alone:
                if run.time.clock.monotonic() - begun >= run.timing.outage_limit:
                    run.limits.brake.pause(PauseReason.OUTAGE, f"The pictures do not arrive: {got.reason}.")
                    return None
                if tries == SERVER_TRIES:
                    run.notice(
                        f"The pictures of job {job.key!r} do not arrive ({got.reason}). "
                        "Nightsheet keeps trying."
                    )
            await run.time.clock.sleep(_AGAIN.jittered(tries - 1, run.time.rng))
    finally:
        run.images.struggling.discard(job.id)


async def _is_outage(run: Context, job: OpenJob, images_before: int) -> bool:
    """Whether more than this image is affected: none has arrived since the run had `images_before`, and
    other downloads fail too or the API does not answer."""
    if run.tally.images > images_before:
        return False
    if len(run.images.struggling) > 1:
        return True
    return not await run.limits.health.is_up()


def _artifact(run: Context, number: int, url: str, image: DownloadedImage) -> ArtifactView:
    return ArtifactView(
        number=number,
        path=str(run.images.downloads.root / image.path),
        url=url,
        sha256=image.sha256,
        bytes=image.bytes,
        width=image.width,
        height=image.height,
        content_type=image.content_type,
    )


async def _succeed(run: Context, job: OpenJob, received: int, last: ArtifactView | None) -> None:
    warnings = [warning for warning in job.warnings if not is_note(warning)]
    if received != job.pictures:
        short = f"{received} of {job.pictures} pictures came."
        note = (
            short if received < job.pictures else f"{received} pictures came, {job.pictures} were asked for."
        )
        warnings = [*(w for w in warnings if w != note), note]
    fetched = Fetched(job.id, tuple(warnings), run.time.clock.now())
    if must(run, await run.store.jobs.succeed(fetched, job.attempt_id, last), job.key) is LOST:
        return
    run.tally.ended += 1
    run.limits.guards.succeeded(job.model)


async def _fail(run: Context, job: OpenJob, failure: Failure) -> None:
    failed = await run.store.jobs.apply(FetchFailed(job.id, failure, run.time.clock.now()))
    if must(run, failed, job.key) is LOST:
        return
    run.tally.ended += 1
    run.limits.guards.failed(job.model, failure.kind)
    run.notice(f"Job {job.key!r}: {failure.said} `nightsheet retry` fetches it again, which is free.")
