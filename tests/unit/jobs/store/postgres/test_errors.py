"""What is the matter when PostgreSQL refuses: known by its code, whatever the language of the sentence."""

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from jobs.errors import CannotWrite
from jobs.store.postgres.address import address_of
from jobs.store.postgres.errors import ConnectionLost, ServerRefusal, refusal_of, told

ADDRESS = address_of("postgresql://studio@db/nightsheet")


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("40P01", ServerRefusal.AGAIN),
        ("40001", ServerRefusal.AGAIN),
        ("57P01", ServerRefusal.LOST),
        ("57P02", ServerRefusal.LOST),
        ("57P03", ServerRefusal.LOST),
        ("08006", ServerRefusal.LOST),
        ("25P03", ServerRefusal.LOST),
        ("55P03", ServerRefusal.BUSY),
        ("53100", ServerRefusal.FULL),
        ("58030", ServerRefusal.FULL),
        ("25006", ServerRefusal.READ_ONLY),
        ("XX001", ServerRefusal.DAMAGED),
        ("23505", ServerRefusal.DEFECT),
        ("22P02", ServerRefusal.DEFECT),
        ("42501", ServerRefusal.DEFECT),
        ("0A000", ServerRefusal.OTHER),
    ],
)
def test_trouble_is_told_apart_by_its_code(state: str, refusal: ServerRefusal) -> None:
    """As the driver raises it, and in SQLAlchemy's wrapping."""
    raw = psycopg.errors.lookup(state)("irgendwas")
    assert refusal_of(raw) is refusal
    wrapped = DBAPIError.instance("SELECT 1", {}, raw, psycopg.Error, hide_parameters=True)
    assert isinstance(wrapped, Exception)
    assert refusal_of(wrapped) is refusal


def test_what_has_no_code_is_a_connection() -> None:
    """libpq's own words: refused, cut off, no such host."""
    assert (
        refusal_of(psycopg.OperationalError("server closed the connection unexpectedly"))
        is ServerRefusal.LOST
    )


def test_a_person_is_told_what_to_do_and_no_row() -> None:
    """The first sentence alone; a defect stays what it is, and fails its row alone."""
    lost = told(ADDRESS, psycopg.OperationalError("connection refused\n\tIs the server running?"))
    assert isinstance(lost, ConnectionLost)
    assert lost.message == f"The database {ADDRESS} cannot be reached: connection refused."
    full = told(ADDRESS, psycopg.errors.lookup("53100")("no room\nDETAIL: (a secret prompt)"))
    assert isinstance(full, CannotWrite)
    assert "secret" not in full.message
    assert "Free some space" in full.hint
    defect = psycopg.errors.lookup("23505")("twice")
    assert told(ADDRESS, defect) is defect
    other = ValueError("of the operation's own")
    assert told(ADDRESS, other) is other
