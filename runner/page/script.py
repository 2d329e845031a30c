"""The modules of the page as one script, without comments: one answer, not twenty that wait for one another.

There is no build step: it is made of the files when the page starts. It knows how these modules are written,
and no more of the language: an import names a module beside it, in a line; an export stands before what it
names; a comment has a line of its own, ends one, or is a type's; no text goes over a line's end.
"""

import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{ (.+) \} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|class|(?:async )?function) (\w+))", re.MULTILINE)
_COMMENT = re.compile(
    r"^[ \t]*//.*\n|^[ \t]*/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*\n|/\*\*(?:(?!\*/).)*\*/ ?|(?<=[;{]) // .*$",
    re.MULTILINE,
)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_STYLE_COMMENT = re.compile(r"[ \t]*/\*(?:(?!\*/)[\s\S])*\*/")
_STYLE_ROOM = re.compile(r"\s*([{};])\s*")


def one_script(modules: Mapping[str, str], first: str) -> str:
    """`first` and all that it imports, each in a scope of its own and run once, before who needs it.

    Raises:
        ValueError: one is not there, does not export what another imports, or two import each other.
    """
    done, begun = dict[str, str](), set[str]()
    exports = {name: _EXPORT.findall(text) for name, text in modules.items()}

    def add(name: str) -> None:
        if name in done:
            return
        if name in begun or name not in modules:
            raise ValueError(f"The module {name} imports itself, or is not there.")
        begun.add(name)
        for names, other in _IMPORT.findall(modules[name]):
            add(other)
            if lacking := {one.partition(" as ")[0] for one in names.split(", ")} - {*exports[other]}:
                raise ValueError(f"{name} imports {min(lacking)} from {other}, which does not export it.")
        done[name] = _scope(name, modules[name], exports[name])

    add(first)
    return "".join(done.values())


def without_comments(style: str) -> str:
    """A style without its comments, and without the room around its rules. No text in it has a brace."""
    return _STYLE_ROOM.sub(r"\1", _STYLE_COMMENT.sub("", style))


def _scope(name: str, text: str, exports: list[str]) -> str:
    body = _INDENT.sub("", _COMMENT.sub("", text))
    body = _IMPORT.sub(lambda found: f"const {{ {found[1].replace(' as ', ': ')} }} = ${found[2]};\n", body)
    body = _EXPORT.sub("", body)
    return f"const ${name} = (() => {{\n{body}return {{ {', '.join(exports)} }};\n}})();\n"
