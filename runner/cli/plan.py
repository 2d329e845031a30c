"""What a sheet comes to, counted while it streams by: little is kept, however many jobs it has."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jobs.problems import Problem

if TYPE_CHECKING:
    from jobs.sheets import PlannedJob

SAMPLES = 3
"""Jobs from the beginning that are shown; the last one is shown as well."""
LISTED = 10_000
"""Warnings that are kept to be shown. All are counted."""


@dataclass(slots=True)
class Plan:
    """`work` is, by model, its jobs and their pictures at most; `rows` the places they are written in."""

    batch: str
    work: dict[str, tuple[int, int]] = field(default_factory=dict)
    rows: int = 0
    first: list["PlannedJob"] = field(default_factory=list)
    last: "PlannedJob | None" = None
    warnings: list[tuple[int, str, str]] = field(default_factory=list)
    warned: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def jobs(self) -> int:
        return sum(jobs for jobs, _pictures in self.work.values())

    @property
    def pictures(self) -> int:
        return sum(pictures for _jobs, pictures in self.work.values())

    @property
    def samples(self) -> list["PlannedJob"]:
        """The first jobs and the last one."""
        if self.last is None or self.last is self.first[-1]:
            return self.first
        return [*self.first, self.last]

    def add(self, item: "PlannedJob | Problem") -> None:
        """Count one more."""
        if isinstance(item, Problem):
            self.problems.append(item)
            return
        jobs, pictures = self.work.get(item.model, (0, 0))
        self.work[item.model] = (jobs + 1, pictures + item.pictures)
        self.rows += self.last is None or self.last.row != item.row
        self.last = item
        if len(self.first) < SAMPLES:
            self.first.append(item)
        self.warned += len(item.warnings)
        if len(self.warnings) < LISTED:
            self.warnings += [(item.row, item.key, warning) for warning in item.warnings]

    def as_json(self, sheet: str, low: Decimal | None, high: Decimal | None) -> dict[str, Any]:
        """For scripts."""
        return {
            "sheet": sheet,
            "batch": self.batch or None,
            "rows": self.rows,
            "jobs": self.jobs,
            "pictures": self.pictures,
            "models": {
                model: {"jobs": jobs, "pictures": pictures} for model, (jobs, pictures) in self.work.items()
            },
            "price": {
                "low_usd": None if low is None else float(low),
                "high_usd": None if high is None else float(high),
            },
            "samples": [
                {"key": job.key, "row": job.row, "model": job.model, "inputs": job.inputs}
                for job in self.samples
            ],
            "warning_count": self.warned,
            "warnings": [{"row": row, "key": key, "message": text} for row, key, text in self.warnings],
            "problem_count": len(self.problems),
            "problems": [
                {
                    "file": problem.file,
                    "row": problem.row,
                    "column": problem.column,
                    "value": problem.value,
                    "message": problem.message,
                    "hint": problem.hint,
                }
                for problem in self.problems
            ],
        }
