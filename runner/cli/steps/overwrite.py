"""What an export may take the place of: nothing, or a manifest of ours."""

from pathlib import Path

from jobs.errors import UsageProblem

_BESIDE_A_TABLE = ("-wal", "-shm", "-journal", ".lock", ".spool", ".emulator", ".emulator.lock")


def check_target(output: Path, database: Path, sheet: Path) -> None:
    """See that writing to `output` costs nobody a file that cannot be had again. Blocks.

    Raises:
        UsageProblem: it is the job table, the batch's sheet, or a file that is no manifest of ours.
    """
    try:
        real = output.resolve()
        whose = _whose(real, database, sheet)
        strange = not whose and real.is_file() and _is_strange(real)
    except (OSError, RuntimeError):  # a loop of links, a folder that is closed to us: writing tells it better
        return
    if whose:
        raise UsageProblem(
            f"{output} {whose}. Nothing was written.", hint="Choose another name with --output."
        )
    if strange:
        raise UsageProblem(
            f"{output} is there already, and is no manifest of Nightsheet's. Nothing was written.",
            hint="Choose another name with --output, or delete that file first.",
        )


def _whose(real: Path, database: Path, sheet: Path) -> str:
    """Whose file it is, if it is one that we live on."""
    if _same(real, database):
        return "is the job table"
    if _same(real, sheet):
        return "is the batch's sheet"
    # Of any job table: the rehearsal's beside the real one is as dear.
    if any(real.name.endswith(ending) and _without(real, ending).is_file() for ending in _BESIDE_A_TABLE):
        return "belongs to a job table"
    return ""


def _without(path: Path, ending: str) -> Path:
    return path.parent / path.name.removesuffix(ending)


def _same(real: Path, other: Path) -> bool:
    """By name, and by what lies behind it: hard links, and systems that know no capitals."""
    other = other.resolve()
    return real == other or (real.exists() and other.exists() and real.samefile(other))


def _is_strange(file: Path) -> bool:
    from jobs.manifests.ownership import is_manifest

    try:
        return not is_manifest(file)
    except OSError:
        return True
