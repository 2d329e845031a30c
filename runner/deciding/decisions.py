"""What a person says about images, from JSON or from a file: the page and the command line read it alike."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import UsageProblem
from jobs.manifests.csv import without_escape
from jobs.review.decisions import MOST_NOTE, MOST_STARS, DecisionWish, Said, Verdict
from jobs.review.search import UNDECIDED

FIELDS = ("key", "number", "sha256", "verdict", "stars", "note")
"""Of a decision, in JSON and in a file."""
_MOST_NUMBER = 1 << 31
_LINE_END = re.compile("\r\n?")
_MOST_TOLD = 5
"""How many lines of a file are named one by one."""


@dataclass(frozen=True, slots=True)
class NoDecision:
    """Why what was told is no decision, for a person."""

    why: str


def wish_of(told: Any) -> DecisionWish | NoDecision:
    """A decision as JSON has it; what is not said stays as it was, and null takes a verdict away."""
    if not isinstance(told, dict) or not isinstance(told.get("key"), str) or not told["key"]:
        return NoDecision("A decision has a key.")
    if others := told.keys() - set(FIELDS):
        return NoDecision(f"A decision has no {min(others)!r}.")
    number, sha256 = told.get("number"), told.get("sha256")
    if not (number is None or _is_number(number, _MOST_NUMBER)) or not isinstance(sha256, str | None):
        return NoDecision("A number is that of a picture, and sha256 its hash.")
    said = Said()
    if "verdict" in told:
        verdict = told["verdict"]
        if verdict is not None and verdict not in [*Verdict]:
            return NoDecision(f"A verdict is {', '.join(Verdict)} or null.")
        said["verdict"] = None if verdict is None else Verdict(verdict)
    if "stars" in told:
        if not _is_number(told["stars"], MOST_STARS):
            return NoDecision(f"Stars are a number from 0 to {MOST_STARS}.")
        said["stars"] = told["stars"]
    if "note" in told:
        if not isinstance(told["note"], str) or len(told["note"]) > MOST_NOTE:
            return NoDecision(f"A note is a text of at most {MOST_NOTE:,} characters.")
        said["note"] = told["note"]
    return DecisionWish(told["key"], said, number, sha256 and sha256.lower())


def wishes_in(path: Path, read: Callable[[Path], bytes] = Path.read_bytes) -> list[DecisionWish]:
    """The decisions in a file: a CSV with a column `key`, or JSON Lines, a manifest among them.

    Columns that are no field of a decision are left aside, and so are rows that say nothing.

    Raises:
        UsageProblem: it cannot be read, or a line of it is no decision.
    """
    try:
        text = _LINE_END.sub("\n", read(path).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageProblem(f"{path} cannot be read: {why}. Nothing was decided.") from error
    is_lines = path.suffix.lower() in (".jsonl", ".ndjson") or text.lstrip().startswith("{")
    wishes, wrong = list[DecisionWish](), list[str]()
    for line, told in _json_lines(text) if is_lines else _table(text):
        wish = told if isinstance(told, NoDecision) else wish_of(told)
        if isinstance(wish, NoDecision):
            wrong.append(f"Line {line}: {wish.why}")
        elif wish.said:
            wishes.append(wish)
    if wrong:
        more = [f"{len(wrong) - _MOST_TOLD} more."] if len(wrong) > _MOST_TOLD else []
        told_all = " ".join([*wrong[:_MOST_TOLD], *more])
        raise UsageProblem(f"{path} has lines that are no decisions; nothing was decided. {told_all}")
    return wishes


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any] | NoDecision]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            yield number, NoDecision("It is no JSON object.")
        elif isinstance(told.get("images"), list):  # a manifest's record
            yield from ((number, one) for one in _reviews(told))
        else:
            yield number, _fields_of(told)


def _reviews(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a manifest has of decisions: each about the image of that hash, whatever its number."""
    for image in record["images"]:
        if isinstance(image, dict) and isinstance(image.get("review"), dict):
            yield {"key": record.get("key"), "sha256": image.get("sha256")} | _fields_of(image["review"])


def _fields_of(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in FIELDS if name in told}


def _table(text: str) -> Iterator[tuple[int, dict[str, Any] | NoDecision]]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if "key" not in names:
            yield 1, NoDecision(f"The header has no column `key`. A decision has {', '.join(FIELDS)}.")
            return
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, _of_row(names, cells)
    except csv.Error as error:
        yield reader.line_num, NoDecision(f"It is no CSV: {error}.")


def _of_row(names: Sequence[str], cells: Sequence[str]) -> dict[str, Any] | NoDecision:
    """A row's decision. An empty cell says nothing; the verdict `none` takes one away."""
    row = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name in FIELDS}
    told: dict[str, Any] = {name: cell for name, cell in row.items() if cell}
    for name in ("number", "stars"):
        if name in told:
            if not (told[name].isascii() and told[name].isdigit() and len(told[name]) < 10):
                return NoDecision(f"{told[name]!r} is no number ({name}).")
            told[name] = int(told[name])
    if "verdict" in told:
        verdict = told["verdict"].lower()
        told["verdict"] = None if verdict == UNDECIDED else verdict
    if "key" in told:  # as an exported CSV has one that looks like a formula
        told["key"] = without_escape(told["key"])
    return told


def _is_number(told: Any, most: int) -> bool:
    return isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= most
