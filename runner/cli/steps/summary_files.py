"""Writes how a batch stands beside its manifests, when a run has ended."""

import json
from pathlib import Path

from jobs.disk.atomic_file import AtomicFile
from runner.cli.console import console
from runner.cli.reports.status import BatchStatus
from runner.cli.reports.summary_file import NAMES, document, is_ours, markdown
from runner.settings import Settings


def write_summaries(status: BatchStatus, settings: Settings, exit_code: int) -> tuple[Path, ...]:
    """Write `summary.md` and `summary.json` where the manifests are; return those that were written.

    A run has ended whatever becomes of them: what is in the way, or does not fit on the disk, is said.
    """
    texts = {
        NAMES[0]: markdown(status, settings, exit_code),
        NAMES[1]: json.dumps(document(status, settings, exit_code), indent=2, allow_nan=False) + "\n",
    }
    written = []
    for name, text in texts.items():
        path = status.folder / name
        try:
            if not status.folder.is_dir():  # nothing was ever written there
                continue
            if path.is_symlink() or (path.exists() and not (path.is_file() and _is_earlier(path))):
                console.message(f"{path} is there already, and is no summary of Nightsheet's: not written.")
                continue
            with AtomicFile(path, status.batch.mark) as file:
                file.write(text.encode("utf-8", "backslashreplace"))
                file.commit(durable=False)  # `status` says the same at any time
        except OSError as error:
            console.message(f"{path} cannot be written: {error.strerror or error}.")
        else:
            written.append(path)
    return tuple(written)


def _is_earlier(path: Path) -> bool:
    return is_ours(path.name, path.read_bytes())
