"""The modules of the page as one script, without comments: one answer, not twenty that wait for one another.

There is no build step: it is made of the files when the page starts. It knows how these modules are written,
and no more of the language: an import names a module beside it, in a line; an export stands before what it
names; what a module declares begins a line; a comment has a line of its own, ends one, or is a type's; no
text goes over a line's end. The script has one scope, so no two modules declare the same name.
"""

import re
from collections.abc import Iterator, Mapping

_IMPORT = re.compile(r'^import \{ (.+) \} from "\./(\w+)\.js";\n', re.MULTILINE)
_DECLARED = re.compile(
    r"^(?:export )?(?:const|let|class|(?:async )?function) (?:\[([^]]+)\]|(\w+))", re.MULTILINE
)
_EXPORT = re.compile(r"^export (?=(?:const|class|(?:async )?function) (\w+))", re.MULTILINE)
_COMMENT = re.compile(
    r"^[ \t]*//.*\n|^[ \t]*/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*\n|/\*\*(?:(?!\*/).)*\*/ ?|(?<=[;{]) // .*$",
    re.MULTILINE,
)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_TEXT = re.compile(r"""("(?:[^"\\]|\\.)*"|`(?:[^`$\\]|\$(?!\{)|\$\{[^`{}"']*\})*`)""")
_ROOM = re.compile(r" ?([{}()\[\],;:?=<>&|*!]+) ?")
_BREAK = re.compile(r"(?<=[{,(\[;])\n|\n(?=[}\])?:.&|])")
_BLANK = re.compile(r"\n{2,}")
_STYLE_COMMENT = re.compile(r"[ \t]*/\*(?:(?!\*/)[\s\S])*\*/")
_STYLE_ROOM = re.compile(r"\s*([{};])\s*|([:,]) ")


def one_script(modules: Mapping[str, str], first: str) -> str:
    """`first` and all that it imports, each once, before who needs it.

    Raises:
        ValueError: one is not there, does not export what another imports, or declares what another does; or
            two import each other.
    """
    done, begun, whose = dict[str, str](), set[str](), dict[str, str]()
    exports = {name: _EXPORT.findall(text) for name, text in modules.items()}

    def add(name: str) -> None:
        if name in done:
            return
        if name in begun or name not in modules:
            raise ValueError(f"The module {name} imports itself, or is not there.")
        begun.add(name)
        for names, other in _IMPORT.findall(modules[name]):
            add(other)
            if lacking := {*names.split(", ")} - {*exports[other]}:
                raise ValueError(f"{name} imports {min(lacking)} from {other}, which does not export it.")
        for several, one in _DECLARED.findall(modules[name]):
            for declared in several.split(", ") if several else [one]:
                if whose.setdefault(declared, name) != name:
                    raise ValueError(f"{name} and {whose[declared]} both declare {declared}.")
        done[name] = _EXPORT.sub("", _IMPORT.sub("", _INDENT.sub("", _COMMENT.sub("", modules[name]))))

    add(first)
    return _without_room("".join(done.values()))


def without_comments(style: str) -> str:
    """A style without its comments, and without the room in and around its rules. No text in it has any."""
    return _STYLE_ROOM.sub(r"\1\2", _STYLE_COMMENT.sub("", style)).strip()


def _without_room(script: str) -> str:
    """The same script in fewer and shorter lines."""
    return _BLANK.sub("\n", _BREAK.sub("", "\n".join(map(_close, script.splitlines())))).strip() + "\n"


def _close(line: str) -> str:
    """A line without the room around its signs; one that may have an expression in a text, or a regular one,
    is left as it is."""
    return line if re.search(r"[/'`]", _TEXT.sub("", line)) else "".join(_pieces(line))


def _pieces(line: str) -> Iterator[str]:
    for place, piece in enumerate(_TEXT.split(line)):
        yield piece if place % 2 else _ROOM.sub(r"\1", piece)
