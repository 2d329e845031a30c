"""What a prompt has in it that another program would have read, or filled in, before it drew anything.

Such programs have templates, lists, weights and whole files of settings. Here each of it is words of the
prompt, and is paid for as such.
"""

import re
from collections.abc import Iterator

_MARKS = re.compile(r"[&{<\[#$%:]|--|\"\"|__")
"""What every pattern below has one of, but those of `_BEGINNINGS` and `_GAPS`."""
_WORDS = ("nan", "NaN", "None", "null", "undefined")

_ANYWHERE = (
    (re.compile(r"</?(?:b|i|u|em|strong|p|br|div|span|a|li|ul|h[1-6])(?:\s[^<>]*)?/?>", re.I), "HTML"),
    (
        re.compile(
            r"\{\{[^{}]+\}\}|\$\{[^{}]+\}|\$[A-Z_]{3,}\b|(?<![\w%])%[sd]\b"
            r"|\[[A-Z][A-Z _-]{2,}\]|<(?!(?:strong|div|span)>)[a-z_][\w -]{2,30}>"
        ),
        "another program's placeholder, where a column is named as in {name}",
    ),
    (re.compile(r"\{[^{}|]*\|[^{}]*\}|(?<!\w)__[\w/-]+__(?!\w)"), "another program's choice of words"),
    (
        re.compile(
            r"<(?:lora|lyco|hypernet|embedding):[^<>]+>|\([^()]+:[0-9]*\.?[0-9]+\)|(?<=\w)::-?[0-9.]+"
        ),
        "another program's weight or add-on",
    ),
    (re.compile(r"(?:^|\s)(--[A-Za-z][\w-]*)"), "another program's option"),
)
_NOT_FILLED = re.compile(
    r"#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)|\[object Object\]|<NA>|\b(?:nan|NaN)\b(?! bread)"
    r"|(?:\b(?:an?|the|of|in|on|by|with|and|at|from)\s|,\s?)(?:None|null|undefined)(?=\s*(?:[,.;]|$))"
)
"""What a formula or a program put in where it had no value."""
_ITEM = re.compile(r"(?:[-*\u2022\u2013]|\(?[0-9]{1,4}[.)])\s+\S")
_COMMAND = re.compile(r"/(?:imagine|draw|img|generate)\b")
_LABEL = re.compile(
    r"((?:negative prompt|positive prompt|prompt|negative|positive|caption|input|output|user|assistant)\s*:)",
    re.IGNORECASE,
)
_SETTINGS = re.compile(r"negative(?: prompt)?\s*:|(?:steps|sampler|cfg scale)\s*:\s*[\w.+ ]+,", re.IGNORECASE)


def is_plain(text: str) -> bool:
    """Whether none of it can be in a text; quick, and sometimes wrong about one that has none."""
    return _MARKS.search(text) is None and not any(word in text for word in _WORDS)


def is_settings(text: str) -> bool:
    """Whether a prompt is another program's negative prompt, or its settings: nobody means it as a prompt."""
    return _SETTINGS.match(text) is not None


def foreign_in(text: str) -> Iterator[str]:
    """What a warning says of each kind of it in a prompt."""
    if _ITEM.match(text):
        yield "The prompt begins like an item of a list, with a number or a dash, which is sent with it."
    elif command := _COMMAND.match(text):
        yield f"The prompt begins with another program's command ({command.group()}), which is sent with it."
    elif label := _LABEL.match(text):
        yield f"The prompt begins with a label ({label.group(1)}), which is sent with it."
    if is_plain(text):
        return
    for pattern, kind in _ANYWHERE:
        if found := pattern.search(text):
            part = found.group(found.lastindex or 0).strip()
            end = ", and is sent as it stands." if "," not in kind else "; it is sent as it stands."
            hint = " Columns such as size and seed say such things here." if part.startswith("--") else ""
            yield f"{part} is {kind}{end}{hint}"
    if gap := _NOT_FILLED.search(text):
        said = gap.group().strip(" ,")
        yield f"{said} looks like a gap that a program did not fill, and is sent as it stands."
