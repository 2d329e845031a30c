"""Expands a job of a family to its rows, one after the other."""

from collections.abc import Iterator, Mapping

from jobs.problems import Problem, at
from jobs.sheets.families.derived_ids import derived_id
from jobs.sheets.families.members import Family, Member
from jobs.sheets.files.decode import BadText
from jobs.sheets.row import Cell, Row
from jobs.sheets.rows.column_names import ID


def expand(file: str, row: Row, family: Family) -> Iterator[Row | Problem]:
    """Every row of a family, and the problems of the family as a whole."""
    clashes = sorted(_varied(family) & row.cells.keys())
    for name in clashes:
        message = "This is a value of the job and a variable of its family."
        yield row.at(file, name).problem(message, "Keep one of them.")
    if clashes:
        return
    empty = True
    lines = {**row.lines, **family.lines}
    try:
        for member in family.members():
            empty = False
            yield from _repeated(row, lines, member, family)
    except BadText as bad:  # of the file of prompts, which was readable when it was counted
        name = family.prompts.file if family.prompts else file
        yield at(name, bad.line).problem(bad.message, bad.hint)
        return
    if empty:
        place = at(file, row.line, column="exclude")
        yield place.problem("Everything is excluded: no job is left.", "Exclude less, or leave this out.")


def _varied(family: Family) -> set[str]:
    """Names that the job cannot have cells for; an `include` may still replace a value of the job."""
    prompt = {"prompt"} if family.prompts else set()
    seed = {"seed"} if family.seeds else set()
    return {*family.variables, *prompt, *seed}


def _repeated(row: Row, lines: Mapping[str, int], member: Member, family: Family) -> Iterator[Row]:
    values = {**row.cells, **member.added, **member.variables}
    cells = {name: cell for name, cell in values.items() if cell}
    files: Mapping[str, str] = {}
    if member.prompt_line is not None and family.prompts is not None:
        lines = {**lines, "prompt": member.prompt_line}
        files = {"prompt": family.prompts.file}
    own = cells.get(ID)
    for number, seed in enumerate(family.seeds or (None,) * family.repeats, 1):
        more: dict[str, Cell] = {}
        if isinstance(own, str):
            repetition = number if seed is None else 1
            more[ID] = derived_id(own.strip(), member.variables, repetition=repetition, seed=seed)
        if seed is not None:
            more["seed"] = seed
        yield Row(row.line, {**cells, **more}, lines, row.refused | family.refused, files, True, row.warnings)
