"""Manifests: what came of every job, one record each, in files that scripts and spreadsheets read.

A record is a JobView in the words of the contract (`record`); a format turns records into bytes (`jsonl`,
`csv`, listed in `formats`); `export` puts them into a file, whole or not at all.
"""

from jobs.manifests.export import write_export, write_manifests, write_to_stream
from jobs.manifests.formats import FORMATS, ManifestFormat, format_for

__all__ = ["FORMATS", "ManifestFormat", "format_for", "write_export", "write_manifests", "write_to_stream"]
