"""Fingerprints and keys."""

import hashlib
import json

import pytest
from pydantic import JsonValue

from jobs.sheets.rows.keys import Keys, fingerprint, why_not_an_id


def test_a_fingerprint_depends_on_what_is_sent_and_not_on_its_order() -> None:
    """Model, names and values count; the order of the columns does not."""
    one = fingerprint("m", {"prompt": "x", "seed": 1})
    assert one == fingerprint("m", {"seed": 1, "prompt": "x"})
    assert (
        len(
            {
                one,
                fingerprint("n", {"prompt": "x", "seed": 1}),
                fingerprint("m", {"prompt": "x", "seed": "1"}),
            }
        )
        == 3
    )
    assert len(one) == 64


def test_a_fingerprint_stays_what_it_was() -> None:
    """Keys in users' databases are made of it: a new release must find the same."""
    assert fingerprint("m", {"prompt": "\u00fc"}) == FROZEN


FROZEN = "c9cbea393cd2ec349c2fcb2687257ff4f622687781d1d4b904072d8d914e4ccb"


@pytest.mark.parametrize("name", ["a", "page 01/b", "\u6d77", "x" * 200])
def test_what_can_be_an_id(name: str) -> None:
    """Anything printable of up to 200 characters."""
    assert why_not_an_id(name) is None


@pytest.mark.parametrize(
    ("name", "reason"), [("x" * 201, "201 characters"), ("a\nb", "line break"), ("a\x1b", "printed")]
)
def test_what_cannot_be_an_id(name: str, reason: str) -> None:
    """Too long, or not printable."""
    assert reason in (why_not_an_id(name) or "")


def test_an_id_is_taken_once() -> None:
    """The second taker is told the first one's line, even on the same line."""
    keys = Keys()
    assert keys.take("a", 2) is None
    assert keys.take("b", 2) is None
    assert keys.take("a", 2) == 2
    assert keys.take("a", 9) == 2


def test_identical_rows_get_numbered_keys() -> None:
    """Each is a job of its own."""
    keys = Keys()
    digest = "0123456789abcdef" + "f" * 48
    assert [keys.derive(digest, line) for line in (2, 3, 4)] == [
        "0123456789abcdef",
        "0123456789abcdef-2",
        "0123456789abcdef-3",
    ]


def test_a_derived_key_avoids_an_id_and_an_id_does_not_take_a_derived_key() -> None:
    """Ids copied from an export stay unique among the derived ones."""
    keys = Keys()
    digest = "0123456789abcdef" + "f" * 48
    assert keys.take("0123456789abcdef", 2) is None
    assert keys.derive(digest, 3) == "0123456789abcdef-2"
    assert keys.take("0123456789abcdef-2", 4) == 3


def test_many_identical_rows_are_numbered_in_reasonable_time() -> None:
    """The next number is remembered, not searched for."""
    keys = Keys()
    last = [keys.derive("a" * 64, line) for line in range(50_000)][-1]
    assert last == "aaaaaaaaaaaaaaaa-50000"


def test_what_signs_an_image_s_url_is_no_part_of_it() -> None:
    """It is another one each day. A prompt that says so is another prompt."""
    signed = [f"https://b.example/a.png?X-Amz-Date={day}&X-Amz-Signature={day}" for day in range(2)]
    assert len({fingerprint("m", {"images": [url]}) for url in (*signed, "https://b.example/a.png")}) == 1
    assert len({fingerprint("m", {"images": f"{url}.png"}) for url in signed}) == 2
    assert len({fingerprint("m", {"prompt": f"a?sig={n}"}) for n in range(2)}) == 2
    assert len({fingerprint("m", {"images": [f"a.png?sig={n}"]}) for n in range(2)}) == 2


def test_again_makes_another_row() -> None:
    """And without it, a fingerprint is what it was before there was such a word."""
    assert fingerprint("m", {"prompt": "\u00fc"}, "") == FROZEN
    assert len({fingerprint("m", {"prompt": "\u00fc"}, text) for text in ("", "1", "2")}) == 3


def test_the_fingerprint_is_that_of_the_json_of_all_it_says() -> None:
    """However it is put together: a version that made another one would pay for every sheet again."""
    odd = 'a "quoted" \\ line\nand \u2028, \x00\x7f\ud7ff caf\u00e9 \U0001f98a'
    inputs: dict[str, JsonValue] = {
        "prompt": odd,
        "a": -1,
        "images": ["https://a/b?c=d"],
        "b": True,
        "c": None,
    }
    for again in ("", odd):
        parts: list[JsonValue] = ["some/model", inputs, *([again] if again else [])]
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert fingerprint("some/model", inputs, again) == hashlib.sha256(text.encode()).hexdigest()
