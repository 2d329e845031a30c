"""Tables: a header, and the records under it, wherever they come from."""

from collections.abc import Callable

from jobs.problems import Problem
from jobs.sheets.opened import TableSheet
from jobs.sheets.readers.table import ALL_READABLE, Record, Records, UnreadableCell, open_table
from jobs.sheets.row import Row

BROKEN = Problem("a", 9, None, None, "It breaks off here.")


def records(*found: Record | Problem) -> Callable[[], Records]:
    """A reader that finds these."""

    def read() -> Records:
        yield from found

    return read


def opened(*found: Record | Problem) -> TableSheet:
    return open_table("a", records(*found), "quote it")


def test_cells_are_known_by_the_names_above_them() -> None:
    """Blank ones are left out, and so are those that no column has a name for and nothing in it."""
    sheet = opened((2, ["id", " prompt ", ""], ALL_READABLE, ()), (5, ["a", " ", " "], ALL_READABLE, ()))
    assert (sheet.header_line, sheet.columns) == (2, ("id", "prompt"))
    assert list(sheet.rows()) == [Row(5, {"id": "a"})]


def test_a_cell_that_cannot_be_read_is_told_and_not_missed() -> None:
    """In its column; one beyond the header has none."""
    unread = {1: UnreadableCell("#N/A", "It shows an error.", "Mend it."), 3: UnreadableCell(None, "x")}
    first, second, row = opened(
        (1, ["id", "prompt"], ALL_READABLE, ()), (2, ["a", "", "", ""], unread, ())
    ).rows()
    assert first == Problem("a", 2, "prompt", "#N/A", "It shows an error.", "Mend it.")
    assert second == Problem("a", 2, None, None, "x")
    assert row == Row(2, {"id": "a"}, refused={"prompt"})


def test_a_record_that_is_too_wide_is_told_with_what_would_do() -> None:
    """The reader knows that; the table does not."""
    (problem,) = opened((1, ["prompt"], ALL_READABLE, ()), (2, ["a", "b"], ALL_READABLE, ())).rows()
    assert isinstance(problem, Problem)
    assert (problem.value, problem.hint) == ("b", "quote it")


def test_without_a_header_there_is_no_row() -> None:
    """Nothing, something else, or a problem in its place."""
    for found, message in (
        ((), "The sheet is empty."),
        (((1, ["lighthouse"], ALL_READABLE, ()),), "No column of the header is known."),
        ((BROKEN,), BROKEN.message),
    ):
        sheet = opened(*found)
        assert [problem.message for problem in sheet.problems] == [message]
        assert list(sheet.rows()) == []


def test_a_file_that_was_taken_away_is_told_when_it_is_read_again() -> None:
    """The header was there before."""
    readings = iter([records((1, ["prompt"], ALL_READABLE, ())), records(BROKEN)])

    def read() -> Records:
        yield from next(readings)()

    assert list(open_table("a", read, "").rows()) == [BROKEN]
