"""PlannedJob: a row that may be loaded, with the inputs exactly as they would be sent.

Images of this computer are the exception: until they are sent, inputs name them by their content.
"""

from typing import NamedTuple

from pydantic import JsonValue

from jobs.sheets.images.album import LocalImage


class PlannedJob(NamedTuple):
    """One job, not yet loaded.

    `position` counts the jobs of the sheet from 0, `row` is the line it begins on. `fingerprint` is the
    SHA-256 (hex) of the model, the normalised inputs and `again`; a seed drawn here and the user's own
    `columns` do not change it. `pictures` is the largest number of images that the inputs ask for. Higher
    `priority` goes first. `files` are the images of this computer that the inputs name.
    """

    position: int
    row: int
    key: str
    fingerprint: str
    model: str
    inputs: dict[str, JsonValue]
    columns: dict[str, str]
    warnings: tuple[str, ...]
    pictures: int
    priority: float = 0.0
    files: tuple[LocalImage, ...] = ()
