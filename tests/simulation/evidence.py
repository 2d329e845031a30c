"""All that is on disk and at the API, read at one moment between two runs."""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from jobs.attempts import SubmitOutcome
from jobs.payload import payload
from jobs.states import JobState
from jobs.views import AttemptView
from runner.emulator.service.history import Submit
from tests.simulation.refs import as_planned
from tests.support.journals import receipts
from tests.support.night import Night
from tests.support.tables import select

Record = Mapping[str, Any]

_LEDGER = (
    "SELECT attempt.*, job.key, job.row, job.state, job.authorised FROM attempt JOIN job ON job.id = job_id"
    " ORDER BY attempt.id"
)


@dataclass(frozen=True)
class Evidence:
    """What an oracle goes by. `submits` is the API's own ledger."""

    jobs: Sequence[Record]
    attempts: Sequence[Record]
    artifacts: Sequence[Record]
    submits: Sequence[Submit]
    journaled: frozenset[str]
    """The request_ids in the journals."""
    folder: Path
    batch: str
    charged_usd: Decimal
    """What the API charges for all of it, as far as that has ended; else what it took."""

    @cached_property
    def job_of(self) -> dict[str, Record]:
        """By request_id as the API knows it: the job that sent what was accepted.

        Of several that say the same, the one that holds the id; else one that an answer never reached.
        """
        alike: dict[str, list[Record]] = defaultdict(list)
        for job in sorted(self.jobs, key=lambda job: job["same_as"] is not None):
            alike[job["inputs"]].append(job)
        unknown = Counter(line["job_id"] for line in self.attempts if line["request_id"] is None)
        found = {}
        for submit in self.submits:
            senders = alike[as_planned(submit.body)]
            assert senders, f"I4: {submit.request_id} is of no row: {submit.body}"
            holder = self.held.get(submit.request_id)
            sender = next((job for job in senders if job["id"] == holder), None)
            if sender is None:
                sender = next((job for job in senders if unknown[job["id"]]), senders[0])
                unknown[sender["id"]] -= 1
            found[submit.request_id] = sender
        return found

    @cached_property
    def accepted(self) -> dict[int, list[Submit]]:
        """By job: what the API accepted of it."""
        found: dict[int, list[Submit]] = defaultdict(list)
        for submit in self.submits:
            found[self.job_of[submit.request_id]["id"]].append(submit)
        return found

    @cached_property
    def held(self) -> dict[str, int]:
        """The request_ids in the table, and whose they are."""
        return {line["request_id"]: line["job_id"] for line in self.attempts if line["request_id"]}

    @cached_property
    def named(self) -> str:
        """What the table keeps of answers that were no receipts, and the ids that they name."""
        return "\n".join(f"{line['named_id']} {line['answer']}" for line in self.attempts if line["answer"])

    @cached_property
    def bodies(self) -> dict[str, str]:
        """By request_id: what the API was sent, to the letter."""
        return {submit.request_id: payload(submit.body) for submit in self.submits}

    @property
    def ledger(self) -> list[AttemptView]:
        """The attempts, as the books want them."""
        return [_attempt(line) for line in self.attempts]

    @cached_property
    def root(self) -> Path:
        return self.folder / "outputs"

    def files(self) -> set[Path]:
        """All that lies in the output folder."""
        return {path for path in self.root.rglob("*") if path.is_file()} if self.root.exists() else set()

    def records(self) -> list[Record]:
        """The manifest that the last run wrote."""
        text = (self.root / self.batch / "manifest.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def keys_of_csv(self) -> list[str]:
        """The keys in its other form."""
        with (self.root / self.batch / "manifest.csv").open(newline="", encoding="utf-8-sig") as file:
            return [row["key"] for row in csv.DictReader(file)]


def gather(w: Night, batch: str = "sheet") -> Evidence:
    """Look at everything."""
    return Evidence(
        w.jobs(),
        select(w.database, _LEDGER),
        select(w.database, "SELECT * FROM artifact ORDER BY id"),
        tuple(w.service.ledger),
        frozenset(receipts(w.folder)),
        w.folder,
        batch,
        w.service.charged_usd,
    )


def _attempt(line: Record) -> AttemptView:
    def moment(name: str) -> datetime | None:
        return None if line[name] is None else datetime.fromisoformat(line[name])

    def usd(name: str) -> Decimal | None:
        return None if line[name] is None else Decimal(line[name]) / 1_000_000

    return AttemptView(
        id=line["id"],
        uid=line["uid"],
        job_id=line["job_id"],
        key=line["key"],
        row=line["row"],
        number=line["number"],
        payload_sha256=line["payload_sha256"],
        started_at=datetime.fromisoformat(line["started_at"]),
        answered_at=moment("answered_at"),
        outcome=SubmitOutcome(line["outcome"]),
        request_id=line["request_id"],
        named_id=line["named_id"],
        answer=None,
        cost_usd=usd("cost_usd"),
        estimate_usd=usd("estimate_usd"),
        ended=line["ended"],
        detail=line["detail"],
        automatic=bool(line["automatic"]),
        state=JobState(line["state"]),
        authorised=line["authorised"],
    )
