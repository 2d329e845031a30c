"""The address of a database on a server: taken without a password, told without one."""

import pytest

from jobs.errors import UsageProblem
from jobs.store.postgres.address import address_of, is_url


def test_a_url_is_told_from_a_file() -> None:
    """By its scheme alone."""
    assert is_url("postgresql://studio@db/nightsheet")
    assert is_url("postgres://db")
    assert not is_url("nightsheet.db")
    assert not is_url("./postgresql/night.db")


def test_what_libpq_knows_is_taken() -> None:
    """A service, a folder with a socket, a way of TLS."""
    url = "postgresql://studio@db.example:5433/nightsheet?sslmode=verify-full"
    address = address_of(url)
    assert str(address) == url
    told = dict(part.split("=") for part in address.conninfo.split())
    assert told == {
        "user": "studio",
        "host": "db.example",
        "port": "5433",
        "dbname": "nightsheet",
        "sslmode": "verify-full",
    }
    assert address_of("postgresql://?service=studio").conninfo == "service=studio"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://studio:hunter2@db/nightsheet",
        "postgresql://studio@db/nightsheet?password=hunter2",
        "postgresql://studio@db/nightsheet?sslpassword=hunter2",
        "postgresql://studio@db:port/night?hunter2",
    ],
)
def test_a_password_is_neither_taken_nor_said_again(url: str) -> None:
    """Whoever lists the machine's processes would see it; and so would whoever reads a log."""
    with pytest.raises(UsageProblem) as caught:
        address_of(url)
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"
