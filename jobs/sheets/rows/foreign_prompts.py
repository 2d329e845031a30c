"""What a prompt has in it that another program would have read, or filled in, before it drew anything.

Such programs have templates, lists, weights and whole files of settings. Here each of it is words of the
prompt, and is paid for as such.
"""

import re
from collections.abc import Iterator

_MARKS = (
    *("<", "{", "[", "$", "%", "::", "(", "|", "\t", "#", "--", "__"),
    *("nan", "NaN", "None", "null", "undefined"),
)
"""What the patterns below have one of: most prompts have none, and need no search."""
_GAPS = frozenset(("#", "[", "<", "nan", "NaN", "None", "null", "undefined"))

_ANYWHERE = (
    (
        frozenset("<"),
        re.compile(r"</?(?:b|i|u|em|strong|p|br|div|span|a|li|ul|h[1-6])(?:\s[^<>]*)?/?>", re.IGNORECASE),
        "HTML",
    ),
    (
        frozenset("{$%[<"),
        re.compile(
            r"\{\{[^{}]+\}\}|\$\{[^{}]+\}|\$[A-Z_]{3,}\b|(?<![\w%])%[sd]\b"
            r"|\[[A-Z][A-Z _-]{2,}\]|<(?!(?:strong|div|span)>)[a-z_][\w -]{2,30}>"
        ),
        "another program's placeholder, where a column is named as in {name}",
    ),
    (
        frozenset(("{", "__")),
        re.compile(r"\{[^{}|]*\|[^{}]*\}|(?<!\w)__[\w/-]+__(?!\w)"),
        "another program's choice of words",
    ),
    (
        frozenset(("<", "(", "::")),
        re.compile(
            r"<(?:lora|lyco|hypernet|embedding):[^<>]+>|\([^()]+:[0-9]*\.?[0-9]+\)|(?<=\w)::-?[0-9.]+"
        ),
        "another program's weight or add-on",
    ),
    (frozenset(("--",)), re.compile(r"(?:^|\s)(--[A-Za-z][\w-]*)"), "another program's option"),
)
"""Marks, one of which is in it; how it looks; and what it is."""
_NOT_FILLED = re.compile(
    r"#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)|\[object Object\]|<NA>|\b(?:nan|NaN)\b(?! bread)"
    r"|(?:\b(?:an?|the|of|in|on|by|with|and|at|from)\s|,\s?)(?:None|null|undefined)(?=\s*(?:[,.;]|$))"
)
"""What a formula or a program put in where it had no value."""
_BETWEEN_CELLS = re.compile(
    r"\t|\s\|\s(?:[0-9]+(?:\s?[x:*\u00d7]\s?[0-9]+)?|[1248]k)(?=\s\||\s*$)", re.IGNORECASE
)
_ITEM = re.compile(r"(?:[-*\u2022\u2013]|\(?[0-9]{1,4}[.)])\s+\S")
_COMMAND = re.compile(r"/(?:imagine|draw|img|generate)\b")
_LABEL = re.compile(
    r"((?:negative prompt|positive prompt|prompt|negative|positive|caption|input|output|user|assistant)\s*:)",
    re.IGNORECASE,
)
_LONGEST_LABEL = 20
_SETTINGS = re.compile(r"negative(?: prompt)?\s*:|(?:steps|sampler|cfg scale)\s*:\s*[\w.+ ]+,", re.IGNORECASE)


def is_settings(text: str) -> bool:
    """Whether a prompt is another program's negative prompt, or its settings: nobody means it as a prompt."""
    return ":" in text[:_LONGEST_LABEL] and _SETTINGS.match(text) is not None


def foreign_in(text: str) -> Iterator[str]:
    """What a warning says of each kind of it in a prompt."""
    if not text[0].isalpha() and _ITEM.match(text):
        yield "The prompt begins like an item of a list, with a number or a dash, which is sent with it."
    elif text[0] == "/" and (command := _COMMAND.match(text)):
        yield f"The prompt begins with another program's command ({command.group()}), which is sent with it."
    elif ":" in text[:_LONGEST_LABEL] and (label := _LABEL.match(text)):
        yield f"The prompt begins with a label ({label.group(1)}), which is sent with it."
    marks = {mark for mark in _MARKS if mark in text}
    if not marks:
        return
    if marks & {"|", "\t"} and (between := _BETWEEN_CELLS.search(text)):
        mark = "a tab" if between.group() == "\t" else "a bar with a size or a number behind it"
        yield f"The prompt has {mark}, as between the cells of a table: all of it is sent."
    for begins, pattern, kind in _ANYWHERE:
        if marks & begins and (found := pattern.search(text)):
            part = found.group(found.lastindex or 0).strip()
            end = ", and is sent as it stands." if "," not in kind else "; it is sent as it stands."
            hint = " Columns such as size and seed say such things here." if part.startswith("--") else ""
            yield f"{part} is {kind}{end}{hint}"
    if marks & _GAPS and (gap := _NOT_FILLED.search(text)):
        said = gap.group().strip(" ,")
        yield f"{said} looks like a gap that a program did not fill, and is sent as it stands."
