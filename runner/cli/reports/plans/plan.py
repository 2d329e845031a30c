"""The plan of a sheet: its jobs, and how much of it is still to be paid. Counted while the rows stream by, so
that memory does not grow with them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jobs.compact_set import CompactSet
from jobs.manifests.record import moment
from jobs.paid import PaidBefore, PaidSubmit
from jobs.problems import Problem, as_sentence
from jobs.row_change import NEW, RowChange
from jobs.sheets import PlannedJob, Sheet, Survey
from jobs.states import JobState
from jobs.views import Pause
from jobs.workload import Workload
from runner.cli.reports.not_changed import price_json
from runner.cli.reports.status import paused_json

SAMPLES = 3
"""Jobs from the beginning that are shown; the last one is shown as well."""
LISTED = 10_000
"""Warnings that are kept to be shown. All are counted."""
_WITHOUT_RESULT = frozenset({JobState.FAILED, JobState.CANCELLED})
"""States of a job that has no result to share."""
EXAMPLES = 3
"""Jobs identical to an earlier one that are shown."""


@dataclass(slots=True)
class Plan:
    """`work` is, by model, its jobs and their pictures at most; `rows` the places they are written in.

    `to_send` is the part of it that would be sent now; `repeats` are jobs identical to an earlier one, seed
    included, which `dedupe` does not send. `changes` counts new, changed and unchanged jobs, `states` the
    states of the unchanged; `known` is whether the database has this batch, and `held` how many jobs of it.
    """

    batch: str
    work: Workload = field(default_factory=Workload)
    rows: int = 0
    first: list[PlannedJob] = field(default_factory=list)
    last: PlannedJob | None = None
    warnings: list[tuple[int | None, str | None, str]] = field(default_factory=list)
    """The line and the key of a job, and a sentence. Those of the sheet as a whole have no key."""
    warned: int = 0
    problems: list[Problem] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    """Columns of the user's own of which nothing is sent."""
    otherwise: dict[str, str] = field(default_factory=dict)
    """Columns that are read under another name, with that name."""
    to_send: Workload = field(default_factory=Workload)
    repeats: Workload = field(default_factory=Workload)
    repeated: list[tuple[int, str]] = field(default_factory=list)
    changes: Counter[str] = field(default_factory=Counter)
    states: Counter[JobState] = field(default_factory=Counter)
    known: bool = False
    dedupe: bool = False
    waiting: int = 0
    """Jobs that wait for the result of another that an earlier run has sent."""
    held: int = 0
    pictured: int = 0
    """Jobs that name pictures of this computer."""
    upload: str | None = None
    """How these reach the API, where the batch is known: as the command says, or as the batch remembers."""
    looked_at: int = 0
    """Hosted images that were probed."""
    not_looked_at: int = 0
    """How often further ones are named, beyond those that one check probes."""
    paid_before: dict[tuple[str, str | None], PaidBefore] = field(default_factory=dict)
    """Where and when rows were paid for, by batch and database."""
    held_work: Workload = field(default_factory=Workload)
    """Of these rows: they are not sent unasked, unless `sends_held`."""
    sends_held: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When it is shown: a day is told without its year where that is this one."""
    beside: Path | None = None
    """The database beside the sheet, where that is not this command's own."""
    minutes: float | None = None
    """How long it will take, as far as that was measured."""
    needs_token: bool = False
    """Whether a run would have to send something, and there is no token."""
    paused: Pause | None = None
    """The pause under which `run` would send nothing: one that only `resume` clears."""
    _seen: CompactSet = field(default_factory=CompactSet)
    _still_there: int = 0

    @property
    def gone(self) -> int:
        """Jobs of the batch whose rows have left the sheet."""
        return self.held - self._still_there

    @property
    def jobs(self) -> int:
        return self.work.jobs

    @property
    def pictures(self) -> int:
        return self.work.images

    @property
    def samples(self) -> list[PlannedJob]:
        """The first jobs and the last one."""
        if self.last is None or self.last is self.first[-1]:
            return self.first
        return [*self.first, self.last]

    def add(self, item: PlannedJob | Problem, change: RowChange = NEW) -> None:
        """Count one more; `change` is what the database would do with it."""
        if isinstance(item, Problem):
            self.problems.append(item)
            return
        self.work.add(item.model, item.pictures)
        self._compare(item, change)
        self.rows += self.last is None or self.last.row != item.row
        self.last = item
        self.pictured += bool(item.files)
        if len(self.first) < SAMPLES:
            self.first.append(item)
        self.warned += len(item.warnings)
        if item.warnings and len(self.warnings) < LISTED:
            self.warnings += [(item.row, item.key, warning) for warning in item.warnings]

    def add_survey(self, sheet: Sheet, survey: Survey) -> None:
        """Add what the pass learnt of the sheet as a whole; its warnings come first."""
        self.unsent, self.otherwise = survey.unsent, survey.otherwise
        told = [(one.row, None, as_sentence(one)) for one in survey.warnings(sheet)]
        self.warned += len(told)
        self.warnings[:0] = told

    def _compare(self, job: PlannedJob, change: RowChange) -> None:
        self.changes[change.kind] += 1
        self._still_there += change.known + change.keeps
        if change.kind in ("unchanged", "adopted"):
            self.states[change.state] += 1
        if change.state in _WITHOUT_RESULT:
            return
        is_first = self._seen.add((job.fingerprint, job.inputs.get("seed")))
        if change.state is not JobState.QUEUED:
            return
        if change.held is not None:
            self._note_paid(change.held)
            if not self.sends_held:
                self.held_work.add(job.model, job.pictures)
                return
        if self.dedupe and change.waits:
            self.waiting += 1
            return
        if is_first or not self.dedupe:
            self.to_send.add(job.model, job.pictures)
        if not is_first:
            self.repeats.add(job.model, job.pictures)
            if len(self.repeated) < EXAMPLES:
                self.repeated.append((job.row, job.key))

    def _note_paid(self, submit: PaidSubmit) -> None:
        place = submit.batch, submit.database
        known = self.paid_before.get(place, PaidBefore(*place, submit.at, submit.at, 0))
        first, last = min(known.first_at, submit.at), max(known.last_at, submit.at)
        self.paid_before[place] = PaidBefore(*place, first, last, known.rows + 1)

    def as_json(self, sheet: str, prices: Mapping[str, Decimal], source: str | None = None) -> dict[str, Any]:
        """For scripts. The price is that of `to_send`, `source` where it comes from."""
        return {
            "sheet": sheet,
            "batch": self.batch or None,
            "rows": self.rows,
            "jobs": self.jobs,
            "pictures": self.pictures,
            "models": {
                model: {"jobs": amount.jobs, "pictures": amount.images} for model, amount in self.work.items()
            },
            "to_send": _totals(self.to_send),
            "price": _priced(self.to_send, prices),
            "price_source": source,
            "difference": {
                "known": self.known,
                **{kind: self.changes[kind] for kind in ("new", "changed", "unchanged", "adopted")},
                "gone": self.gone,
                "done": self.states[JobState.SUCCEEDED],
                "states": {state.value: number for state, number in self.states.items()},
            },
            "identical": {
                **_totals(self.repeats),
                **_priced(self.repeats, prices),
                "linked": self.dedupe,
                "examples": [{"row": row, "key": key} for row, key in self.repeated],
            },
            "held": {**_totals(self.held_work), **_priced(self.held_work, prices)},
            "paid_before": [
                {
                    "batch": place.batch,
                    "database": place.database,
                    "rows": place.rows,
                    "first_at": moment(place.first_at),
                    "last_at": moment(place.last_at),
                }
                for place in self.paid_before.values()
            ],
            "minutes": self.minutes,
            "paused": paused_json(self.paused),
            "samples": [
                {"key": job.key, "row": job.row, "model": job.model, "inputs": job.inputs}
                for job in self.samples
            ],
            "not_sent": self.unsent,
            "read_as": self.otherwise,
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


def _totals(work: Workload) -> dict[str, int]:
    return {"jobs": work.jobs, "pictures": work.images}


def _priced(work: Workload, prices: Mapping[str, Decimal]) -> dict[str, Any]:
    return price_json(*work.price_range(prices))
