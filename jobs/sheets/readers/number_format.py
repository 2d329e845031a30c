"""A spreadsheet's value as a person sees it there: 3 and not 3.0, 007 where the column is formatted so.

Formatting that depends on the locale is left out: thousands separators, currency signs, the order of day and
month. A date is written as 2026-03-04, which every spreadsheet understands.
"""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

_IGNORED = re.compile(r'\[[^\]]*\]|"[^"]*"|\\.|_.|\*.|[$€£¥ ]')
_DIGITS = re.compile(r"([#?0,]*[#?0])(?:\.([#?0]+))?(%?)")
_LARGEST = 10**15
"""Beyond it a spreadsheet has no exact whole numbers."""


def format_value(value: object, number_format: str) -> str:
    """A value of a worksheet as text; empty for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("_x000D_", "\r")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, number_format)
    return _moment(value, number_format)


def plain_number(value: float) -> str:
    """A number with the digits it needs, and no more than a spreadsheet keeps."""
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if abs(value) < _LARGEST and value == int(value) else f"{value:.15g}"


@lru_cache(maxsize=256)
def _digits(number_format: str) -> tuple[int, int, int, bool] | None:
    """The least number of digits before the point, the least and the most after it, and percent."""
    shape = _DIGITS.fullmatch(_IGNORED.sub("", number_format.split(";")[0]))
    if shape is None:
        return None  # General, text, fractions, scientific
    before, behind, percent = shape.group(1), shape.group(2) or "", bool(shape.group(3))
    return before.count("0"), behind.count("0"), len(behind), percent


def _number(value: float, number_format: str) -> str:
    digits = _digits(number_format)
    if digits is None or not abs(value) < _LARGEST:
        return plain_number(value)
    before, least, most, percent = digits
    # By its shortest digits, so that 2.675 is rounded as it is read and not as it is stored.
    exact = Decimal(str(value)) * (100 if percent else 1)
    rounded = exact.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
    whole, _, behind = f"{abs(rounded):f}".partition(".")
    behind = behind[:least] + behind[least:].rstrip("0")
    text = whole.lstrip("0").zfill(max(before, 1)) + (f".{behind}" if behind else "")
    return ("-" if rounded < 0 else "") + text + ("%" if percent else "")


def _moment(value: object, number_format: str) -> str:
    if isinstance(value, datetime):
        has_time = value.time() != time() or "h" in number_format.lower()
        return (
            f"{value.date().isoformat()} {_clock(value.time(), number_format)}"
            if has_time
            else (value.date().isoformat())
        )
    if isinstance(value, time):
        return _clock(value, number_format)
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _clock(value: time, number_format: str) -> str:
    with_seconds = value.second or "s" in number_format.lower()
    return f"{value:%H:%M:%S}" if with_seconds else f"{value:%H:%M}"
