"""What a source file imports and reaches for, by full dotted name: read from its syntax, nothing is run."""

import ast
from collections.abc import Iterator
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


@cache
def sources() -> dict[str, str]:
    """Every source file of the project: its path from the root, and its text."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


@cache
def imported(path: str, source: str) -> tuple[Use, ...]:
    """Every import, wherever it stands: `from a import b` is `a.b`. Relative ones are resolved."""
    return tuple(_imports(path, source))


@cache
def reached_for(path: str, source: str) -> tuple[Use, ...]:
    """Every name that leads to an import, under its own name: `t.sleep` after `import time as t`."""
    return tuple(_names(path, source))


@cache
def imported_modules(path: str, source: str) -> tuple[Use, ...]:
    """Every module of the project that a file imports: `from a import b` is `a.b` where that is a module."""
    known = modules()
    uses = []
    for use in imported(path, source):
        name = use.name if use.name in known else use.name.rpartition(".")[0]
        if name in known:
            uses.append(Use(name, use.line))
    return tuple(uses)


@cache
def modules() -> dict[str, str]:
    """The path of each module, by its dotted name."""
    return {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in sources()}


def circles() -> list[list[str]]:
    """Modules that import each other, each ring once."""
    arrows = {
        module: {use.name for use in imported_modules(path, sources()[path])} - {module}
        for module, path in modules().items()
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
