"""Writes a gallery: thumbnails, images, their list, and the page over them. Into a folder, or an archive.

Some images are made at once, and written in their order: memory does not grow with their number, and an
archive is the same each time.
"""

import html
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from string import Template
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Self

from anyio import to_thread

from jobs.datasets.columns import ImageRow, plain_text
from jobs.datasets.names import image_name
from jobs.datasets.pictures import ImageSource
from jobs.images.files import SUFFIXES
from jobs.store.sqlite.thumb_file import ThumbFile
from jobs.views import ArtifactView, JobView
from runner.downloads.thumbnail import KEPT_SIDE, make_thumbnail
from runner.gallery.bundle import page_text, static_text, view_script
from runner.gallery.order import GalleryOrder, ShownAs
from runner.gallery.place import GalleryPlace, gallery_place

MOST_LINKS = 2000
"""In the list for who has no JavaScript."""

_AT_ONCE = 4
_AHEAD = 8
"""Images that are made or being made while an earlier one is written."""
_CHUNK = 20
_TELL_EACH = 1000


_Told = tuple[int, str, str, int | None, int | None]
"""What data.js says of an image: its number, its name, the file that is shown alone, and its size."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """An image as it comes into the gallery: its files by their names, and what is told of it."""

    files: Mapping[str, bytes]
    told: _Told


async def write_gallery(
    jobs: AsyncIterator[JobView],
    source: ImageSource,
    thumbs: ThumbFile,
    target: Path,
    order: GalleryOrder,
    tell: Callable[[int], None],
) -> int:
    """Write it, whole or not at all, and return how many images it has. It calls `tell` now and then.

    Raises:
        UsageProblem: what is there is not a gallery that an export wrote.
        CannotWrite: it cannot be written; what was there before is left as it was.
    """
    with (
        gallery_place(target, zipped=order.zipped) as place,
        TemporaryFile(dir=target.parent) as data,
        _GalleryFiles(place, data, order, source, thumbs) as files,
    ):
        chunk: list[JobView] = []
        async for job in jobs:
            chunk.append(job)
            if len(chunk) == _CHUNK:
                before = files.images
                await to_thread.run_sync(files.add, chunk)
                chunk = []
                if before // _TELL_EACH < files.images // _TELL_EACH:
                    tell(files.images)
        await to_thread.run_sync(files.add, chunk)
        await to_thread.run_sync(files.finish)
        return files.images


class _GalleryFiles:
    """The files of a gallery on their way. Everything here blocks."""

    def __init__(
        self, place: GalleryPlace, data: BinaryIO, order: GalleryOrder, source: ImageSource, thumbs: ThumbFile
    ) -> None:
        self._place = place
        self._data = data
        self._order = order
        self._source = source
        self._thumbs = thumbs
        self._links: list[str] = []
        self.images = 0

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._tell(f'globalThis.GALLERY = {{"title": {_script(self._order.title)}, "jobs": [\n')
        return self

    def __exit__(self, *error: Any) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, jobs: Sequence[JobView]) -> None:
        """Write the images of these jobs, and their entries."""
        made = self._made((job.key, image) for job in jobs for image in job.images)
        for job in jobs:
            told: list[_Told] = []
            for shown in islice(made, len(job.images)):
                if shown is not None:  # written before the next is waited for: few are in memory at once
                    for name, data in shown.files.items():
                        self._place.put(name, data)
                    told.append(shown.told)
            if told:
                self._tell(_script([job.key, self._prompt(job), told]) + ",\n")
                self._links += self._items(job, told) if len(self._links) < MOST_LINKS else []
                self.images += len(told)

    def finish(self) -> None:
        """Write what stands around the images."""
        self._tell("]};\n")
        self._place.put_file("data.js", self._data)
        self._place.put("view.js", view_script().encode())
        self._place.put("style.css", (page_text("style.css") + static_text("gallery.css")).encode())
        title = html.escape(plain_text(self._order.title))
        page = Template(static_text("index.html")).substitute(title=title, links="\n".join(self._links))
        self._place.put("index.html", page.encode())

    def _tell(self, text: str) -> None:
        self._data.write(text.encode("ascii"))

    def _made(self, wanted: Iterator[tuple[str, ArtifactView]]) -> Iterator[_Shown | None]:
        """Each, in this order, while some of the next are being made."""
        waiting: deque[Future[_Shown | None]] = deque()
        for key, image in wanted:
            waiting.append(self._pool.submit(self._make, key, image))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _make(self, key: str, image: ArtifactView) -> _Shown | None:
        """What is shown of an image; None where it is missing, or cannot be shown."""
        name, shown = image_name(key, image.number), self._order.shown
        found = self._source.read(image)
        if found is None:
            return None
        preview = None
        if shown is ShownAs.PREVIEW:
            preview = make_thumbnail(found.data, self._order.side)
        thumb = self._thumbs.get(image.sha256, KEPT_SIDE) or make_thumbnail(preview or found.data, KEPT_SIDE)
        if thumb is None or (shown is ShownAs.PREVIEW and preview is None):
            self._source.missing += 1
            return None
        files = {f"t/{name}.webp": thumb}
        match shown:
            case ShownAs.PREVIEW:
                files[f"p/{name}.webp"] = preview or b""
            case ShownAs.COPY:
                files[f"p/{name}{SUFFIXES[image.content_type]}"] = found.data
        *_, alone = files
        return _Shown(files, (image.number, name, alone, image.width, image.height))

    def _prompt(self, job: JobView) -> str | None:
        if not self._order.prompts:
            return None
        told = ImageRow(job, job.images[0], json.loads(job.inputs)).common("prompt")
        return told if isinstance(told, str) else None

    def _items(self, job: JobView, told: Sequence[_Told]) -> Iterator[str]:
        for number, _, file, _, _ in told[: MOST_LINKS - len(self._links)]:
            words = html.escape(plain_text(f"{job.key}, {number}"))
            yield f'      <li><a href="{file}">{words}</a></li>'


def _script(value: Any) -> str:
    """JSON that no browser takes for more than that: ASCII, and no markup."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
