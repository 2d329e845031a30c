"""`check --remote`: the hosted pictures that a sheet names, looked at where they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.problems import Problem, excerpt
from runner.cli.steps.open import process_environment

if TYPE_CHECKING:
    from jobs.catalog.image_rules import Shape
    from jobs.sheets import PlannedJob
    from runner.cli.reports.plan import Plan
    from runner.settings import Settings

MOST = 2000
"""Distinct addresses that one check looks at."""

_ANYONE = "Give an address that anyone can fetch, without a login."
_HERE = "http://127.0.0.1/v1"
"""Stands for the stand-in's base: it, too, fetches from this machine."""


@dataclass(slots=True)
class Hosted:
    """Distinct addresses, each with its first row and key, and how many rows name it."""

    named: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    beyond: int = 0
    """How often one was named that is not looked at, because there are too many."""

    def add(self, job: "PlannedJob") -> None:
        """Take note of what a job names."""
        from jobs.catalog.image_urls import content_named
        from jobs.catalog.registry import find

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


async def look(hosted: Hosted, file: str, plan: "Plan", settings: "Settings") -> None:
    """Look at all of them; what is wrong with one becomes a problem of the plan, or a warning."""
    from jobs.catalog.image_rules import flaws_of
    from runner.http.image_client import ImageClient
    from runner.http.url_policy import ImageUrlPolicy
    from runner.providers.connect import user_agent
    from runner.providers.vendor import api_base
    from runner.uploads.hosted_check import look_at_all

    policy = ImageUrlPolicy.of_references(_HERE if settings.emulator else api_base(process_environment().env))
    async with ImageClient(policy, proxy=settings.proxy, user_agent=user_agent()) as client:
        found = await look_at_all(client, tuple(hosted.named))
    for address, (row, key, rows) in hosted.named.items():
        seen = found[address]
        for message, hint in _refused(seen):
            told = f"{message}{_others(rows)}"
            plan.problems.append(Problem(file, row, "images", _shown(address), told, hint))
        if not isinstance(seen, str):
            warnings = [flaw for flaw in flaws_of(seen) if not flaw.refused]
            plan.warned += len(warnings)
            plan.warnings += [
                (row, key, f"{_shown(address)}: {flaw.message} {flaw.hint}") for flaw in warnings
            ]
    plan.looked_at, plan.not_looked_at = len(hosted.named), hosted.beyond


def _refused(seen: "Shape | str") -> Iterator[tuple[str, str]]:
    from jobs.catalog.image_rules import flaws_of

    if isinstance(seen, str):
        yield seen, _ANYONE
    else:
        yield from ((flaw.message, flaw.hint) for flaw in flaws_of(seen) if flaw.refused)


def _others(rows: int) -> str:
    if rows == 1:
        return ""
    return " (1 more row names it.)" if rows == 2 else f" ({rows - 1:,} more rows name it.)"


def _shown(address: str) -> str:
    """Without what may be a signature."""
    return str(excerpt(address.partition("?")[0]))
