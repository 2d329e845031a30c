"""The id of a family's member: the job's own id, and the values that distinguish this member.

It depends on the member alone, not on its position or their number: a value that is added to a matrix leaves
every other key as it was, and no member is paid for twice.
"""

import hashlib
import re

from jobs.sheets.families.members import Variables
from jobs.sheets.row import Cell
from jobs.sheets.rows.template import fill

_PLAIN = re.compile(r"[A-Za-z0-9_.]{1,32}")
_OTHER = re.compile(r"[^a-z0-9]+")
_LONGEST = 150
"""Characters; in a longer id a hash stands for the variables."""


def derived_id(own: str, variables: Variables, *, repetition: int = 1, seed: str | None = None) -> str:
    """`fox` with a style of ink is `fox-ink`, its second repetition `fox-ink-2`, with a seed `fox-ink-seed7`.

    Variables that the id names itself, in braces, are filled in there. The first repetition has no number, so
    that adding repetitions later leaves it as it is.
    """
    filled, _ = fill(own, frozenset(variables), variables)
    rest = {name: value for name, value in variables.items() if f"{{{name}}}" not in own}
    parts = [_part(rest[name]) for name in sorted(rest)]
    if seed is not None:
        parts.append(f"seed{seed}")
    if repetition > 1:
        parts.append(str(repetition))
    made = "-".join((filled, *parts))
    if len(made) <= _LONGEST or not parts:
        return made
    return f"{filled}-{_hashed('|'.join(parts), 16)}"


def _part(value: Cell) -> str:
    text = value if isinstance(value, str) else "|".join(value)
    if not text:
        return "_"
    if _PLAIN.fullmatch(text):
        return text
    readable = _OTHER.sub("_", text.lower())[:24].strip("_")
    return f"{readable}.{_hashed(text, 8)}"


def _hashed(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
