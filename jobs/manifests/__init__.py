"""Manifests: the result of every job, one record each, in files for scripts and spreadsheets.

`record` turns a job into the contract's record; a format turns records into bytes (`jsonl` and `csv`, listed
in `formats`, with the names in `columns`); `export` writes them into a file, whole or not at all, and
`of_a_run` does so at a run's end, where the `blocks` of a file that say the same are taken over; `ownership`
decides which files it may replace. `csv_copy` and `xlsx_copy` write `results` beside the rows of a copy of
the sheet.

Each name is imported when it is first asked for: who words a moment needs no export.
"""

from typing import TYPE_CHECKING

from jobs.late_names import late_names

if TYPE_CHECKING:
    from jobs.manifests.export import write_export, write_to_stream
    from jobs.manifests.formats import FORMATS, ManifestFormat, format_for
    from jobs.manifests.of_a_run import write_manifests

__all__ = ["FORMATS", "ManifestFormat", "format_for", "write_export", "write_manifests", "write_to_stream"]

__getattr__ = late_names(
    __name__,
    {
        "FORMATS": "jobs.manifests.formats",
        "ManifestFormat": "jobs.manifests.formats",
        "format_for": "jobs.manifests.formats",
        "write_export": "jobs.manifests.export",
        "write_manifests": "jobs.manifests.of_a_run",
        "write_to_stream": "jobs.manifests.export",
    },
)
