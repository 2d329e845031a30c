"""What of a manifest a change touches: the blocks that tell of a job, and what is told of which table.

Triggers mark them in the transaction that writes: SQLite's (`jobs/store/sqlite/marking.py`) and PostgreSQL's
(`jobs/store/postgres/marking.py`), by the same lists.
"""

BLOCK = 500
"""So many positions are a block."""
COLUMNS = -1
"""Stands for the columns of the whole table, which a single job can change."""

TOLD = {
    "job": (
        *("key", "row", "model", "state", "inputs", "attempts", "error_kind", "error_code", "error_message"),
        *(
            "warnings",
            "columns",
            "created_at",
            "submitted_at",
            "finished_at",
            "same_as",
            "current",
            "position",
        ),
    ),
    "attempt": ("number", "outcome", "request_id", "cost_usd"),
    "artifact": ("number", "path", "url", "sha256", "bytes", "width", "height", "content_type"),
    "decision": ("number", "sha256", "verdict", "stars", "note", "decided_at", "source"),
}
"""What a manifest tells of a job, by table."""
IN_ALL = ("model", "inputs", "columns", "same_as", "current", "position")
"""What decides about the columns, and where a job stands."""
