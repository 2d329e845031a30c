"""The jobs that a request names."""

from typing import Any

from runner.page.acts.act import NoAct

MOST_NAMED = 2000


def names_in(told: Any) -> list[str] | NoAct:
    """A list of names, each once."""
    if not isinstance(told, list) or not 0 < len(told) <= MOST_NAMED:
        return NoAct(f"There is no list of jobs, or one of more than {MOST_NAMED}.")
    if not all(isinstance(name, str) for name in told):
        return NoAct("A job is named by its key.")
    return list(dict.fromkeys(told))
