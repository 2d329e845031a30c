"""The encodings that a sheet can be declared to be in. None is ever guessed."""

import codecs
from collections.abc import Mapping

from jobs.suggestions import closest, did_you_mean

# By the name that Python gives it. Only encodings whose every text can be written as UTF-8.
_ENCODINGS: Mapping[str, str] = {
    codecs.lookup(name).name: name
    for name in (
        *("utf-8", "utf-16-le", "utf-16-be", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257"),
        *("latin-1", "iso8859-2", "iso8859-15", "cp437", "cp850", "mac-roman", "koi8-r"),
        *("shift_jis", "cp932", "euc-jp", "gb18030", "big5", "euc-kr"),
    )
}


def canonical(name: str) -> str | None:
    """The encoding of this name or alias; None where it is not supported."""
    try:
        return _ENCODINGS.get(codecs.lookup(name.strip()).name)
    except (LookupError, ValueError):
        return None


def alternatives(name: str) -> str:
    """The hint at what to write instead of an unknown name."""
    meant = closest(name, _ENCODINGS.values())
    known = f"One of: {', '.join(_ENCODINGS.values())}."
    return f"{did_you_mean(meant)} {known}".lstrip()
