"""Inputs that are nearly right: sound ones, changed as accidents and enemies change them."""

import random
from collections.abc import Callable, Sequence

LONGEST = 1 << 20
_OFTEN_AT_MOST = 1 << 14

_ODD_NUMBERS = (b"0", b"-1", b"1e999", b"NaN", b"9" * 400, b"0x10", b"012", b"1_000", b"2147483648")
_ODD_CHARACTERS = (
    *("\0", "\ufeff", "\u2028", "\x85", "\x1b[31m", "\r", "\r\n", "\udcff", "\U0010ffff"),
    *("\u202e", "e\u0301", "\uff1d", "\u00e4", "\u2029", "\ud7ff"),
)


def mutated(dice: random.Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of the seeds, changed some times. Long inputs are rare, and none is longer than `LONGEST`."""
    data = dice.choice(seeds)
    for _ in range(1 << dice.randrange(5)):
        data = dice.choice(_CHANGES)(dice, data, seeds, words)
        if len(data) > _OFTEN_AT_MOST and dice.random() < 0.98:
            data = data[:_OFTEN_AT_MOST]
    return data[:LONGEST]


def _somewhere(dice: random.Random, data: bytes) -> int:
    return dice.randrange(len(data) + 1)


def _span(dice: random.Random, data: bytes) -> tuple[int, int]:
    first = _somewhere(dice, data)
    return first, min(len(data), first + 1 + int(dice.expovariate(1 / 12)))


def _flip(dice: random.Random, data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    if not data:
        return bytes([dice.randrange(256)])
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]


def _drop(dice: random.Random, data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    first, last = _span(dice, data)
    return data[:first] + data[last:]


def _cut(dice: random.Random, data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    return data[: _somewhere(dice, data)]


def _insert(dice: random.Random, data: bytes, _seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    kinds: tuple[Callable[[], bytes], ...] = (
        lambda: dice.choice(words),
        lambda: dice.choice(words),
        lambda: dice.choice(_ODD_NUMBERS),
        lambda: dice.choice(_ODD_CHARACTERS).encode("utf-8", "surrogatepass"),
        lambda: dice.randbytes(1 + dice.randrange(4)),
    )
    at = _somewhere(dice, data)
    return data[:at] + dice.choice(kinds)() + data[at:]


def _repeat(dice: random.Random, data: bytes, _seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    first, last = _span(dice, data)
    piece = data[first:last] if dice.random() < 0.5 else dice.choice(words)
    times = 1 << dice.randrange(dice.choice((4, 8, 17)))
    return data[:first] + (piece * times)[:LONGEST] + data[last:]


def _splice(dice: random.Random, data: bytes, seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    other = dice.choice(seeds)
    return data[: _somewhere(dice, data)] + other[_somewhere(dice, other) :]


def _swap(dice: random.Random, data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    first, last = _span(dice, data)
    at = _somewhere(dice, data)
    return data[:at] + data[first:last] + data[at:]


def _recode(dice: random.Random, data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(dice.choice(("utf-16", "utf-8-sig", "utf-32", "utf-16-le", "latin-1")), "replace")


_CHANGES = (_flip, _flip, _drop, _cut, _insert, _insert, _insert, _repeat, _splice, _swap, _recode)
