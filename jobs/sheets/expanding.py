"""From a job as it was written to the rows that it stands for, one after the other."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from jobs.problems import Problem
from jobs.sheets.derived_ids import derived_id
from jobs.sheets.families import Family, Member
from jobs.sheets.names import ID
from jobs.sheets.rows import Cell, Row, shown
from jobs.sheets.text import BadText


def expand(file: str, row: Row, family: Family) -> Iterator[Row | Problem]:
    """Every row of a family, and what is wrong with it as a whole."""
    clashes = [name for name in (*family.names,) if name in row.cells and name in _varied(family)]
    for name in clashes:
        message = "This is a value of the job and a variable of its family."
        yield Problem(
            file, row.line_of(name), shown(name), shown(row.cells[name]), message, "Keep one of them."
        )
    if clashes:
        return
    nobody = True
    try:
        for member in family.members():
            nobody = False
            yield from _repeated(row, member, family)
    except BadText as bad:  # of the prompts' file, which was sound when it was counted
        name = family.prompts.file if family.prompts else file
        yield Problem(name, bad.line, None, None, bad.message, bad.hint)
        return
    if nobody:
        message = "Everything is excluded: no job is left."
        yield Problem(file, row.line, "exclude", None, message, "Exclude less, or leave this out.")


def _varied(family: Family) -> set[str]:
    """What a job cannot say itself; what an `include` adds may well be another value than the job's."""
    prompt = {"prompt"} if family.prompts else set()
    seed = {"seed"} if family.seeds else set()
    return {*family.variables, *prompt, *seed}


def _repeated(row: Row, member: Member, family: Family) -> Iterator[Row]:
    cells: dict[str, Cell] = {**row.cells, **member.added, **member.variables}
    cells = {name: cell for name, cell in cells.items() if cell}
    lines: Mapping[str, int] = {**row.lines, **family.lines}
    files: Mapping[str, str] = {}
    if member.prompt_line is not None and family.prompts is not None:
        lines = {**lines, "prompt": member.prompt_line}
        files = {"prompt": family.prompts.file}
    made = replace(row, cells=cells, lines=lines, files=files, expanded=True)
    own = cells.get(ID)
    for number, seed in enumerate(family.seeds or (None,) * family.repeats, 1):
        more: dict[str, Cell] = {}
        if isinstance(own, str):
            repetition = number if seed is None else 1
            more[ID] = derived_id(own.strip(), member.variables, repetition=repetition, seed=seed)
        if seed is not None:
            more["seed"] = seed
        yield replace(made, cells={**cells, **more}) if more else made
