"""Paths on disk: one folder a job, one file an image, safe on every system.

Keys come from a sheet and are untrusted. A name made here is plain ASCII, is no device name of Windows, and
is unambiguous on a file system that ignores case. Nothing here accesses a disk.
"""

import hashlib
import os
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath, PurePosixPath
from string import Formatter

from jobs.errors import UsageProblem

DEFAULT_TEMPLATE = "{batch}/{key}/{index:02d}"
"""An image's path below the output folder; the image's format adds the suffix."""

LONGEST_NAME = 80
"""The most characters of a folder's name, without a suffix: two levels fit the 260 of an old Windows path."""

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
_BESIDE = ("manifest.", "summary.")
"""The names of manifests and summaries, reserved: they lie beside the jobs' folders."""
_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH = 60
_HASH_LENGTH = 8

_WORDS = frozenset({"batch", "key", "model"})
_NUMBERS = frozenset({"index", "total"})
_NUMBER_SPEC = re.compile(r"(0[1-9])?d?")
_LITERAL = re.compile(r"[A-Za-z0-9._/ +=@()-]*")
_LONGEST_COMPONENT = 200
"""As a URL begins, and no path: the drive of a Windows path is one letter. A path has lost a slash."""


def folder_name(key: str, revision: int = 1) -> str:
    """The folder for the job `key`: the key itself if it is safe, else a readable slug and a hash of it.

    From `revision` 2 (a changed row under the same key) the name ends in `-2`, `-3`, ... Two names may differ
    in case only: the caller resolves that with `suffixed`.
    """
    name = key if _is_safe(key) else f"{_slug(key) or 'job'}-{_short_hash(key)}"
    return name if revision == 1 else f"{name}-{revision}"


def suffixed(folder: str, key: str) -> str:
    """Another name for `folder`, which is taken. Applied repeatedly, it never returns a name twice."""
    return f"{folder[:LONGEST_NAME]}-{_short_hash(folder + '/' + key)}"


def image_path(
    template: str, *, batch: str, folder: str, index: int, total: int, model: str
) -> PurePosixPath:
    """The path of one image, relative to the output folder and without its suffix.

    `folder` is the job's folder from `folder_name` or `suffixed`; `index` counts from 1.

    Raises:
        UsageProblem: the template is invalid, see `check_template`.
    """
    words = {"batch": folder_name(batch), "key": _one_folder(folder), "model": _slug(model) or "model"}
    numbers = {"index": index, "total": total}
    filled = "".join(_fill(part, words, numbers) for part in _parsed(template))
    return PurePosixPath(*(_component(name) for name in filled.split("/")))


def check_template(template: str) -> None:
    """Check that a template gives every image a path of its own inside the output folder.

    Raises:
        UsageProblem: the template is invalid.
    """
    _parsed(template)


@dataclass(frozen=True, slots=True)
class _Field:
    """A piece of a template: literal text, then a field with its format; the last piece may have no field."""

    literal: str
    field: str | None
    spec: str


@lru_cache(maxsize=64)
def _parsed(template: str) -> tuple[_Field, ...]:
    try:
        parts = tuple(
            _checked_part(template, literal, field, spec, conversion)
            for literal, field, spec, conversion in Formatter().parse(template)
        )
    except ValueError as error:
        raise _refused(template, f"it cannot be read: {error}") from error
    fields = {part.field for part in parts}
    for needed in ("key", "index"):
        if needed not in fields:
            raise _refused(template, f"without {{{needed}}} pictures would share a name")
    sketch = "".join(part.literal + ("x" if part.field else "") for part in parts)
    for name in sketch.split("/"):
        if not name.strip(" ."):
            raise _refused(template, "it must be relative, and each folder in it needs a name")
    return parts


def _checked_part(
    template: str, literal: str, field: str | None, spec: str | None, conversion: str | None
) -> _Field:
    if not _LITERAL.fullmatch(literal):
        raise _refused(template, f"{literal!r} is not allowed in file names on every system")
    if field is None:
        return _Field(literal, None, "")
    spec = spec or ""
    if field not in _WORDS | _NUMBERS:
        known = ", ".join(f"{{{name}}}" for name in sorted(_WORDS | _NUMBERS))
        raise _refused(template, f"{{{field}}} is unknown; there are {known}")
    if conversion or (spec and field in _WORDS) or not _NUMBER_SPEC.fullmatch(spec):
        raise _refused(template, f"{{{field}}} cannot be written that way; a number may be as {{index:03d}}")
    return _Field(literal, field, spec)


def _fill(part: _Field, words: dict[str, str], numbers: dict[str, int]) -> str:
    if part.field is None:
        return part.literal
    if part.field in words:
        return part.literal + words[part.field]
    return part.literal + format(numbers[part.field], part.spec)


def _one_folder(folder: str) -> str:
    return folder if _FOLDER.fullmatch(folder) else folder_name(folder)


def _component(name: str) -> str:
    """Make one component of a filled template safe: joined pieces may be too long, or a device's name."""
    if len(name) > _LONGEST_COMPONENT:
        name = f"{name[: _LONGEST_COMPONENT - _HASH_LENGTH - 1]}-{_short_hash(name)}"
    if name.startswith((".", " ")) or _DEVICE.fullmatch(name):
        name = f"_{name}"
    return f"{name}_" if name.endswith((".", " ")) else name


def _is_safe(name: str) -> bool:
    if name.endswith(".") or _DEVICE.fullmatch(name) or name.lower().startswith(_BESIDE):
        return False
    return bool(_SAFE.fullmatch(name))


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode("ascii")
    return _NOT_IN_A_SLUG.sub("-", plain)[:_SLUG_LENGTH].strip("-")


def _short_hash(text: str) -> str:
    # A sheet may hold half a surrogate pair, which has no encoding in UTF-8.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]


def not_utf8(path: PurePath) -> str | None:
    """A printable form of a path that is not UTF-8, which no database or report can hold; None for others."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path).decode(errors="backslashreplace")
    return None


def _refused(template: str, why: str) -> UsageProblem:
    return UsageProblem(
        f"Invalid name template {template!r}: {why}.",
        hint=f"The default is {DEFAULT_TEMPLATE!r}.",
    )
