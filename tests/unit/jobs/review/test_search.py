"""A search as it is typed: terms, or a sentence that says what is wrong with it."""

import pytest

from jobs.review.search import SearchField, SearchProblem, SearchTerm, parse_search, rows_of, stars_of

F = SearchField
COLUMNS = ("product", "my note", "state")


def word(value: str, *, wanted: bool = True) -> SearchTerm:
    return SearchTerm(F.WORD, value, wanted=wanted)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("   ", ()),
        ("fox", (word("fox"),)),
        ("red fox", (word("red"), word("fox"))),
        ('"red fox"', (word("red fox"),)),
        ("-tram", (word("tram", wanted=False),)),
        ('-"red tram"', (word("red tram", wanted=False),)),
        ('"never closed', (word("never closed"),)),
        ('""', ()),
        ("-", (word("-"),)),
        ("state:failed", (SearchTerm(F.STATE, "failed"),)),
        ("State:FAILED", (SearchTerm(F.STATE, "failed"),)),
        ("-state:failed", (SearchTerm(F.STATE, "failed", wanted=False),)),
        ("kind:moderated", (SearchTerm(F.KIND, "moderated"),)),
        ("model:4-5", (SearchTerm(F.MODEL, "4-5"),)),
        ("size:2048\u00d71024", (SearchTerm(F.SIZE, "2048x1024"),)),
        ("warned:yes", (SearchTerm(F.WARNED, "yes"),)),
        ("row:100-", (SearchTerm(F.ROW, "100-"),)),
        ("verdict:Accepted", (SearchTerm(F.VERDICT, "accepted"),)),
        ("-verdict:none", (SearchTerm(F.VERDICT, "none", wanted=False),)),
        ("stars:>3", (SearchTerm(F.STARS, ">3"),)),
        ("product:fox", (SearchTerm(F.COLUMN, "fox", "product"),)),
        ('PRODUCT:"red fox"', (SearchTerm(F.COLUMN, "red fox", "product"),)),
        ('"my note":x', (SearchTerm(F.COLUMN, "x", "my note"),)),
        ("col.state:open", (SearchTerm(F.COLUMN, "open", "state"),)),
        ("https://a.example/b", (word("https://a.example/b"),)),
        ("state:", (word("state:"),)),
        ("12:30", (word("12:30"),)),
    ],
)
def test_a_text_is_taken_apart(text: str, terms: tuple[SearchTerm, ...]) -> None:
    """Words, fields, columns, and what only looks like a field."""
    assert parse_search(text, COLUMNS) == terms


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("stat:failed", "There is no field 'stat'.", "Did you mean state?"),
        ("produkt:fox", "There is no field 'produkt'.", "Did you mean product?"),
        ("col.nothing:x", "There is no field 'col.nothing'.", "It is no column of this batch."),
        ("state:faild", "There is no state 'faild'.", "Did you mean failed?"),
        ("warned:perhaps", "There is no warned 'perhaps'.", "It is one of yes, no."),
        ("size:large", "'large' is no size.", "Write it as size:2048x2048."),
        ("row:x", "'x' is no row.", "Write row:7, row:100-200 or row:100-."),
        ("verdict:acepted", "There is no verdict 'acepted'.", "Did you mean accepted?"),
        ("stars:6", "'6' is no number of stars.", "Write it as stars:4 or stars:>3."),
        ("stars:many", "'many' is no number of stars.", "Write it as stars:4 or stars:>3."),
        ("row:-", "'-' is no row.", "Write row:7, row:100-200 or row:100-."),
    ],
)
def test_what_is_no_search_is_said(text: str, message: str, hint: str) -> None:
    """With what was probably meant."""
    assert parse_search(text, COLUMNS) == SearchProblem(message, hint)


def test_a_long_word_before_a_colon_is_not_compared() -> None:
    """Nobody mistypes a field as that, and comparing takes its length squared."""
    assert parse_search("s" * 41 + ":x", ()) == (word("s" * 41 + ":x"),)


@pytest.mark.parametrize(
    ("value", "rows"), [("7", (7, 7)), ("100-200", (100, 200)), ("100-", (100, None)), ("-9", (0, 9))]
)
def test_rows_have_ends(value: str, rows: tuple[int, int | None]) -> None:
    """One row, from one to another, and open at either end."""
    assert rows_of(value) == rows


@pytest.mark.parametrize(
    ("value", "stars"), [("3", (3, 3)), (">3", (4, 5)), (">=3", (3, 5)), ("<3", (0, 2)), ("<=3", (0, 3))]
)
def test_stars_have_ends(value: str, stars: tuple[int, int]) -> None:
    """So many, more or fewer."""
    assert stars_of(value) == stars
