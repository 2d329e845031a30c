"""What a source file imports and reaches for, by full dotted name: read from its syntax, nothing is run."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("jobs", "runner", "migrations")


@dataclass(frozen=True)
class Use:
    """One name, and the line that it stands in."""

    name: str
    line: int

    def under(self, prefix: str) -> bool:
        """Whether it is that name or something within it."""
        return self.name == prefix or self.name.startswith(prefix + ".")


def read_sources(root: Path) -> dict[str, str]:
    """Every source file of the project at `root`: its path from there, and its text."""
    files = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in files}


@cache
def sources() -> dict[str, str]:
    """Every source file of this checkout."""
    return read_sources(ROOT)


def module_of(path: str) -> str:
    """The dotted name of a file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def room_of(module: str, package: str) -> str | None:
    """The folder, or the module, of `package` that a module lies in."""
    inside = module.removeprefix(f"{package}.")
    return None if inside == module else inside.split(".")[0]


@cache
def imported(path: str, source: str) -> tuple[Use, ...]:
    """Every import, wherever it stands: `from a import b` is `a.b`. Relative ones are resolved."""
    return tuple(_imports(path, source))


@cache
def reached_for(path: str, source: str) -> tuple[Use, ...]:
    """Every name that leads to an import, under its own name: `t.sleep` after `import time as t`."""
    return tuple(_names(path, source))


def imported_modules(path: str, source: str, known: Collection[str]) -> Iterator[Use]:
    """Every module among `known` that a file imports: `from a import b` is `a.b` where that is a module."""
    for use in imported(path, source):
        name = use.name if use.name in known else use.name.rpartition(".")[0]
        if name in known:
            yield Use(name, use.line)


def circles(tree: dict[str, str]) -> list[list[str]]:
    """Modules of these sources that import each other, each ring once."""
    known = {module_of(path) for path in tree}
    arrows = {
        module_of(path): {use.name for use in imported_modules(path, source, known)} - {module_of(path)}
        for path, source in tree.items()
    }
    reach = {module: _reached(module, arrows) for module in arrows}
    rings = {frozenset(other for other in reach[module] if module in reach[other]) for module in arrows}
    return sorted(sorted(ring) for ring in rings if len(ring) > 1)


def _reached(start: str, arrows: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        for module in arrows.get(todo.pop(), set()) - found:
            found.add(module)
            todo.append(module)
    return found


def _imports(path: str, source: str) -> Iterator[Use]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Use(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _module(path, node)
            yield from (Use(f"{module}.{alias.name}", node.lineno) for alias in node.names)


def _names(path: str, source: str) -> Iterator[Use]:
    known: dict[str, str] = {}
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                known[alias.asname or alias.name] = f"{_module(path, node)}.{alias.name}"
    for node in ast.walk(tree):
        name = _dotted(node)
        first, _, rest = name.partition(".")
        if first in known:
            yield Use(f"{known[first]}.{rest}" if rest else known[first], getattr(node, "lineno", 0))


def _dotted(node: ast.AST) -> str:
    """`a.b.c` as text; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def _module(path: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = path.removesuffix(".py").split("/")[: -node.level]
    return ".".join([*parts, node.module] if node.module else parts)
