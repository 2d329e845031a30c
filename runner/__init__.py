"""Nightsheet's Python API. docs/python.md shows how to use it.

Each name is imported when it is first asked for, so that `import runner` costs next to nothing.
"""

from typing import TYPE_CHECKING

from jobs.late_names import late_names

if TYPE_CHECKING:
    from jobs.errors import NightsheetError
    from jobs.manifests.reading import ManifestRecord, read_manifest
    from runner.events.observer import Observer, Progress
    from runner.events.report import RunReport
    from runner.library import BatchSnapshot, SheetCheck, check_sheet, resume_batch, run_sheet, watch_batch
    from runner.planning.consent import Ask
    from runner.planning.selection import Selection

__all__ = [
    "Ask",
    "BatchSnapshot",
    "ManifestRecord",
    "NightsheetError",
    "Observer",
    "Progress",
    "RunReport",
    "Selection",
    "SheetCheck",
    "check_sheet",
    "read_manifest",
    "resume_batch",
    "run_sheet",
    "watch_batch",
]

_ELSEWHERE = {
    "NightsheetError": "jobs.errors",
    "ManifestRecord": "jobs.manifests.reading",
    "read_manifest": "jobs.manifests.reading",
    "Observer": "runner.events.observer",
    "Progress": "runner.events.observer",
    "RunReport": "runner.events.report",
    "Ask": "runner.planning.consent",
    "Selection": "runner.planning.selection",
}
"""Of the names that are not in `runner.library`."""

__getattr__ = late_names(__name__, {name: _ELSEWHERE.get(name, "runner.library") for name in __all__})


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
