"""Writes the gallery's folder: thumbnails, images, their list, and the page over them."""

import html
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Self

from anyio import to_thread

from jobs.datasets.columns import ImageRow, plain_text
from jobs.datasets.names import image_name
from jobs.datasets.pictures import ImageSource
from jobs.disk.own_folder import own_folder
from jobs.images.files import SUFFIXES
from jobs.store.sqlite.thumb_file import ThumbFile
from jobs.views import ArtifactView, JobView
from runner.downloads.thumbnail import make_thumbnail
from runner.gallery.bundle import page_text, static_text, view_script
from runner.gallery.order import GalleryOrder, ShownAs

SIDES = (384, 1600)
"""Of a thumbnail, and of the preview that is shown alone. The thumbnail's is the page's."""
MOST_LINKS = 2000
"""In the list for who has no JavaScript."""

_AT_ONCE = 4
_CHUNK = 20
_TELL_EACH = 1000


@dataclass(frozen=True, slots=True)
class _Shown:
    """An image as it came into the folder: its name, and the file that is shown alone."""

    image: ArtifactView
    name: str
    file: str


async def write_gallery(
    jobs: AsyncIterator[JobView],
    source: ImageSource,
    thumbs: ThumbFile,
    folder: Path,
    order: GalleryOrder,
    tell: Callable[[int], None],
) -> int:
    """Write it, whole or not at all, and return how many images it has. It calls `tell` now and then.

    Raises:
        UsageProblem: the folder is not one that an export wrote.
        CannotWrite: it cannot be written; a folder that was there before is left as it was.
    """
    with own_folder(folder, "gallery") as part, _GalleryFiles(part, order, source, thumbs) as files:
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

    def __init__(self, folder: Path, order: GalleryOrder, source: ImageSource, thumbs: ThumbFile) -> None:
        self._folder = folder
        self._order = order
        self._source = source
        self._thumbs = thumbs
        self._links: list[str] = []
        self.images = 0

    def __enter__(self) -> Self:
        for name in ("t", *(() if self._order.shown is ShownAs.NONE else ("p",))):
            (self._folder / name).mkdir()
        with ExitStack() as stack:
            self._data = stack.enter_context((self._folder / "data.js").open("x", encoding="ascii"))
            self._pool = stack.enter_context(ThreadPoolExecutor(_AT_ONCE))
            self._open = stack.pop_all()
        self._data.write(f'globalThis.GALLERY = {{"title": {_script(self._order.title)}, "jobs": [\n')
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def add(self, jobs: Sequence[JobView]) -> None:
        """Write the images of these jobs, and their entries."""
        wanted = [(job, image) for job in jobs for image in job.images]
        made = list(self._pool.map(lambda one: self._write(*one), wanted))
        for job in jobs:
            shown = [one for (of, _), one in zip(wanted, made, strict=True) if of is job and one is not None]
            if shown:
                self._data.write(_script(self._entry(job, shown)) + ",\n")
                self._links += self._items(job, shown) if len(self._links) < MOST_LINKS else []
                self.images += len(shown)

    def finish(self) -> None:
        """Write what stands around the images."""
        self._data.write("]};\n")
        (self._folder / "view.js").write_text(view_script(), "utf-8")
        style = page_text("style.css") + static_text("gallery.css")
        (self._folder / "style.css").write_text(style, "utf-8")
        title = html.escape(plain_text(self._order.title))
        page = Template(static_text("index.html")).substitute(title=title, links="\n".join(self._links))
        (self._folder / "index.html").write_text(page, "utf-8")

    def _write(self, job: JobView, image: ArtifactView) -> _Shown | None:
        """Write one image; None where it is missing, or cannot be shown."""
        name, shown = image_name(job.key, image.number), self._order.shown
        found = self._source.read(image)
        if found is None:
            return None
        preview = None
        if shown is ShownAs.PREVIEW:
            preview = make_thumbnail(found.data, SIDES[1])
        thumb = self._thumbs.get(image.sha256, SIDES[0]) or make_thumbnail(preview or found.data, SIDES[0])
        if thumb is None or (shown is ShownAs.PREVIEW and preview is None):
            self._source.missing += 1
            return None
        self._put(f"t/{name}.webp", thumb)
        match shown:
            case ShownAs.NONE:
                return _Shown(image, name, f"t/{name}.webp")
            case ShownAs.PREVIEW:
                return _Shown(image, name, self._put(f"p/{name}.webp", preview or b""))
            case ShownAs.COPY:
                suffix = SUFFIXES[image.content_type]
                return _Shown(image, name, self._put(f"p/{name}{suffix}", found.data))

    def _put(self, name: str, data: bytes) -> str:
        with (self._folder / name).open("xb") as file:
            file.write(data)
        return name

    def _entry(self, job: JobView, shown: Sequence[_Shown]) -> list[Any]:
        prompt = None
        if self._order.prompts:
            told = ImageRow(job, shown[0].image, json.loads(job.inputs)).common("prompt")
            prompt = told if isinstance(told, str) else None
        images = [[one.image.number, one.name, one.file, one.image.width, one.image.height] for one in shown]
        return [job.key, prompt, images]

    def _items(self, job: JobView, shown: Sequence[_Shown]) -> Iterator[str]:
        for one in shown[: MOST_LINKS - len(self._links)]:
            words = html.escape(plain_text(f"{job.key}, {one.image.number}"))
            yield f'      <li><a href="{one.file}">{words}</a></li>'


def _script(value: Any) -> str:
    """JSON that no browser takes for more than that: ASCII, and no markup."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
