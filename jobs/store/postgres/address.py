"""Where a database on a server is: a URL without a password. That is found elsewhere, and shown nowhere."""

from dataclasses import dataclass

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from jobs.errors import UsageProblem

SCHEMA = "nightsheet"
"""The schema that has our tables."""
_SCHEMES = ("postgresql://", "postgres://")
_WAYS = (
    "Put it into ~/.pgpass, the file that PGPASSFILE names, a service of pg_service.conf, or PGPASSWORD: "
    "a command line is seen by everybody on the machine."
)


def is_url(place: str) -> bool:
    """Whether a place is meant as a URL, and not as a file."""
    return place.startswith(_SCHEMES)


@dataclass(frozen=True, slots=True)
class Address:
    """A database on a server."""

    conninfo: str
    """What libpq takes. It has no password: libpq finds that by itself."""
    shown: str
    """The URL for people."""

    def __str__(self) -> str:
        return self.shown


def address_of(url: str) -> Address:
    """The address that a URL means.

    Raises:
        UsageProblem: it is none, or has a password in it.
    """
    try:
        told = conninfo_to_dict(url)
    except ProgrammingError:
        raise UsageProblem(
            "This is no address of a PostgreSQL database.",
            hint="It looks like this: postgresql://studio@db.example/nightsheet",
        ) from None
    if told.get("password") is not None:
        raise UsageProblem(
            "The address of the database has a password in it, which is not taken.", hint=_WAYS
        )
    if told.get("sslpassword") is not None:
        raise UsageProblem("The address of the database has the password of a key in it.", hint=_WAYS)
    return Address(make_conninfo("", **told), url)
