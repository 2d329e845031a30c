"""JSON Lines: one record a line, UTF-8. Reading a line gives back the same record.

The line of a stored job is pasted together from what the table keeps as JSON already. It is, byte for byte,
what the encoder makes of its record, at a third of the cost: a large sheet's export is mostly this. What is
rare is encoded, and what a table keeps in other bytes than ours is, too.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.manifests.columns import ColumnNames
from jobs.manifests.record import images_told, stored_dollars, stored_record, texts_of

if TYPE_CHECKING:
    from jobs.review.decisions import DecisionView
    from jobs.store.bulk.records import Page, StoredJob
    from jobs.views import ArtifactView

# Many readers split lines at these too, and terminals act on some of them. They only occur inside strings.
_NOT_PLAIN = re.compile("[\x7f-\x9f\u2028\u2029]")
_AS_TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_DECODED = json.JSONDecoder().raw_decode
_UTC, _WHOLE_SECOND = "+00:00", ".000000"
_MICROSECONDS = len("2026-11-20T22:00:00.000000+00:00")
_quoted: Callable[[str], str] = encode_basestring
_quoted_once = lru_cache(maxsize=64)(_quoted)
"""Of a text that many rows have."""


class JsonLines:
    """Turns records into lines."""

    head = b""

    def __init__(self, _names: ColumnNames) -> None:
        pass

    def page(
        self,
        batch: str,
        page: "Page",
        folder: Path,
        place_of: Callable[["ArtifactView"], Path | None],
    ) -> bytes:
        """Records of jobs as the table keeps them."""
        lines = [_pasted(batch, *one, folder, place_of) for one in page]
        if not lines:
            return b""
        try:
            return _plain("\n".join(lines)).encode() + b"\n"
        except UnicodeEncodeError:
            return b"".join(map(self._encoded, lines))

    def line(self, record: Mapping[str, Any]) -> bytes:
        """One record."""
        return self._encoded(_AS_TEXT(record))

    def _encoded(self, text: str) -> bytes:
        try:
            return _plain(text).encode() + b"\n"
        except UnicodeEncodeError:  # a lone surrogate in one of the user's columns
            return json.dumps(json.loads(text), separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _plain(text: str) -> str:
    if text.isascii() and "\x7f" not in text:
        return text
    return _NOT_PLAIN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _pasted(
    batch: str,
    job: "StoredJob",
    images: Sequence["ArtifactView"],
    decisions: Sequence["DecisionView"],
    folder: Path,
    place_of: Callable[["ArtifactView"], Path | None],
) -> str:
    """The line of a job in a manifest in `folder`, without its end."""
    columns = "{}" if job.columns == "{}" else _columns(job.columns)
    times = _moment(job.created_at), _moment(job.submitted_at), _moment(job.finished_at)
    is_plain = job.error_kind is None and job.same_as is None and _is_ours(job.inputs)
    if not is_plain or columns is None or None in times:
        return _AS_TEXT(stored_record(batch, job, images, decisions, folder, place_of))
    told, warnings = "[]", "[]"
    if images or job.warnings != "[]":
        found, gone = images_told(images, decisions, folder, place_of)
        told, warnings = _AS_TEXT(found), _AS_TEXT([*texts_of(job.warnings), *gone])
    request_id = "null" if job.request_id is None else _quoted(job.request_id)
    cost = "null" if job.cost_millionths is None else repr(stored_dollars(job.cost_millionths))
    return (
        f'{{"batch":{_quoted_once(batch)},"key":{_quoted(job.key)},"row":{job.row},"model":{_quoted_once(job.model)},'
        f'"state":"{job.state}","inputs":{job.inputs},"request_id":{request_id},"attempts":{job.attempts},'
        f'"cost_usd":{cost},"images":{told},"error":null,"warnings":{warnings},"columns":{columns},'
        f'"created_at":{times[0]},"submitted_at":{times[1]},"finished_at":{times[2]}}}'
    )


def _is_ours(inputs: str) -> bool:
    """Whether inputs may be pasted as they stand: an object without an escape that the encoder writes another
    way. Blanks between its parts are not looked for: nobody but us writes a table's inputs."""
    return inputs[0] == "{" and ("\\" not in inputs or ("\\u" not in inputs and "\\/" not in inputs))


def _columns(stored: str) -> str | None:
    """The columns as the record has them; None where they are not plain texts."""
    columns: Any = _DECODED(stored)[0]
    try:
        return "{" + ",".join([f"{_quoted(name)}:{_quoted(text)}" for name, text in columns.items()]) + "}"
    except (AttributeError, TypeError):
        return None


@lru_cache(maxsize=1024)
def _moment(stored: str | None) -> str | None:
    """A time as the record has it; None where the table keeps it otherwise than we do."""
    if stored is None:
        return "null"
    if len(stored) != _MICROSECONDS or not stored.endswith(_UTC):
        return None
    seconds = stored[: -len(_UTC)]
    return f'"{seconds.removesuffix(_WHOLE_SECOND)}Z"'
