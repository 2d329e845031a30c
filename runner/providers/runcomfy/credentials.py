"""The API token: where it is read from, and how it stays out of everything that is printed.

The names of the variables and of the file are those of the official clients: their pages, `runcomfy-cli` and
the ComfyUI nodes. A token is checked when it is loaded, because HTTP libraries put a header that they refuse
into the text of their error.
"""

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from jobs.errors import TokenProblem
from runner.providers.runcomfy.texts import RUNCOMFY, TOKEN_VARIABLES

_ALLOWED = re.compile(r"[!#-&(-~]+")
_LARGEST_FILE = 64 * 1024
_ASK_FOR_ONE = f"Make a token at {RUNCOMFY.token_page} and put it into {RUNCOMFY.token_variable}."


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is valid in a header: printable ASCII without spaces or quotes."""

    secret: SecretStr
    source: str
    """The variable or the file that it came from."""
    warning: str | None = None
    """A sentence for the user, if others on this machine can read the file."""


def load_token(env: Mapping[str, str], home: Path) -> Token | None:
    """The token from the environment, else from the official CLI's file; None if there is neither.

    Raises TokenProblem, which never shows the token, for one that is damaged and for a file that cannot be
    read: the next source could be another account than the user means.
    """
    for name in TOKEN_VARIABLES:
        if text := env.get(name, "").strip():
            return Token(_checked(text, name), name)
    for path in _token_files(env, home):
        if token := _from_file(path):
            return token
    return None


def _token_files(env: Mapping[str, str], home: Path) -> list[Path]:
    """The paths where the official CLI looks, in its order."""
    places = []
    if folder := env.get("RUNCOMFY_CONFIG_DIR", "").strip():
        places.append(Path(folder))
    if folder := env.get("XDG_CONFIG_HOME", "").strip():
        places.append(Path(folder) / "runcomfy")
    places.append(home / ".config" / "runcomfy")
    return [place / "token.json" for place in places]


def _from_file(path: Path) -> Token | None:
    """The token in the file; None if there is no such file."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            held = file.read(_LARGEST_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise TokenProblem(
            f"The token file {path} cannot be read: {error.strerror}.", hint=_ASK_FOR_ONE
        ) from error
    token = _access_token(held)
    if token is None:
        raise TokenProblem(f"The token file {path} holds no access_token.", hint=_ASK_FOR_ONE)
    return Token(_checked(token, str(path)), str(path), _warning(path, mode))


def _access_token(held: bytes) -> str | None:
    """The token in the file's JSON. A parser's error quotes its input, so none is raised."""
    try:
        told = json.loads(held.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    token = told.get("access_token") if isinstance(told, dict) else None
    return (token.strip() or None) if isinstance(token, str) else None


def _checked(text: str, source: str) -> SecretStr:
    if not _ALLOWED.fullmatch(text):
        raise TokenProblem(
            f"The token in {source} holds a character that no token has: a line break, a space or a quote.",
            hint="Copy it again, without quotes and without the word Bearer.",
        )
    return SecretStr(text)


def _warning(path: Path, mode: int) -> str | None:
    if os.name == "nt" or not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return None
    return f"Others on this machine can read the token file {path}; close it with: chmod 600 {path}"
