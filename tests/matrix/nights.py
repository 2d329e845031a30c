"""Whole nights with a trouble for each row, and what became of every row in the end."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.support.night import SINGLE, Night


def sheet(w: Night, names: Iterable[str], model: str = SINGLE, count: str = "") -> Path:
    """A sheet with a row for each name, which its prompt tells as well."""
    lines = ["id,model,prompt,count", *(f"{name},{model},A boat called <{name}>,{count}" for name in names)]
    path = w.folder / "sheet.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def strikes(name: str, endpoint: Endpoint, kind: FaultKind, times: int | None = None, **more: Any) -> Fault:
    """A fault for the row of that name alone; for ever, unless it says how often."""
    return Fault(endpoint=endpoint, kind=kind, times=times, prompt=f"<{name}>", **more)


def ends(w: Night) -> dict[str, str]:
    """What the manifest says of each row: the kind of its error, else its state."""
    return {
        record["key"]: record["error"]["kind"] if record["error"] else record["state"]
        for record in w.manifest()
    }


def accepted(w: Night, name: str) -> int:
    """How often the API took a row: what it costs."""
    return w.submits()[f"A boat called <{name}>"]


def posts(w: Night) -> int:
    """How many paid calls have left, answered or not."""
    return sum(method == "POST" and "/models/" in path for _at, method, path in w.transport.calls)
