"""`check --remote`: probes the hosted images that a sheet names."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.catalog.image_rules import Shape, flaws_of
from jobs.catalog.image_urls import content_named
from jobs.catalog.registry import find
from jobs.problems import at, excerpt
from jobs.sheets import PlannedJob
from runner.cli.reports.plans.plan import Plan
from runner.cli.steps.open import process_environment
from runner.settings import Settings

MOST = 2000
"""Distinct URLs that one check probes."""

_ANYONE = "Give an address that anyone can fetch, without a login."
_HERE = "http://127.0.0.1/v1"
"""The emulator's base: the emulator may fetch from this machine, too."""


@dataclass(slots=True)
class HostedImages:
    """Distinct URLs, each with its first row and key, and how many rows name it."""

    named: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    beyond: int = 0
    """How often a URL was named that is not probed, because there are too many."""

    def add(self, job: PlannedJob) -> None:
        """Note the URLs that a job names."""
        spec = find(job.model)
        images = job.inputs.get(spec.vocabulary.get("images", "")) if spec is not None else None
        for address in dict.fromkeys(images if isinstance(images, list) else ()):
            if not isinstance(address, str) or content_named(address):
                continue
            row, key, rows = self.named.get(address, (job.row, job.key, 0))
            if rows or len(self.named) < MOST:
                self.named[address] = row, key, rows + 1
            else:
                self.beyond += 1


async def probe(hosted: HostedImages, file: str, plan: Plan, settings: Settings) -> None:
    """Probe all of them; what is wrong with one becomes a problem of the plan, or a warning."""
    # Late: they bring the HTTP clients along, which a check without --remote does not need.
    from runner.http.image_client import ImageClient
    from runner.http.transport import tls_context
    from runner.http.url_policy import ImageUrlPolicy
    from runner.providers.connect import user_agent
    from runner.providers.vendor import api_base
    from runner.uploads.hosted_check import look_at_all

    policy = ImageUrlPolicy.of_references(_HERE if settings.emulator else api_base(process_environment().env))
    tls = tls_context(settings.ca)
    async with ImageClient(policy, proxy=settings.proxy, tls=tls, user_agent=user_agent()) as client:
        found = await look_at_all(client, tuple(hosted.named))
    for address, (row, key, rows) in hosted.named.items():
        result = found[address]
        for message, hint in _refused(result):
            text = f"{message}{_other_rows(rows)}"
            place = at(file, row, column="images", value=_without_query(address))
            plan.problems.append(place.problem(text, hint))
        if not isinstance(result, str):
            warnings = [flaw for flaw in flaws_of(result) if not flaw.refused]
            plan.warned += len(warnings)
            plan.warnings += [
                (row, key, f"{_without_query(address)}: {flaw.message} {flaw.hint}") for flaw in warnings
            ]
    plan.looked_at, plan.not_looked_at = len(hosted.named), hosted.beyond


def _refused(result: Shape | str) -> Iterator[tuple[str, str]]:
    if isinstance(result, str):
        yield result, _ANYONE
    else:
        yield from ((flaw.message, flaw.hint) for flaw in flaws_of(result) if flaw.refused)


def _other_rows(rows: int) -> str:
    if rows == 1:
        return ""
    return " (1 more row names it.)" if rows == 2 else f" ({rows - 1:,} more rows name it.)"


def _without_query(address: str) -> str:
    """The URL without its query, which may hold a signature."""
    return str(excerpt(address.partition("?")[0]))
