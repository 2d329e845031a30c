"""The part of typer that draws help, without what it imports for others."""

import sys
from contextlib import suppress
from types import ModuleType

_UNUSED = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""Of typer's help: each module with the one name of it. Ours has no Markdown and draws no traceback."""


def load_help() -> None:
    """Import what draws help, with stand-ins for a parser of Markdown and a highlighter of Python.

    They would be a quarter of what `--help` waits for. The stand-ins are there for this one import: another
    typer that wants more of these modules fails here, and imports them itself when it draws.
    """
    absent = {name: _stand_in(name, kind) for name, kind in _UNUSED.items() if name not in sys.modules}
    sys.modules.update(absent)
    try:
        with suppress(ImportError, AttributeError):
            import typer.rich_utils  # noqa: F401 - typer finds it loaded
    finally:
        for name in absent:
            del sys.modules[name]


def _stand_in(name: str, kind: str) -> ModuleType:
    module = ModuleType(name)
    setattr(module, kind, type(kind, (), {}))
    return module
