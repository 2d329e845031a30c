"""The identity of a job: its fingerprint, and its key in its batch."""

import hashlib
import json
import json.encoder
from collections.abc import Callable, Mapping

from pydantic import JsonValue

from jobs.signed_urls import unsigned

LONGEST_ID = 200


def fingerprint(model: str, inputs: Mapping[str, JsonValue], again: str = "") -> str:
    """SHA-256 (hex) of what a row says: its model and its normalised inputs, in any order.

    Without what signs the URL of an image: the same image may be signed anew each day. `again`, where a row
    has it, makes it another row than the same one without.
    """
    return digest(beginning(model), ",".join([said(name, inputs[name]) for name in sorted(inputs)]), again)


def beginning(model: str) -> str:
    """What is hashed before the inputs."""
    return f"[{quoted(model)},"


def said(name: str, value: JsonValue) -> str:
    """What is hashed of one input."""
    return f"{quoted(name)}:{_said(value)}"


def digest(begins: str, inputs: str, again: str = "") -> str:
    """The fingerprint of a row, from what each of its inputs says, sorted by their names."""
    ending = f",{quoted(again)}" if again else ""
    return hashlib.sha256(f"{begins}{{{inputs}}}{ending}]".encode()).hexdigest()


def renewed(model: str, stored: str, inputs: str) -> str:
    """A fingerprint that an older version made of these inputs (JSON), as this one makes it.

    Which of both it was shows by trying: a seed that was drawn stands in the inputs, and is no part of it.
    """
    if "://" not in inputs:
        return stored
    sent = json.loads(inputs)
    for said in (sent, {name: value for name, value in sent.items() if name != "seed"}):
        if _hashed([model, said]) == stored:
            return fingerprint(model, said)
    return stored


def _said(value: JsonValue) -> str:
    """A value as JSON, which for most is a text or a number: each row has its fingerprint taken."""
    if type(value) is str:
        return quoted(value)
    return str(value) if type(value) is int else _AS_JSON(_unsigned(value))


quoted: Callable[[str], str] = json.encoder.encode_basestring
"""A text as JSON."""
_AS_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def _hashed(parts: list[JsonValue]) -> str:
    return hashlib.sha256(_AS_JSON(parts).encode()).hexdigest()


def _unsigned(value: JsonValue) -> JsonValue:
    """The value of an input. Lists are of images; a prompt may say `sig=` as much as it likes."""
    if not isinstance(value, list):
        return value
    return [unsigned(item) if isinstance(item, str) and _is_url(item) else item for item in value]


def _is_url(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


def why_not_an_id(text: str) -> str | None:
    """Why this cannot be a job's id, as a sentence; None where it can."""
    if len(text) > LONGEST_ID:
        return f"The id has {len(text)} characters, at most {LONGEST_ID} are allowed."
    if not text.isprintable():
        return "The id holds a line break or another character that cannot be printed."
    return None


def _kept(key: str) -> str | bytes:
    """A key in at most 16 bytes, so that a million long ids fit into memory."""
    return key if len(key) <= 16 else hashlib.blake2b(key.encode(), digest_size=16).digest()


class Keys:
    """The keys given out so far, each with its line: all that is kept of a row."""

    def __init__(self) -> None:
        self._lines: dict[str | bytes, int] = {}
        self._repeats: dict[str, int] = {}

    def take(self, key: str, line: int) -> int | None:
        """Give a key to a line. Returns the line that already has it, or None where the key was free."""
        kept = _kept(key)
        earlier = self._lines.get(kept)
        if earlier is None:
            self._lines[kept] = line
        return earlier

    def derive(self, fingerprint: str, line: int) -> str:
        """A key from a fingerprint: its first 16 digits, then `-2`, `-3` for identical rows."""
        stem = fingerprint[:16]
        key = stem
        while _kept(key) in self._lines:
            number = self._repeats.get(stem, 1) + 1
            self._repeats[stem] = number
            key = f"{stem}-{number}"
        self._lines[_kept(key)] = line
        return key
