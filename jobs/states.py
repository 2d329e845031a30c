"""The states of a job and every move between them: the one table of a job's life.

    queued ──claim──▶ submitting ──accepted──▶ running ──remote done──▶ fetching ──fetched──▶ succeeded
                          │                       │                         │
                          ├─ surely not accepted ─▶ queued                  ├─ links expired ─▶ running
                          ├─ refused ─▶ failed    ├─ remote failed ─▶ failed└─ no, bad pictures ─▶ failed
                          └─ no answer ─▶ unconfirmed ── a person decides ─▶ running, queued, failed
                                              └─ a late receipt, or an id that the API knows ─▶ running

    queued ──linked: an identical job has succeeded──▶ succeeded

Waiting is a column (`available_at`), not a state. The store applies a move by compare-and-set: it does not
change a job that is in none of the move's source states, and reports that to the caller.
"""

from enum import StrEnum


class JobState(StrEnum):
    """The state of a job. Stored by value; a CHECK in the table admits nothing else."""

    QUEUED = "queued"
    """Not sent, or surely not accepted. Unpaid."""
    SUBMITTING = "submitting"
    """The intent is on disk, the POST may be in flight. If found at the start of a run: `unconfirmed`."""
    RUNNING = "running"
    """The API answered with a request_id: the job is paid, and polled until it ends."""
    FETCHING = "fetching"
    """Done at the API; its images are being downloaded."""
    SUCCEEDED = "succeeded"
    """Every image is on disk under its final name, complete, decoded and hashed. A linked job shares another
    job's images."""
    FAILED = "failed"
    """Ended without all of its images; the failure has the reason."""
    CANCELLED = "cancelled"
    """Ended by a person, or by the API."""
    UNCONFIRMED = "unconfirmed"
    """Sent without a readable answer: it may be paid. Only a person or a setting may send it again."""


class Move(StrEnum):
    """Why a job changes its state. Each move has an outcome class in `jobs.outcomes`."""

    CLAIM = "claim"
    UNSENDABLE = "unsendable"
    LINK = "link"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    REMOTE_DONE = "remote_done"
    REMOTE_FAILED = "remote_failed"
    REMOTE_CANCELLED = "remote_cancelled"
    LINKS_EXPIRED = "links_expired"
    FETCHED = "fetched"
    FETCH_FAILED = "fetch_failed"
    CANCEL = "cancel"
    ATTACH = "attach"
    RESUBMIT = "resubmit"
    DISCARD = "discard"
    REOPEN = "reopen"
    REQUEUE = "requeue"


_S = JobState

MOVES: dict[Move, tuple[frozenset[JobState], JobState]] = {
    Move.CLAIM: (frozenset({_S.QUEUED}), _S.SUBMITTING),
    Move.UNSENDABLE: (frozenset({_S.QUEUED}), _S.FAILED),
    Move.LINK: (frozenset({_S.QUEUED}), _S.SUCCEEDED),
    Move.ACCEPTED: (frozenset({_S.SUBMITTING, _S.UNCONFIRMED}), _S.RUNNING),
    Move.NOT_ACCEPTED: (frozenset({_S.SUBMITTING, _S.UNCONFIRMED}), _S.QUEUED),
    Move.REFUSED: (frozenset({_S.SUBMITTING}), _S.FAILED),
    Move.UNCONFIRMED: (frozenset({_S.SUBMITTING}), _S.UNCONFIRMED),
    Move.REMOTE_DONE: (frozenset({_S.RUNNING}), _S.FETCHING),
    Move.REMOTE_FAILED: (frozenset({_S.RUNNING}), _S.FAILED),
    Move.REMOTE_CANCELLED: (frozenset({_S.RUNNING}), _S.CANCELLED),
    Move.LINKS_EXPIRED: (frozenset({_S.FETCHING}), _S.RUNNING),
    Move.FETCHED: (frozenset({_S.FETCHING}), _S.SUCCEEDED),
    Move.FETCH_FAILED: (frozenset({_S.FETCHING}), _S.FAILED),
    Move.CANCEL: (frozenset({_S.QUEUED, _S.RUNNING}), _S.CANCELLED),
    Move.ATTACH: (frozenset({_S.UNCONFIRMED, _S.FAILED, _S.CANCELLED}), _S.RUNNING),
    Move.RESUBMIT: (frozenset({_S.UNCONFIRMED}), _S.QUEUED),
    Move.DISCARD: (frozenset({_S.UNCONFIRMED}), _S.FAILED),
    Move.REOPEN: (frozenset({_S.FAILED, _S.SUCCEEDED}), _S.RUNNING),
    Move.REQUEUE: (frozenset({_S.FAILED, _S.CANCELLED}), _S.QUEUED),
}

ENDED = frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELLED})
"""States in which a job has ended. `retry` may reopen it; a success only if its images are missing."""

AT_THE_API = frozenset({_S.RUNNING, _S.FETCHING})
"""States with a request_id, in which not all images are on disk yet."""
