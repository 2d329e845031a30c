"""New rows by COPY: what a server takes thousands of at once, where an INSERT goes row by row."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table


def copy_in(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> None:
    """Put rows into a table, in the transaction under way; each has a value for all of these columns.

    They are sent as they come, and none is kept here. In JSON nothing is a value, too.
    """
    dialect = connection.dialect
    columns = [table.c[name] for name in names]
    fit = [
        (column.type.dialect_impl(dialect).bind_processor(dialect), column.type.should_evaluate_none)
        for column in columns
    ]
    quoted = ", ".join(dialect.identifier_preparer.format_column(column) for column in columns)
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({quoted}) FROM STDIN") as copy:
        for row in rows:
            values = (row[name] for name in names)
            copy.write_row(
                [
                    value if fitted is None or (value is None and not is_a_value) else fitted(value)
                    for value, (fitted, is_a_value) in zip(values, fit, strict=True)
                ]
            )
