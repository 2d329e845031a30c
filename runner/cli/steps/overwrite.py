"""What an export may overwrite: a manifest of ours, and nothing else."""

from pathlib import Path

from jobs.errors import UsageProblem
from jobs.manifests.ownership import is_manifest

_BESIDE_A_TABLE = ("-wal", "-shm", "-journal", ".lock", ".spool", ".emulator", ".emulator.lock")


def check_target(output: Path, database: Path, sheet: Path) -> None:
    """Check that writing to `output` destroys no file that cannot be restored. Blocks.

    Raises:
        UsageProblem: it is the job table, the batch's sheet, or a file that is no manifest of ours.
    """
    try:
        real = output.resolve()
        whose = _whose(real, database, sheet)
        foreign = not whose and real.is_file() and _is_foreign(real)
    except (OSError, RuntimeError):  # a loop of links, a folder without access: writing reports it better
        return
    if whose:
        raise UsageProblem(
            f"{output} {whose}. Nothing was written.", hint="Choose another name with --output."
        )
    if foreign:
        raise UsageProblem(
            f"{output} is there already, and is no manifest of Nightsheet's. Nothing was written.",
            hint="Choose another name with --output, or delete that file first.",
        )


def _whose(real: Path, database: Path, sheet: Path) -> str:
    """What the file is to the batch, if it belongs to it; else empty."""
    if _same(real, database):
        return "is the job table"
    if _same(real, sheet):
        return "is the batch's sheet"
    # Of any job table: the emulator's may lie beside the real one.
    if any(real.name.endswith(ending) and _without(real, ending).is_file() for ending in _BESIDE_A_TABLE):
        return "belongs to a job table"
    return ""


def _without(path: Path, ending: str) -> Path:
    return path.parent / path.name.removesuffix(ending)


def _same(real: Path, other: Path) -> bool:
    """By name and by inode: hard links, and file systems that ignore case."""
    other = other.resolve()
    return real == other or (real.exists() and other.exists() and real.samefile(other))


def _is_foreign(file: Path) -> bool:
    try:
        return not is_manifest(file)
    except OSError:
        return True
