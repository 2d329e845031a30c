"""The invariants I1 to I17, held against what is on disk and what the API has in its ledger.

I1 to I9 are looked at here, between two runs, and partly while they are on: `net` has I2, I11 to I14 at every
request, `committed` I1, I3, I4 and I5 at every commit, `trial` I3, I9, I10, I11 and I15 of each life.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from jobs.attempts import IN_DOUBT, PAID_OR_MAYBE
from jobs.ledger import balance
from jobs.states import AT_THE_API, ENDED, JobState
from tests.simulation.evidence import Evidence, gather
from tests.simulation.refs import PICTURED
from tests.support.night import TOKEN, Night

_ROUNDING_USD = Decimal("0.00001")
"""Costs are told as floats, and kept in millionths of a dollar."""

SETTLED = ENDED | {JobState.UNCONFIRMED}


class Losses(NamedTuple):
    """What a trial must have none of."""

    paid_twice: int
    """Submits that the API accepted beyond what was authorised."""
    lost: int
    """Requests that the API accepted, and that neither the table, the journal nor an open doubt knows."""


def losses(e: Evidence) -> Losses:
    """Count what should be zero."""
    twice = lost = 0
    for job in e.jobs:
        accepted = e.accepted.get(job["id"], [])
        twice += max(0, len(accepted) - 1 - job["authorised"])
        unknown = [s for s in accepted if s.request_id not in e.held and s.request_id not in e.journaled]
        lost += max(0, len(unknown) - _doubts(e, job["id"]))
    return Losses(twice, lost)


def _doubts(e: Evidence, job_id: int) -> int:
    """Attempts of a job of which nobody knows, or knew, whether they were accepted."""
    own = [line for line in e.attempts if line["job_id"] == job_id]
    return sum(line["outcome"] in IN_DOUBT for line in own)


def i1_paid_as_allowed(e: Evidence) -> None:
    """The API accepted no job more often than it was allowed to be sent, and the books balance."""
    assert losses(e).paid_twice == 0, f"I1: paid twice: {e.submits}"
    books = balance(e.ledger)
    assert books.balanced, f"I1: the books do not balance: {books}"
    for job in e.jobs:
        own = [line for line in e.attempts if line["job_id"] == job["id"] and line["number"] is not None]
        assert len(own) == job["attempts"], f"I1: {job['key']} counts {job['attempts']} of {len(own)}"
        assert len(e.accepted.get(job["id"], [])) <= len(own), f"I1: {job['key']} was sent unseen"


def i17_charged_is_told(e: Evidence) -> None:
    """What the API charged is spent or in doubt, to the cent; unless a price was not known when it left."""
    counted = [line for line in e.ledger if line.outcome in PAID_OR_MAYBE]
    amounts = [line.estimate_usd if line.cost_usd is None else line.cost_usd for line in counted]
    told = sum((amount for amount in amounts if amount is not None), Decimal(0))
    assert None in amounts or e.charged_usd <= told + _ROUNDING_USD, (
        f"I17: charged {e.charged_usd}, told {told}"
    )


def i3_nothing_lost(e: Evidence) -> None:
    """Every accepted request is known by its id, in the journal, or its job is in doubt; no id is made up."""
    assert losses(e).lost == 0, f"I3: lost of {[s.request_id for s in e.submits]}: {e.attempts}"
    assert set(e.held) <= {submit.request_id for submit in e.submits}, "I3: an id that the API never gave"


def i4_ids_are_their_jobs(e: Evidence) -> None:
    """A request_id is held once, by the job that sent it, with the hash of what was sent."""
    assert len(e.held) == sum(line["request_id"] is not None for line in e.attempts), "I4: held twice"
    jobs = {job["id"]: job for job in e.jobs}
    for request_id, job_id in e.held.items():
        assert e.job_of[request_id]["id"] == job_id, f"I4: {request_id} belongs to another job"
    for line in e.attempts:
        inputs = jobs[line["job_id"]]["inputs"]
        sent = e.bodies.get(line["request_id"], "" if PICTURED in inputs else inputs)
        if line["number"] is None:  # turned away: the row was unsent, and may have been edited in place since
            continue
        if sent:  # else nobody knows the address that its picture had
            digest = hashlib.sha256(sent.encode()).hexdigest()
            assert line["payload_sha256"] == digest, f"I4: attempt {line['id']} sent something else"


def i5_states_are_whole(e: Evidence) -> None:
    """Between two runs nothing is half said: ends have their time, failures their reason."""
    for job in e.jobs:
        state = JobState(job["state"])
        assert state is not JobState.SUBMITTING, f"I5: {job['key']} is submitting, and nobody runs"
        assert (job["finished_at"] is not None) is (state in ENDED), f"I6: {job['key']} and its end"
        why = job["error_kind"] is not None
        assert why is (state in SETTLED - {JobState.SUCCEEDED}), f"I6: {job['key']} and its reason"
        if state in AT_THE_API | {JobState.SUCCEEDED}:
            assert _sender(job) in e.held.values(), f"I3: {job['key']} is {state} without a request_id"


def _sender(job: Mapping[str, Any]) -> int:
    """The job that was sent: its own, or the one that a linked job has its result from."""
    return int(job["id"] if job["same_as"] is None else job["same_as"])


def i6_pictures_whole(e: Evidence) -> None:
    """What a job that succeeded has is on disk, as long, with that hash, and decodes."""
    for job in e.jobs:
        if job["state"] == JobState.SUCCEEDED:
            newest = max(line["id"] for line in e.attempts if line["job_id"] == _sender(job))
            own = [picture for picture in e.artifacts if picture["attempt_id"] == newest]
            assert own, f"I6: {job['key']} succeeded without a picture"
            for picture in own:
                data = (e.root / picture["path"]).read_bytes()
                digest = hashlib.sha256(data).hexdigest()
                assert (len(data), digest) == (picture["bytes"], picture["sha256"]), f"I6: {picture['path']}"
                with Image.open(io.BytesIO(data)) as image:
                    image.load()
                    assert image.size == (picture["width"], picture["height"]), f"I6: {picture['path']}"


def unknown_files(e: Evidence) -> set[Path]:
    """Files in the output folder that no table names, and that are no manifests."""
    known = {e.root / picture["path"] for picture in e.artifacts}
    manifests = {e.root / e.batch / f"manifest.{form}" for form in ("jsonl", "csv")}
    return {path for path in e.files() - known - manifests if path.suffix != ".bad"}


def i7_no_strangers(e: Evidence, orphans: set[Path]) -> None:
    """No file that the table does not know, but `orphans`: named just before a process died."""
    strangers = unknown_files(e) - orphans
    assert not strangers, f"I7: {sorted(strangers)}"


def i8_manifests_complete(e: Evidence, *, current: bool = True) -> None:
    """Each job of the sheet has one record, in the order of the sheet, in every form, as the table has it.

    Not `current`: a command has changed jobs since the manifest was written.
    """
    jobs = sorted((job for job in e.jobs if job["current"]), key=lambda job: int(job["position"]))
    records = e.records()
    assert [record["key"] for record in records] == [job["key"] for job in jobs], "I8: other keys"
    if current:
        assert [record["state"] for record in records] == [job["state"] for job in jobs], "I8: other states"
    assert e.keys_of_csv() == [job["key"] for job in jobs], "I8: the CSV has others"
    for record in records:
        assert (record["state"] != "succeeded") or record["images"], f"I8: {record['key']} without images"
        failed = record["state"] in ("failed", "cancelled", "unconfirmed")
        assert (record["error"] is not None) is failed, f"I8: {record['key']} and its error"


def i13_token_nowhere(folder: Path, told: list[str]) -> None:
    """The token stands in no file and in nothing that was told."""
    secret = TOKEN.encode()
    for path in folder.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), f"I13: the token is in {path.name}"
    assert not any(TOKEN in text for text in told), "I13: the token was told"


def between_runs(e: Evidence, orphans: set[Path]) -> None:
    """All that has to be true whenever nothing runs, and the last run was not killed."""
    i1_paid_as_allowed(e)
    i17_charged_is_told(e)
    i3_nothing_lost(e)
    i4_ids_are_their_jobs(e)
    i5_states_are_whole(e)
    i6_pictures_whole(e)
    i7_no_strangers(e, orphans)


def after_a_kill(e: Evidence, *, gate: int) -> None:
    """What has to be true of the disk that a killed process leaves."""
    i1_paid_as_allowed(e)
    i3_nothing_lost(e)
    i4_ids_are_their_jobs(e)
    i6_pictures_whole(e)
    doubts = Counter(job["state"] for job in e.jobs)[JobState.SUBMITTING]
    assert doubts <= gate, f"I11: {doubts} in doubt by one kill"


def check(w: Night, rows: int, *, gate: int) -> None:
    """Asserts the invariants of a whole night, between two runs."""
    e = gather(w)
    assert len(e.jobs) == rows
    assert max(w.submits().values(), default=0) <= 1
    between_runs(e, unknown_files(e))
    i8_manifests_complete(e)
    w.pictures_whole()
    # Nobody was asked too much, and nobody was told the token who had no business with it.
    assert w.service.media_with_token == 0
    for progress in w.watching.progresses:
        assert progress.total == rows
        assert progress.counts[JobState.SUBMITTING] <= gate
