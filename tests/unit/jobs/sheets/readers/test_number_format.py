"""A spreadsheet's values as text."""

from datetime import date, datetime, time, timedelta

import pytest

from jobs.sheets.readers.number_format import format_value


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (None, "General", ""),
        ("a pier", "@", "a pier"),
        ("two_x000D_\nlines", "@", "two\r\nlines"),
        (True, "General", "TRUE"),
        (False, "General", "FALSE"),
        (3, "General", "3"),
        (3.0, "General", "3"),
        (3.5, "General", "3.5"),
        (0.1 + 0.2, "General", "0.3"),
        (-0.0, "General", "0"),
        (2147483647.0, "General", "2147483647"),
        (12345678901234567890, "0", "12345678901234567890"),
        (1e300, "0", "1e+300"),
        (float("inf"), "0", "inf"),
        (float("nan"), "0", "nan"),
    ],
)
def test_values_as_a_person_sees_them(value: object, number_format: str, text: str) -> None:
    """3 and not 3.0."""
    assert format_value(value, number_format) == text


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (7, "000", "007"),
        (-7, "000", "-007"),
        (3.0, "0.00", "3.00"),
        (3.14159, "0.00", "3.14"),
        (2.675, "0.00", "2.68"),
        (2.5, "0.##", "2.5"),
        (2, "0.##", "2"),
        (1234567, "#,##0", "1234567"),
        (0, "#", "0"),
        (0.25, "0%", "25%"),
        (0.256, "0.0%", "25.6%"),
        (-0.4, "0", "0"),
        (3.5, '"$"#,##0.00', "3.50"),
        (3.5, "[$€-407] #,##0.00;[Red]-#,##0.00", "3.50"),
        (3.5, "# ?/?", "3.5"),
        (3.5, "0.00E+00", "3.5"),
    ],
)
def test_numbers_are_formatted_as_far_as_everybody_sees_the_same(
    value: float, number_format: str, text: str
) -> None:
    """Digits and percent; no currency signs, no thousands separators, nothing that is guessed."""
    assert format_value(value, number_format) == text


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (datetime(2026, 3, 4), "dd/mm/yyyy", "2026-03-04"),
        (datetime(2026, 3, 4), "dd/mm/yyyy hh:mm", "2026-03-04 00:00"),
        (datetime(2026, 3, 4, 15, 30), "m/d/yy h:mm", "2026-03-04 15:30"),
        (datetime(2026, 3, 4, 15, 30, 5), "yyyy", "2026-03-04 15:30:05"),
        (date(2026, 3, 4), "", "2026-03-04"),
        (time(15, 30), "h:mm", "15:30"),
        (time(15, 30), "h:mm:ss", "15:30:00"),
        (timedelta(hours=26, minutes=3, seconds=4), "[h]:mm:ss", "26:03:04"),
        (timedelta(seconds=-90), "[h]:mm:ss", "-0:01:30"),
    ],
)
def test_moments_are_written_in_the_order_that_everybody_reads(
    value: object, number_format: str, text: str
) -> None:
    """03/04 is March in one country and April in the next."""
    assert format_value(value, number_format) == text
