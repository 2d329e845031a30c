"""Tables on narrow terminals: shorter cells, then fewer columns, and no cell in pieces."""

from runner.cli.console.table_layout import fitted

COLUMNS = ("key", "row", "model", "reason")
ROWS = [["lighthouse", "2", "house/model-one", "it was refused because it was too large"]]


def test_what_fits_is_left_as_it_is() -> None:
    """Up to the last cell."""
    columns, rows, needed = fitted(COLUMNS, ROWS, 10 + 3 + 15 + 39 + 6)
    assert (columns, rows, needed) == (list(COLUMNS), ROWS, 73)


def test_a_flowing_column_gives_way_first() -> None:
    """It may be broken over lines."""
    columns, rows, needed = fitted(COLUMNS, ROWS, 60, flowing=("reason",), spare=("row",))
    assert (columns, rows, needed) == (list(COLUMNS), ROWS, 10 + 3 + 15 + 16 + 6)


def test_then_cells_become_shorter() -> None:
    """As the column knows how."""
    _columns, rows, needed = fitted(
        COLUMNS, ROWS, 49, flowing=("reason",), spare=("row",), brief={"model": lambda name: name[6:]}
    )
    assert (rows[0][2], needed) == ("model-one", 44)


def test_then_spare_columns_go_in_their_order() -> None:
    """One that is small may come back where a large one has made room."""
    columns, rows, _needed = fitted(COLUMNS, ROWS, 36, flowing=("reason",), spare=("row", "model"))
    assert columns == ["key", "row", "reason"]
    assert rows == [["lighthouse", "2", ROWS[0][3]]]
    columns, _rows, _needed = fitted(COLUMNS, ROWS, 30, flowing=("reason",), spare=("row", "model"))
    assert columns == ["key", "reason"]


def test_a_key_is_whole_however_narrow() -> None:
    """It says how much room that takes."""
    columns, rows, needed = fitted(("key",), [["k" * 90]], 60)
    assert (columns, rows, needed) == (["key"], [["k" * 90]], 90)


def test_wide_letters_count_twice() -> None:
    """As terminals show them."""
    assert fitted(("k",), [["中文"]], 60)[2] == 4


def test_no_rows() -> None:
    """The heading alone."""
    assert fitted(("key", "row"), [], 60) == (["key", "row"], [], 8)
