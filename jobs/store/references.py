"""Pictures of this computer that jobs name by their content: where they were when their sheet was loaded."""

from collections.abc import Iterable

from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.sheets.images.album import LocalImage
from jobs.store.schema import REFERENCE

NotedPlaces = set[tuple[str, str]]
"""Content and path of what was noted already in this load: one that ten thousand rows name is noted once."""


async def note(connection: AsyncConnection, pictures: Iterable[LocalImage], seen: NotedPlaces) -> None:
    """Remember where these pictures lie. Adds to what was `seen`."""
    news = {(picture.sha256, str(picture.path)): picture for picture in pictures}
    rows = [
        {"sha256": place[0], "path": place[1], "bytes": picture.bytes, "media_type": picture.media_type}
        for place, picture in news.items()
        if place not in seen
    ]
    if rows:
        await connection.execute(insert(REFERENCE).on_conflict_do_nothing(), rows)
        seen.update(news)
