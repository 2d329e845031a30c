"""The base of the tables' classes."""

from pydantic import ConfigDict
from sqlmodel import SQLModel


class Stored(SQLModel):
    """A row of a table. pydantic makes no validator of it before somebody asks for one.

    Nobody does: rows are built of values that are validated already, and each start of a command waited for
    seventeen validators.
    """

    model_config = ConfigDict(defer_build=True)  # type: ignore[assignment]
