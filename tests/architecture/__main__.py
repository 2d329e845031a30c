"""`python -m tests.architecture [ROOT]`: the figures of the layout, of this checkout or of another one.

Modules a folder, arrows between folders (a file that lies beside folders counts as one), circles, the longest
function, the most parameters, and what importing the brake loads.
"""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ROOT, circles, imported_modules, module_of, read_sources, room_of

BRAKES = ("runner.limits.brake", "runner.brake")
"""Where the brake lies today, and where it lay."""


def main() -> None:
    """Print the figures."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    sources = read_sources(root)
    folders = Counter(path.rpartition("/")[0] for path in sources if not path.endswith("__init__.py"))
    functions = [found for path, source in sources.items() for found in _functions(path, source)]
    lines, longest = max((end - start + 1, f"{path}:{name}") for path, name, start, end, _ in functions)
    most, widest = max((parameters, f"{path}:{name}") for path, name, _start, _end, parameters in functions)
    rows = [
        ("modules", sum(folders.values())),
        ("largest folders", ", ".join(f"{folder} {n}" for folder, n in folders.most_common(5))),
        ("arrows between folders and files of runner", len(_arrows(sources, "runner"))),
        ("arrows between folders and files of runner/cli", len(_arrows(sources, "runner.cli"))),
        ("arrows between folders and files of jobs", len(_arrows(sources, "jobs"))),
        ("arrows between folders and files of jobs/sheets", len(_arrows(sources, "jobs.sheets"))),
        ("circles", len(circles(sources))),
        ("longest function", f"{lines} lines: {longest}"),
        ("most parameters", f"{most}: {widest}"),
        ("modules loaded by importing the brake", _loaded_by_the_brake(root)),
    ]
    for name, value in rows:
        sys.stdout.write(f"{name:50} {value}\n")


def _functions(path: str, source: str) -> Iterator[tuple[str, str, int, int, int]]:
    """Path, name, first and last line, and parameters but `self` and `cls`, of each function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            own = [name for name in names if name not in {"self", "cls"}]
            yield path, node.name, node.lineno, node.end_lineno or node.lineno, len(own)


def _arrows(sources: dict[str, str], package: str) -> set[tuple[str, str]]:
    """From one room of a package to another."""
    known = {module_of(path) for path in sources}
    found = set()
    for path, source in sources.items():
        for use in imported_modules(path, source, known):
            mine, theirs = room_of(module_of(path), package), room_of(use.name, package)
            if mine and theirs and mine != theirs:
                found.add((mine, theirs))
    return found


def _loaded_by_the_brake(root: Path) -> str:
    for module in BRAKES:
        if (root / f"{module.replace('.', '/')}.py").is_file():
            code = f"import sys; n = len(sys.modules); import {module}; print(len(sys.modules) - n)"
            done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
            return done.stdout.strip() or done.stderr.strip().splitlines()[-1]
    return "no brake"


if __name__ == "__main__":
    main()
