"""Local images that jobs name by their content: the places they had when their sheet was loaded."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, exists, insert, select

from jobs.sheets.images.album import LocalImage
from jobs.store.schema import REFERENCE

_COLUMNS = ("sha256", "path", "bytes", "media_type")
_NOTE = insert(REFERENCE).from_select(
    _COLUMNS,
    select(*(bindparam(name, type_=REFERENCE.c[name].type) for name in _COLUMNS)).where(
        ~exists().where(REFERENCE.c.sha256 == bindparam("sha256"), REFERENCE.c.path == bindparam("path"))
    ),
)
"""A place that is not there yet."""

NotedPlaces = set[tuple[str, str]]
"""SHA-256 and path of the images recorded in this load: an image in ten thousand rows is recorded once."""


def note(connection: Connection, images: Iterable[LocalImage], seen: NotedPlaces) -> None:
    """Record the places of these images, unless they are in `seen`; add them to `seen`."""
    news = {(image.sha256, str(image.path)): image for image in images}
    rows = [
        {"sha256": place[0], "path": place[1], "bytes": image.bytes, "media_type": image.media_type}
        for place, image in news.items()
        if place not in seen
    ]
    if rows:
        connection.execute(_NOTE, rows)
        seen.update(news)
