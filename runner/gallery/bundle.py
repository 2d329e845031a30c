"""One classic script out of modules: a browser refuses modules from a disk.

The modules are those of the page, and some of the gallery's own, which come before the page's of that name.
"""

import re
from collections.abc import Callable
from importlib.resources import files

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:class|function\*?|const) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(import|export)\b.*", re.MULTILINE)
_AS = re.compile(r"\s+as\b")


def view_script() -> str:
    """The script of the gallery."""
    return bundle("gallery.js", _module)


def static_text(name: str) -> str:
    """A file of the gallery's own."""
    return (files("runner.gallery") / "static" / name).read_text("utf-8")


def page_text(name: str) -> str:
    """A file of the page."""
    return (files("runner.page") / "static" / name).read_text("utf-8")


def _module(name: str) -> str:
    own = files("runner.gallery") / "static" / name
    return own.read_text("utf-8") if own.is_file() else page_text(name)


def bundle(entry: str, read: Callable[[str], str]) -> str:
    """A script that does what the module `entry` does, with all that it imports. Each has a scope of its own.

    Raises:
        ValueError: a module imports or exports in another way than `{ names }`, lacks a name that another
            imports, or imports itself.
    """
    exported: dict[str, list[str]] = {}
    parts: list[str] = []

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"{name} imports itself, by way of {above[-1]}")
        if name in exported:
            return
        text = read(name)
        taken = [(_names(names), other) for names, other in _IMPORT.findall(text)]
        for names, other in taken:
            add(other, (*above, name))
            for one in names:
                if one.partition(":")[0].strip() not in exported[other]:
                    raise ValueError(f"{name} imports {one} from {other}, which does not export it")
        exported[name] = _EXPORT.findall(text)
        body = _EXPORT.sub("", _IMPORT.sub("", text))
        if (left := _LEFT.search(body)) is not None:
            raise ValueError(f"{name} has a line that cannot be bundled: {left[0]}")
        known = "".join(f'const {{ {", ".join(names)} }} = modules["{other}"];\n' for names, other in taken)
        given = ", ".join(exported[name])
        parts.append(f'modules["{name}"] = (() => {{\n{known}{body}\nreturn {{ {given} }};\n}})();\n')

    add(entry, ())
    return '(() => {\n"use strict";\nconst modules = {};\n' + "".join(parts) + "})();\n"


def _names(imported: str) -> list[str]:
    return [_AS.sub(":", one).strip() for one in imported.split(",") if one.strip()]
