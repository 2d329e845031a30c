"""Jobs as the store hands them out, made up."""

from datetime import UTC, datetime
from typing import Any

from jobs.states import JobState
from jobs.views import JobView

MODEL = "bytedance/seedream-4-5/sequential"
CREATED = datetime(2026, 3, 4, 1, 2, 3, tzinfo=UTC)


def view(**more: Any) -> JobView:
    """A job that succeeded, and what `more` says of it."""
    values: dict[str, Any] = {
        "id": 1,
        "batch": "night",
        "key": "a",
        "revision": 1,
        "current": True,
        "row": 2,
        "model": MODEL,
        "state": JobState.SUCCEEDED,
        "inputs": '{"prompt":"A pier","seed":7}',
        "pictures": 1,
        "attempts": 1,
        "request_id": None,
        "cost_usd": None,
        "estimate_usd": None,
        "failure": None,
        "warnings": (),
        "columns": {},
        "created_at": CREATED,
        "submitted_at": None,
        "finished_at": None,
        "images": (),
    }
    return JobView(**(values | more))
