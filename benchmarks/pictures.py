"""What a picture costs on its way in, as it was and as it is: `python -m benchmarks.pictures`.

A server of this machine, in a process of its own, sends pictures like photographs; the real download takes
them to a disk: it reads, writes, hashes, proves, syncs and names them. *Decoded* is the way of before, when
each picture was decoded at its full size. *Proven* is what Nightsheet does: the checksums of a PNG, an eighth
of a JPEG. Both take turns, so that a busy machine disturbs both alike. The figure is the processor time of
the process that downloads, its threads included: the median of all turns, with the middle half of them.

*Later* is what left-over time is for: the decode of a PNG that was only proven, and the thumbnail, made and
kept. *Thumbnail* is its part of that.
"""

import argparse
import asyncio
import hashlib
import http.server
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from unittest.mock import patch

from PIL import Image, ImageChops

from jobs.store.sqlite.thumb_file import ThumbFile
from runner.clock import SystemClock
from runner.downloads import download, incoming, validate
from runner.downloads.disk import LocalDisk
from runner.downloads.download import DownloadedImage, Downloads, fetch_image
from runner.downloads.late_decode import FreshImage, LateDecoder
from runner.downloads.placement import stamp_of
from runner.downloads.png import PngProof
from runner.downloads.thumbnail import KEPT_SIDE
from runner.http.image_client import ImageClient
from runner.http.url_policy import ImageUrlPolicy

SIDE = 2048
MEGABYTE = 1_000_000
MILLISECONDS = 1000
_BLOTCH = 32
"""Pixels of a photograph's soft shapes; its grain is laid over them."""
_GRAIN = 6.5
_QUALITY = 94


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that is sent."""

    name: str
    path: Path
    bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time of one picture: the median, and the middle half."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Cost":
        """Of as many turns as were measured, at least two."""
        low, median, high = (value * MILLISECONDS for value in statistics.quantiles(seconds, n=4))
        return cls(median, low, high)


@dataclass(frozen=True, slots=True)
class Measured:
    """One picture, both ways, and what comes later."""

    picture: str
    bytes: int
    decoded: Cost
    proven: Cost
    later: Cost
    bare: Cost
    """The same without a thumbnail."""

    @property
    def ratio(self) -> float:
        """How much of the cost is left."""
        return self.proven.median / self.decoded.median

    @property
    def thumbnail_ms(self) -> float:
        """What the thumbnail costs of what comes later."""
        return self.later.median - self.bare.median


def pictures(folder: Path, side: int) -> list[Picture]:
    """A small PNG, and a PNG and a JPEG each of this side and of twice as much."""
    made: list[Picture] = []
    for name, length, suffix in (
        ("small PNG", side * 7 // 32, "png"),
        ("PNG", side, "png"),
        ("JPEG", side, "jpg"),
        ("large PNG", side * 2, "png"),
        ("large JPEG", side * 2, "jpg"),
    ):
        path = folder / f"{len(made)}.{suffix}"
        _like_a_photograph(length).save(path, quality=_QUALITY)
        made.append(Picture(f"{name}, {length} x {length}", path, path.stat().st_size))
    return made


def _like_a_photograph(side: int) -> Image.Image:
    few = max(2, side // _BLOTCH)
    blotches = Image.frombytes("RGB", (few, few), random.Random(1).randbytes(few * few * 3))  # noqa: S311
    soft = blotches.resize((side, side), Image.Resampling.BICUBIC)
    grain = Image.merge("RGB", [Image.effect_noise((side, side), _GRAIN)] * 3)
    return ImageChops.add(soft, grain, scale=2)


class _Files(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        """Not to standard error."""


def serve(folder: Path) -> None:
    """Send the files of a folder until standard input ends; the port is the first line of the output."""
    answer = partial(_Files, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        print(server.server_address[1], flush=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        sys.stdin.read()
        server.shutdown()
        thread.join()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address of a server of this folder, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.pictures", "--serve", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.communicate()


class _Unproven(PngProof):
    """Proves nothing, so that the picture is decoded."""

    def feed(self, piece: bytes) -> None:
        """Look at none of it."""


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Every picture comes in small pieces, and is decoded at its full size."""
    with ExitStack() as changed:
        changed.enter_context(patch.object(incoming, "PngProof", _Unproven))
        changed.enter_context(patch.object(download, "CHUNK_BYTES", 16 * 1024))
        changed.enter_context(patch.object(validate, "EIGHTH", 1))
        yield


async def measure(folder: Path, made: list[Picture], base: str, turns: int) -> list[Measured]:
    """Download each picture both ways by turns, after a first time that does not count."""
    decoded: dict[str, list[float]] = {one.name: [] for one in made}
    proven: dict[str, list[float]] = {one.name: [] for one in made}
    later: dict[str, list[float]] = {one.name: [] for one in made}
    bare: dict[str, list[float]] = {one.name: [] for one in made}
    async with ImageClient(ImageUrlPolicy.of(base)) as client:
        shared = Downloads(client, folder, SystemClock(), LocalDisk())
        for turn in range(turns + 1):
            for one in made:
                with _as_it_was():
                    before = await _seconds(shared, f"{base}/{one.path.name}")
                after = await _seconds(shared, f"{base}/{one.path.name}")
                with_thumbnail = await _later(one, folder / f"{turn}-{one.path.name}.thumbs")
                without = await _later(one, None)
                if turn:
                    decoded[one.name].append(before)
                    proven[one.name].append(after)
                    later[one.name].append(with_thumbnail)
                    bare[one.name].append(without)
    costs = [
        {name: Cost.of(spent) for name, spent in all_of.items()} for all_of in (decoded, proven, later, bare)
    ]
    return [Measured(one.name, one.bytes, *(cost[one.name] for cost in costs)) for one in made]


async def _later(picture: Picture, thumbs: Path | None) -> float:
    """What a picture costs in left-over time, with a new file of thumbnails or with none."""
    sha256 = hashlib.sha256(picture.path.read_bytes()).hexdigest()
    is_decoded = picture.path.suffix != ".png"
    image = FreshImage(1, "row", 1, picture.path, sha256, is_decoded, stamp_of(picture.path))
    file = None if thumbs is None else ThumbFile(thumbs)
    begun = time.process_time()
    with LateDecoder(file) as decoder:
        if (broken := await decoder.look(image, validate.MOST_PIXELS)) is not None:
            sys.exit(f"{picture.name}: {broken.reason}")
    spent = time.process_time() - begun
    if thumbs is not None and ThumbFile(thumbs).get(sha256, KEPT_SIDE) is None:
        sys.exit(f"{picture.name}: no thumbnail was kept")
    return spent


async def _seconds(shared: Downloads, url: str) -> float:
    begun = time.process_time()
    told = await fetch_image(shared, url, PurePosixPath("night/row/01"))
    spent = time.process_time() - begun
    if not isinstance(told, DownloadedImage):
        sys.exit(f"{url}: {told}")
    (shared.root / told.path).unlink()
    return spent


def _table(measured: list[Measured], turns: int) -> Iterator[str]:
    yield f"processor time a picture in ms, medians of {turns} turns, {os.cpu_count()} cores"
    yield (
        f"{'picture':24} {'MB':>6} {'decoded':>8} {'proven':>8} {'ratio':>6}   {'beyond the small PNG':>20} "
        f"{'later':>8} {'thumbnail':>10}"
    )
    small = measured[0]
    for one in measured:
        beyond = (
            f"{one.decoded.median - small.decoded.median:8.1f} -> "
            f"{one.proven.median - small.proven.median:.1f}"
            if one is not small
            else ""
        )
        yield (
            f"{one.picture:24} {one.bytes / MEGABYTE:6.1f} {one.decoded.median:8.1f} "
            f"{one.proven.median:8.1f} {one.ratio:6.2f}   {beyond:>20} "
            f"{one.later.median:8.1f} {one.thumbnail_ms:10.1f}"
        )
    widest = max(
        (c.high - c.low) / c.median for one in measured for c in (one.decoded, one.proven, one.later)
    )
    yield f"the middle half of the turns is at most {widest:.0%} of its median wide"


def main() -> None:
    """Measure them, and print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("--turns", type=int, default=15, help="at least 2")
    parser.add_argument("--side", type=int, default=SIDE, help="of the middle pictures, in pixels")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    with tempfile.TemporaryDirectory() as name:
        sent, kept = Path(name, "sent"), Path(name, "kept")
        sent.mkdir()
        made = pictures(sent, given.side)
        with _served(sent) as base:
            measured = asyncio.run(measure(kept, made, base, given.turns))
    if given.json:
        told = [asdict(one) | {"ratio": one.ratio} for one in measured]
        print(json.dumps({"turns": given.turns, "cores": os.cpu_count(), "milliseconds": told}, indent=1))
    else:
        print("\n".join(_table(measured, given.turns)))


if __name__ == "__main__":
    main()
