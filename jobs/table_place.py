"""Where a job table is: a file of this machine, or a database on a server. The one owner of that question."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote

from jobs.errors import UsageProblem

_SCHEMES = ("postgresql:", "postgres:")
_WHOLE = re.compile(
    r"postgres(?:ql)?://(?:(?P<user>[^@/?#]*)@)?(?P<host>[^@/?#]*?)(?::(?P<port>\d+))?"
    r"(?:/(?P<name>[^/?#]*))?(?:\?(?P<query>[^#]*))?"
)
_SECRET = frozenset({"password", "sslpassword"})
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_FOUND_IN = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER"}
"""Where libpq looks for what a URL leaves out."""
_EXAMPLE = "postgresql://studio@db.example/nightsheet"
_REFUSED = (
    "a password in an address is seen by everybody on the machine: put it into ~/.pgpass, the file that "
    "PGPASSFILE names, a service of pg_service.conf, or PGPASSWORD"
)


@dataclass(frozen=True, slots=True)
class TablePlace:
    """The place of a job table."""

    path: Path
    """The file; of a server, what this machine keeps for it lies beside this path, where no file is."""
    url: str | None = None
    """Of a server. It has no password."""

    @property
    def is_server(self) -> bool:
        """Whether it is on a server."""
        return self.url is not None

    def may_exist(self) -> bool:
        """Whether it is worth opening: a server says only then what it has."""
        return self.is_server or self.path.exists()

    def __str__(self) -> str:
        return self.url or str(self.path)


def is_url(place: object) -> bool:
    """Whether a place is meant as the address of a server, and not as a file."""
    return str(place).lower().startswith(_SCHEMES)


def checked(place: object) -> object:
    """The path of a file, or the URL of a server, which a path would mangle.

    No message repeats it: it may have a password.

    Raises:
        ValueError: it is an address that cannot be used.
    """
    if not is_url(place):
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(place)):
            raise ValueError(f"a file is needed, or an address of a server: {_EXAMPLE}")
        return Path(place) if isinstance(place, str) else place
    found = _WHOLE.fullmatch(str(place))
    if found is None:
        raise ValueError(f"an address of a server looks like this: {_EXAMPLE}")
    asked = parse_qs(found["query"] or "", keep_blank_values=True)
    if ":" in (found["user"] or "") or _SECRET & asked.keys():
        raise ValueError(_REFUSED)
    return str(place)


def place_of(place: Path | str, env: Mapping[str, str], home: Path) -> TablePlace:
    """The place of a file, or of a checked URL: that has a folder in the user's state folder."""
    if not is_url(place):
        return TablePlace(Path(place).resolve())  # there must be one lock and one journal beside a file
    url = str(place)
    return TablePlace(state_folder(env, home) / "servers" / _name(url, env) / "table", url)


def check_rehearsed(place: Path | str | None, usual: str, *, is_one: bool) -> None:
    """Check that a rehearsal, if this is one, has a job table of its own; `usual` is the name of one.

    Raises:
        UsageProblem: it would write into a studio's.
    """
    if is_one and is_url(place):
        raise UsageProblem(
            f"A rehearsal keeps its jobs in a file, not in {place}: they are at an API inside this process, "
            "which nobody else can ask about them.",
            hint=f"Add --db {usual}.",
        )


def _name(url: str, env: Mapping[str, str]) -> str:
    """A folder's name for host, port, database and user, which each of several servers has to itself."""
    found = _WHOLE.fullmatch(url)
    assert found is not None
    variables = _FOUND_IN | {"service": "PGSERVICE"}
    parts = {part: env[variable] for part, variable in variables.items() if env.get(variable)}
    told = {"host": found["host"], "port": found["port"], "dbname": found["name"], "user": found["user"]}
    parts |= {part: unquote(value) for part, value in told.items() if value}
    parts |= {part: said[-1] for part, said in parse_qs(found["query"] or "").items() if part in variables}
    if "service" not in parts:
        parts.setdefault("port", "5432")
    whole = "\n".join(f"{part}={parts[part]}" for part in sorted(parts))
    shown = "-".join(parts[part] for part in ("service", *_FOUND_IN) if part in parts)
    return f"{_UNSAFE.sub('_', shown)[:80]}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def state_folder(env: Mapping[str, str], home: Path) -> Path:
    """The user's state folder for Nightsheet, by the XDG Base Directory Specification."""
    given = Path(env.get("XDG_STATE_HOME", ""))
    root = given if given.is_absolute() else home / ".local" / "state"
    return root / "nightsheet"
