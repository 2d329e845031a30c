"""The columns of one sheet."""

from jobs.sheets.opened import TableSheet
from jobs.sheets.row import Row
from jobs.sheets.rows.column_names import ID
from jobs.sheets.rows.columns import sort_columns


def opened(*columns: str) -> TableSheet:
    """A sheet that has nothing but these columns."""
    return TableSheet("a.csv", rows=lambda: iter(()), columns=columns)


def test_columns_are_known_misspelt_or_own() -> None:
    """Each is one of the three; what is misspelt is read as what was meant."""
    columns = sort_columns(opened("id", "promt", "text", "note", "Size"))
    assert columns.known == {"id": "id", "promt": "prompt", "text": "text", "Size": "size"}
    assert columns.misspelt == {"promt": "prompt", "Size": "size"}
    row = Row(2, {"id": "1", "promt": "a", "note": "n", "text": "b"})
    assert list(columns.read_from(row)) == [("id", "id"), ("promt", "prompt"), ("text", "text")]
    assert columns.own(row) == {"note": "n"}


def test_in_a_header_names_may_be_written_by_hand() -> None:
    """Unless another column is called so as well."""
    sheet = TableSheet(
        "a.csv", lambda: iter(()), ("ID", "Image Size", "Prompt", "PROMPT", "Note"), header_line=1
    )
    columns = sort_columns(sheet)
    assert (columns.known["ID"], columns.known["Image Size"]) == ("id", "image_size")
    assert columns.misspelt == {"Prompt": "prompt", "PROMPT": "prompt"}
    row = Row(2, {"ID": "1", "Note": "n"})
    assert columns.named(row, ID) == ("ID", "1")
    assert columns.own(row) == {"Note": "n"}


def test_a_slip_is_not_read_where_the_right_name_is_there_too() -> None:
    """It is told, and its cell is nobody's."""
    columns = sort_columns(opened("prompt", "promt"))
    row = Row(2, {"promt": "a", "prompt": "b"})
    assert list(columns.read_from(row)) == [("prompt", "prompt")]
    assert columns.own(row) == {}
    assert [slip.column for slip in columns.misspellings("a.csv", row)] == ["promt"]


def test_own_lists_are_joined() -> None:
    """A manifest has one cell for each column."""
    columns = sort_columns(opened("tags"))
    assert columns.own(Row(1, {"tags": ("a", "b")})) == {"tags": "a|b"}


def test_a_name_that_counts_is_found_under_its_slip() -> None:
    """The right name first; nothing where the row has neither."""
    columns = sort_columns(opened("id", "ID", "promt"))
    assert columns.named(Row(2, {"id": "1", "ID": "2"}), ID) == ("id", "1")
    assert columns.named(Row(2, {"ID": "2"}), ID) == ("ID", "2")
    assert columns.named(Row(2, {"promt": "a"}), ID) == ("id", None)


def test_a_slip_is_told_with_the_name_that_was_meant() -> None:
    """On the line where the column is named."""
    columns = sort_columns(opened("promt", "note"))
    (slip,) = columns.misspellings("a.csv", Row(3, {"promt": "a", "note": "b"}, {"promt": 4}))
    assert (slip.file, slip.row, slip.column, slip.message) == (
        "a.csv",
        4,
        "promt",
        "There is no such column.",
    )
    assert slip.hint.startswith("Did you mean prompt?")
    assert list(sort_columns(opened("note")).misspellings("a.csv", Row(3, {"note": "b"}))) == []
