"""A PostgreSQL of a session's own: a cluster in a temporary folder, on loopback, that ends with it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.support.warm import fast_folder

if TYPE_CHECKING:
    from jobs.store.postgres.database import Sleep
    from jobs.store.sql.transactions import Database

WHERE = (pytest.param("file", id=pytest.HIDDEN_PARAM), "postgresql")
ON_BOTH = pytest.mark.parametrize("kept_on", WHERE, indirect=True)
"""A test that holds for tables in a file and on a server."""

USER = "studio"
PASSWORD = "not a secret"
_TEMPLATE = "prepared"
_BINARIES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
_OPTIONS = (
    *("-c", "listen_addresses=127.0.0.1"),
    *("-c", "max_connections=50"),
    *("-c", "shared_buffers=32MB"),
    *("-c", "autovacuum=off"),
)


@cache
def _binary(name: str) -> str | None:
    """A program of PostgreSQL's, from PATH or the folders that distributions put it in."""
    folders = [str(folder) for place in _BINARIES for folder in Path("/").glob(place[1:])]
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *folders]))


def why_there_is_none() -> str | None:
    """Why no cluster can be had here; None if one can."""
    missing = [name for name in ("initdb", "pg_ctl") if _binary(name) is None]
    if missing:
        return f"there is no PostgreSQL: {' and '.join(missing)} are not found"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "there is no psycopg: install nightsheet[postgres]"
    if os.getuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return None


def _other_user() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None


@dataclass
class Cluster:
    """A running cluster."""

    folder: Path
    port: int
    made: int = 0
    urls: dict[Path, str] = field(default_factory=dict)
    """The database that stands for each path."""

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def control(self, *arguments: str) -> None:
        """Have the cluster started, stopped or restarted."""
        program = _binary("pg_ctl")
        assert program is not None
        options = f"-p {self.port} {' '.join(_OPTIONS)} -c unix_socket_directories={self.folder}"
        _run(program, "-D", str(self.folder / "data"), "-w", "-o", options, *arguments)

    def place(self, path: Path) -> str:
        """The URL of the database that stands for a path: made from the template where it is new."""
        if path not in self.urls:
            self.made += 1
            self.urls[path] = self.new_database(f"night_{self.made}", _TEMPLATE)
        return self.urls[path]

    def new_database(self, name: str, template: str = "template1") -> str:
        """The URL of a new database."""
        if template == _TEMPLATE and not self.has_template():
            from jobs.store.postgres import migrate
            from jobs.store.postgres.address import address_of

            migrate.prepare(address_of(self.new_database(_TEMPLATE)))
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def forget(self) -> None:
        """Drop the databases that stand for paths."""
        for url in self.urls.values():
            if (other := _others.pop(url, None)) is not None:
                other.close()
            self.administer(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")
        self.urls.clear()

    def has_template(self) -> bool:
        return bool(self.administer(f"SELECT 1 FROM pg_database WHERE datname = '{_TEMPLATE}'"))

    def administer(self, statement: str) -> list[Any]:
        """Run a statement as the one who owns the cluster."""
        return run(self.url("postgres"), statement)


_in_use: list[Cluster] = []


@contextmanager
def on_server(cluster: Cluster) -> Iterator[None]:
    """Within, a database of the cluster stands for each path of a file."""
    _in_use.append(cluster)
    try:
        yield
    finally:
        _in_use.remove(cluster)
        cluster.forget()


def stand_in(path: Path, *, make: bool = False) -> str | None:
    """The URL of the database that stands for a path; None where the file is meant."""
    if not _in_use:
        return None
    return _in_use[-1].place(path) if make else _in_use[-1].urls.get(path)


@asynccontextmanager
async def open_on_server(url: str, home: Path, sleep: "Sleep" = anyio.sleep) -> "AsyncIterator[Database]":
    """The database at a URL, opened as the product does."""
    from jobs.store.postgres.address import address_of
    from jobs.store.postgres.database import open_postgres

    async with open_postgres(address_of(url), home, sleep) as database:
        yield database


_others: dict[str, Any] = {}
"""Connections that are none of ours, by their URL: a search asks ten thousand times."""


def run(url: str, statement: str, *values: Any) -> list[Any]:
    """Run a statement on a connection that is none of ours; its rows as dictionaries, if it has any."""
    import psycopg

    asked = statement.replace("?", "%s").encode()
    try:
        cursor = _other(url).execute(asked, values or None)
    except psycopg.OperationalError:
        if not _others.pop(url).closed:
            raise
        cursor = _other(url).execute(asked, values or None)
    return cursor.fetchall() if cursor.description is not None else []


def _other(url: str) -> Any:
    import psycopg
    from psycopg.rows import dict_row
    from psycopg.types.string import TextLoader

    if url not in _others:
        connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)
        connection.execute("SET search_path = nightsheet, public")
        connection.adapters.register_loader("json", TextLoader)  # as SQLite's driver gives it
        _others[url] = connection
    return _others[url]


def _run(*command: str) -> None:
    user = _other_user() if os.getuid() == 0 else None
    done = subprocess.run(
        command,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        timeout=60,
    )
    assert done.returncode == 0, done.stdout.decode()


def _ended_with_us(folder: Path) -> "subprocess.Popen[bytes]":
    """Have the cluster ended and its files removed by a process that sees this one end, however it does."""
    program = _binary("pg_ctl")
    assert program is not None
    user = _other_user() if os.getuid() == 0 else None
    return subprocess.Popen(
        ["/bin/sh", "-c", 'cat; "$0" -D "$1/data" -m immediate stop; rm -rf "$1"/*', program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd="/",
        start_new_session=True,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A cluster that is there within. The password is where libpq looks for it."""
    with (
        tempfile.TemporaryDirectory(prefix="postgres-", dir=fast_folder()) as name,
        pytest.MonkeyPatch.context() as patch,
    ):
        folder = Path(name)
        cluster = Cluster(folder, _free_port())
        secret, known = folder / "password", folder / "pgpass"
        secret.write_text(PASSWORD, encoding="ascii")
        known.write_text(f"*:*:*:*:{PASSWORD}\n", encoding="ascii")
        known.chmod(0o600)
        patch.setenv("PGPASSFILE", str(known))
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            for path in (folder, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        program = _binary("initdb")
        assert program is not None
        # An order of text that is not that of its bytes: what the store sorts must not depend on it.
        made = ("--auth=password", f"--pwfile={secret}", "--encoding=UTF8", "--no-sync")
        _run(program, "-D", str(folder / "data"), "-U", USER, *made, *_locale(program))
        cluster.control("-l", str(folder / "log"), "start")
        watch = _ended_with_us(folder)
        try:
            yield cluster
        finally:
            for other in _others.values():
                other.close()
            _others.clear()
            cluster.control("-m", "immediate", "stop")
            watch.communicate()


def _locale(program: str) -> tuple[str, ...]:
    told = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
    return ("--locale-provider=icu", "--icu-locale=en-US") if "--icu-locale" in told else ()
