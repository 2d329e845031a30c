"""A command in a process of its own, measured: its time, its CPU time and the most memory that it held."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended well."""

    seconds: float
    cpu_seconds: float
    """Of the process and of those that it waited for."""
    peak_bytes: int
    output: str


def python(*arguments: str) -> list[str]:
    """This interpreter with `arguments`."""
    return [sys.executable, *arguments]


def nightsheet(*arguments: str) -> list[str]:
    """The product's command line, of this tree."""
    return python("-m", "nightsheet", *arguments)


def measured(command: Sequence[str], out: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Run `command` in the tree's folder, with its standard output in the file `out`.

    Raises SystemExit if it ends with another code than 0: what it did is then not what was to be measured.
    """
    done = subprocess.run(
        python("-m", "benchmarks.peak", str(out), *command),
        capture_output=True,
        cwd=ROOT,
        env=env,
        check=True,
    )
    ended = json.loads(done.stdout)
    if ended["code"]:
        sys.stderr.write(done.stderr.decode(errors="replace"))
        sys.exit(f"{' '.join(command)}: ended with {ended['code']}")
    return Ended(ended["seconds"], ended["cpu_seconds"], ended["peak_bytes"], out.read_text(encoding="utf-8"))
