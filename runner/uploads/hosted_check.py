"""Probes hosted images by their first bytes: what the API would find when it fetches them.

Politely: each image once, one at a time from each host, a few hosts at once; without token or cookie.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

import anyio
from anyio import to_thread

from jobs.catalog.image_rules import Shape
from jobs.images.shape import measure
from runner.http.image_client import DownloadFailed, ImageClient, LinkGone
from runner.http.image_probe import Peeked, peek
from runner.http.url_policy import Blocked, shown_host

_HOSTS_AT_ONCE = 4

Found = dict[str, Shape | str]
"""By URL: the shape of the image there, or a sentence why there is none."""


async def look_at_all(client: ImageClient, addresses: Sequence[str]) -> Found:
    """Probe each of these URLs once."""
    by_host: defaultdict[str, list[str]] = defaultdict(list)
    for address in addresses:
        by_host[shown_host(address)].append(address)
    limiter, found = anyio.CapacityLimiter(_HOSTS_AT_ONCE), Found()

    async def one_after_the_other(group: Sequence[str]) -> None:
        async with limiter:
            for address in group:
                found[address] = await _judged(await peek(client, address))

    async with anyio.create_task_group() as tasks:
        for group in by_host.values():
            tasks.start_soon(one_after_the_other, group)
    return found


async def _judged(seen: Peeked | Blocked | LinkGone | DownloadFailed) -> Shape | str:
    match seen:
        case LinkGone(status=status):
            return f"The API could not fetch it: its host answers {status}."
        case Blocked(reason=reason):
            return f"The API could not fetch it: {reason}."
        case DownloadFailed(reason=reason):
            return f"It cannot be looked at: {reason}."
        case Peeked():
            shape = await to_thread.run_sync(partial(measure, seen.data, seen.size, whole=seen.whole))
            return f"What is there cannot be sent: {shape}." if isinstance(shape, str) else shape
