"""This machine: room on the disk, how local images get to the API, and where the database lies."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from jobs.errors import CannotWrite, NightsheetError, UsageProblem
from jobs.sheets.images.way import UNPROVEN, Way
from jobs.store.open import look_at_server
from jobs.store.sqlite.beside import check_readable
from jobs.store.sqlite.notices import has_wal_reset_bug
from jobs.store.sqlite.one_name import check_one_name, kind_of_mount
from runner.checkup.advice import Advice, ok, problem, warning
from runner.downloads.disk import probe_writable
from runner.environment import Environment
from runner.settings import Settings
from runner.uploads.object_store import open_bucket

IMAGE_BYTES = 10_000_000
"""About one image of the largest usual size, as PNG."""
LITTLE_ROOM = 100 * IMAGE_BYTES
NO_ROOM = 10 * IMAGE_BYTES
_FAR_AWAY = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "fuse.rclone", "davfs")
_SYNCHRONISED = ("dropbox", "onedrive", "icloud", "google drive", "googledrive", "nextcloud", "syncthing")


def check_machine(settings: Settings, environment: Environment) -> Iterator[Advice]:
    """The lines about this machine. Leaves no file behind. Blocks."""
    yield check_disk(settings.output_root)
    yield check_database(settings, environment)
    yield check_upload(settings)


def check_disk(folder: Path) -> Advice:
    """Whether images can be written below the output folder, which may not exist yet, and how many."""
    there = _nearest(folder)
    refused = probe_writable(there)
    if refused is not None:
        return problem(
            "disk",
            f"{refused}.",
            "Choose another folder with --output-dir, or give permission to write there.",
        )
    free = shutil.disk_usage(there).free
    room = f"{free / 1e9:,.1f} GB are free for {folder}, about {free // IMAGE_BYTES:,} pictures."
    if free < NO_ROOM:
        return problem("disk", room, "Make room, or choose another folder with --output-dir.")
    if free < LITTLE_ROOM:
        return warning("disk", room, "A run pauses when the disk is full; what is paid for is kept.")
    return ok("disk", room)


def check_database(settings: Settings, environment: Environment) -> Advice:
    """Whether the database, which may not exist yet, is in a place where it keeps what it is given."""
    path = settings.database
    refused = probe_writable(_nearest(path.parent))
    if refused is not None:
        return problem("database", f"{refused}.", "Choose another place with --db.")
    if settings.place.url is not None:
        return _server(settings.place.url)
    try:
        check_one_name(path)
        if path.exists():
            check_readable(path)
    except CannotWrite as error:
        return problem("database", error.message, error.hint)
    return _place(path, settings, environment)


def _server(url: str) -> Advice:
    """What a server says of itself, and whether the job table on it can be opened."""
    try:
        report = look_at_server(url)
    except NightsheetError as error:
        return problem("database", error.message, error.hint)
    if report.lacks:
        return problem("database", f"{url}: {' '.join(report.lacks)}", "Change that on the server.")
    if report.table is not None:
        return problem("database", report.table, report.hint)
    if report.advice:
        return warning("database", f"{url}: {' '.join(report.advice)}")
    return ok("database", f"{url}: PostgreSQL {report.version}, which keeps what it is given.")


def _place(path: Path, settings: Settings, environment: Environment) -> Advice:
    """What may lose what a sound database was given."""
    kind = kind_of_mount(path)
    if kind.startswith(_FAR_AWAY):
        return warning(
            "database",
            f"{path} is on a network drive ({kind}), where a power cut may lose what was written.",
            "Keep it on a disk of this machine: --db FILE. Pictures may stay on the drive.",
        )
    if any(name in part.lower() for part in path.parts for name in _SYNCHRONISED):
        return warning(
            "database",
            f"{path} is in a folder that another program synchronises: it may bring back an older state.",
            "Keep it elsewhere: --db FILE. Pictures may stay there.",
        )
    state = environment.state_folder
    if not settings.emulator and not os.access(_nearest(state), os.W_OK):
        return warning(
            "database",
            f"{state} cannot be written: there is no second record of what was sent.",
            "Give permission to write there, or set XDG_STATE_HOME to a folder that can be written.",
        )
    if environment.sqlite_version is not None and has_wal_reset_bug(environment.sqlite_version):
        version = ".".join(map(str, environment.sqlite_version))
        return warning(
            "database",
            f"{path}: this Python's SQLite {version} has a rare bug when two processes write at one moment.",
            "Use `pause`, `tune`, `cancel`, `retry` and `review` sparingly beside a run, or a newer Python.",
        )
    return ok("database", f"{path}{'' if path.exists() else ', which the first run makes'}.")


def check_upload(settings: Settings) -> Advice:
    """How local images get to the API. A store is opened, and asked nothing: it may bill each question."""
    match settings.way:
        case Way.REFUSE:
            return ok(
                "upload",
                "None is set: sheets name hosted images only.",
                "For images of this computer: --upload s3://BUCKET/PREFIX, or --upload data-uri.",
            )
        case Way.INSIDE:
            if settings.emulator:
                return ok("upload", "Images of this computer go inside the request.")
            return warning("upload", UNPROVEN)
        case Way.STORE:
            assert settings.upload is not None
            try:
                bucket = open_bucket(settings.upload)
            except UsageProblem as error:
                return problem("upload", error.message, error.hint)
            return ok("upload", f"{bucket.shown} can be opened; it was not asked, as stores bill questions.")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next((place for place in (folder, *folder.parents) if place.exists()), Path(folder.anchor))
