"""Parses a document's description of a family of jobs: reports every problem, and multiplies nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from jobs.problems import Problem, at, excerpt
from jobs.sheets.families.members import MOST_JOBS, Axis, Family, Prompts, Variables
from jobs.sheets.families.prompt_files import read_prompts
from jobs.sheets.row import Cell
from jobs.sheets.rows.column_names import FAMILY_PARTS, ID
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.node_cells import InvalidNode, as_cell
from jobs.sheets.trees.tree import ABSENT, ListNode, MappingNode, Node, Scalar
from jobs.suggestions import closest, did_you_mean

MOST_REPEATS = 10_000

_VALUES = "animal: [fox, owl]"


def read_family(source: SheetSource, table: MappingNode, found: list[Problem]) -> Family | None:
    """The family that this mapping describes, None where it describes none. Adds problems to `found`."""
    if not any(name in table.nodes for name in FAMILY_PARTS):
        return None
    reader = _FamilyReader(source, found)
    family = reader.read(table)
    if family.size > MOST_JOBS:
        message = f"This comes to {family.size:,} jobs, at most {MOST_JOBS:,} are made of one."
        reader.report(table.line, message, "Look for a typo, or split the sheet.")
        return _first_of(family)
    return family


def _first_of(family: Family) -> Family:
    """The same with one member, to validate the rest of the job by."""
    axes = tuple(Axis(axis.names, axis.choices[:1]) for axis in family.axes)
    prompts = family.prompts and replace(family.prompts, size=1, lines=list(islice(family.prompts.lines, 1)))
    return replace(family, axes=axes, prompts=prompts, repeats=1, seeds=family.seeds[:1])


@dataclass(slots=True)
class _FamilyReader:
    source: SheetSource
    found: list[Problem]
    lines: dict[str, int] = field(default_factory=dict)

    def report(
        self, line: int, message: str, hint: str = "", *, column: str | None = None, value: object = None
    ) -> None:
        self.found.append(at(self.source.name, line, column=column, value=value).problem(message, hint))

    def read(self, table: MappingNode) -> Family:
        def part(name: str) -> Node:
            return table.nodes.get(name, ABSENT)

        matrix = self._lists("matrix", part("matrix"))
        axes = [Axis((name,), [(value,) for value in values]) for name, values in matrix.items()]
        zipped = self._lists("zip", part("zip"))
        for name in [name for name in zipped if name in matrix]:
            message = "This stands in the matrix and in the zip."
            self.report(self.lines[name], message, "Keep one.", column=name)
            del zipped[name]
        if zipped:
            axes.append(self._zip(zipped, part("zip").line))
        variables = {*matrix, *zipped}
        prompts = self._prompts(part("prompts"))
        if prompts is not None and "prompt" in variables:
            message = "The prompts come from a file and from a list."
            self.report(part("prompts").line, message, "Keep one of them.", column="prompts")
            prompts = None
        seeds = self._seeds(part("seeds"), {*variables})
        repeats = self._repeats(part("repeat"), seeds)
        include = self._entries("include", part("include"))
        exclude = self._entries("exclude", part("exclude"))
        known = variables | ({"prompt"} if prompts else set())
        for entry in exclude:
            self._must_be_variables(entry, known, part("exclude").line)
        given = part("prompts")
        unread = {"prompt"} if prompts is None and given != Scalar(None, given.line) else set()
        return Family(tuple(axes), prompts, include, exclude, repeats, seeds, self.lines, unread)

    def _lists(self, part: str, node: Node) -> dict[str, list[Cell]]:
        """Variables, each with its values; a single value is a list of one."""
        if not isinstance(node, MappingNode):
            if node != Scalar(None, node.line):
                message = f"The {part} is names, each with a list of values."
                self.report(node.line, message, _VALUES, column=part)
            return {}
        read: dict[str, list[Cell]] = {}
        for name, values in node.nodes.items():
            line = node.lines[name]
            nodes = values.nodes if isinstance(values, ListNode) else [values]
            cells = [cell for value in nodes if (cell := self._cell(name, value)) is not None]
            if self._is_reserved(name, line):
                continue
            if not nodes:
                self.report(line, "The list of values is empty.", _VALUES, column=name)
            elif cells:
                read[name] = cells
                self.lines[name] = line
        return read

    def _is_reserved(self, name: str, line: int) -> bool:
        """Whether a name cannot be a variable; reports it."""
        if name == ID:
            message = "An id is one job's own name: it cannot vary by itself."
            self.report(line, message, "The variables are added to the job's id.", column=name)
        elif name in FAMILY_PARTS:
            self.report(line, "This name has a meaning of its own here.", "Take another.", column=name)
        return name == ID or name in FAMILY_PARTS

    def _cell(self, name: str, node: Node) -> Cell | None:
        cell = as_cell(node)
        if isinstance(cell, InvalidNode):
            self.report(cell.line, cell.message, column=name)
            return None
        return cell

    def _zip(self, lists: Mapping[str, Sequence[Cell]], line: int) -> Axis:
        lengths = {name: len(values) for name, values in lists.items()}
        if len(set(lengths.values())) > 1:
            differing = ", ".join(f"{excerpt(name)} has {many}" for name, many in lengths.items())
            message = f"The lists differ in length: {differing}."
            self.report(line, message, "They are walked in step.", column="zip")
        return Axis(tuple(lists), list(zip(*lists.values(), strict=False)))

    def _entries(self, part: str, node: Node) -> tuple[Variables, ...]:
        """A list of mappings, each from a name to one value."""
        if not isinstance(node, ListNode):
            if node != Scalar(None, node.line):
                self.report(node.line, f"{part} is a list.", "Begin each entry with a hyphen.", column=part)
            return ()
        entries: list[Variables] = []
        for item in node.nodes:
            if not isinstance(item, MappingNode) or not item.nodes:
                message = "An entry is names, each with a value."
                self.report(item.line, message, "- animal: fox", column=part)
                continue
            cells = {
                name: self._cell(name, value)
                for name, value in item.nodes.items()
                if not self._is_reserved(name, item.lines[name])
            }
            for name in cells:
                self.lines.setdefault(name, item.lines[name])
            entries.append({name: cell for name, cell in cells.items() if cell is not None})
        return tuple(entries)

    def _must_be_variables(self, entry: Variables, known: set[str], line: int) -> None:
        for name in entry:
            if name not in known:
                there_are = f"There are {', '.join(sorted(known)) or 'none'}."
                hint = did_you_mean(closest(name, known), there_are)
                where = self.lines.get(name, line)
                message = "No variable has this name, so nothing is excluded."
                self.report(where, message, hint, column=name, value=entry[name])

    def _repeats(self, node: Node, seeds: tuple[str, ...]) -> int:
        text = (node.text or "").strip() if isinstance(node, Scalar) else "a list"
        if not text:
            return 1
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if not 1 <= number <= MOST_REPEATS:
            message = f"A whole number from 1 to {MOST_REPEATS:,} is needed here."
            self.report(node.line, message, "repeat: 4", column="repeat", value=text)
            return 1
        if seeds and number != len(seeds):
            message = f"There are {len(seeds)} seeds for {number} jobs."
            hint = "Leave repeat out: there is a job for each seed."
            self.report(node.line, message, hint, column="repeat", value=text)
        return number

    def _seeds(self, node: Node, variables: set[str]) -> tuple[str, ...]:
        if node == Scalar(None, node.line):
            return ()
        cell = as_cell(node)
        if isinstance(cell, InvalidNode) or not cell:
            self.report(node.line, "Seeds are a list of whole numbers.", "seeds: [7, 11]", column="seeds")
            return ()
        seeds = (cell,) if isinstance(cell, str) else cell
        if "seed" in variables:
            message = "The seeds are given here and as a variable."
            self.report(node.line, message, "Keep one of them.", column="seeds")
        if len(set(seeds)) < len(seeds):
            message = "A seed appears twice here: the same job would be paid twice."
            hint = "Leave it out, or use repeat, which draws them."
            self.report(node.line, message, hint, column="seeds", value=seeds)
        self.lines["seed"] = node.line
        return seeds

    def _prompts(self, node: Node) -> Prompts | None:
        if node == Scalar(None, node.line):
            return None
        if isinstance(node, ListNode) and node.nodes:
            return self._listed(node)
        if not isinstance(node, Scalar) or not (node.text or "").strip():
            message = "Prompts are a list of texts, or the name of a text file."
            self.report(
                node.line, message, "prompts: [A fox, An owl], or prompts: ideas.txt", column="prompts"
            )
            return None
        read = read_prompts(self.source, str(node.text).strip(), node.line)
        if isinstance(read, Problem):
            self.found.append(read)
            return None
        self.lines["prompt"] = node.line
        return read

    def _listed(self, node: ListNode) -> Prompts | None:
        """The prompts that stand in the sheet itself."""
        lines: list[tuple[int, str]] = []
        for item in node.nodes:
            cell = self._cell("prompts", item)
            if isinstance(cell, str) and cell:
                lines.append((item.line, cell))
            elif cell is not None:
                self.report(item.line, "A prompt is one text.", "- A fox in snow", column="prompts")
        self.lines["prompt"] = node.line
        return Prompts(self.source.name, len(lines), lines) if lines else None
