"""The journal's format: what is written is read again, and whatever else is in the file is not believed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.submit_record import Answered, SubmitEnd, SubmitRecord
from runner.recovery.journal_format import (
    END_BYTES,
    HEADER_BYTES,
    Header,
    JournalReader,
    NewerJournal,
    NoJournal,
    end_line,
    end_room,
    header_line,
    read_header,
    record_line,
)

AT = datetime(2026, 11, 20, 22, 0, 1, 5, tzinfo=UTC)
HEADER = Header("d" * 32, "/work/night.db", "here", "https://model-api.runcomfy.net", AT)
RECORD = SubmitRecord("a" * 32, "f" * 64, "night", "row-1", "5" * 64, AT, 7, Decimal("0.04"))

texts = st.text(max_size=200)
ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=128)
records = st.builds(
    SubmitRecord,
    uid=st.text("0123456789abcdef", min_size=32, max_size=32),
    fingerprint=st.text("0123456789abcdef", min_size=64, max_size=64),
    batch=texts,
    key=texts,
    payload_sha256=st.just("5" * 64),
    at=st.datetimes(timezones=st.just(UTC)),
    seed=st.none() | st.integers(0, 2**53),
    estimate_usd=st.none() | st.decimals(0, 1000, places=6),
)
ends = st.builds(
    SubmitEnd,
    answered=st.sampled_from(Answered),
    at=st.datetimes(timezones=st.just(UTC)),
    request_id=st.none() | ids,
)


@dataclass(frozen=True)
class Contents:
    """All that a reader finds."""

    header: Header
    records: list[SubmitRecord]
    damaged: int


def read(data: bytes) -> Contents:
    reader = JournalReader(BytesIO(data))
    records = list(reader)
    return Contents(reader.header, records, reader.damaged)


def file_of(*lines: bytes) -> bytes:
    return header_line(HEADER) + b"".join(lines) + b"\0" * 300


def ended(record: SubmitRecord, end: SubmitEnd) -> bytes:
    """A submit's line, and its end wherever that has room."""
    line, room = record_line(record), end_room(end)
    if room is None:
        return line + end_line(record.uid, end)
    assert len(room) == END_BYTES
    return line[: -END_BYTES - 1] + room + b"\n"


@given(st.lists(st.tuples(records, st.none() | ends), max_size=4, unique_by=lambda one: one[0].uid))
def test_what_is_written_is_read_again(told: list[tuple[SubmitRecord, SubmitEnd | None]]) -> None:
    """Whatever the sheet's keys and the API's ids hold."""
    lines = [record_line(record) if end is None else ended(record, end) for record, end in told]
    contents = read(file_of(*lines))
    assert contents.records == [replace(record, end=end) for record, end in told]
    assert (contents.header, contents.damaged) == (HEADER, 0)


@given(records, ends, st.data())
def test_a_damaged_byte_is_noticed(record: SubmitRecord, end: SubmitEnd, data: st.DataObject) -> None:
    """The submit beside it is read all the same."""
    line = ended(record, end)
    place = data.draw(st.integers(0, len(line) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[place]))
    torn = line[:place] + bytes([byte]) + line[place + 1 :]
    contents = read(file_of(torn, record_line(RECORD)))
    assert contents.records[-1] == RECORD
    for read_again in contents.records[:-1]:
        assert replace(read_again, end=None) == record
        assert read_again.end in (None, end)


def test_the_end_may_come_twice() -> None:
    """The answer named an id; later the API knew it."""
    named = SubmitEnd(Answered.NAMED, AT, "x" * 128)
    accepted = SubmitEnd(Answered.ACCEPTED, AT, "\N{GRINNING FACE}" * 128)
    assert end_room(accepted) is None
    contents = read(file_of(ended(RECORD, named), end_line(RECORD.uid, accepted)))
    (record,) = contents.records
    assert (record.receipt, record.named_id) == (accepted.request_id, None)


def test_a_key_that_looks_like_an_end() -> None:
    """Sheets may say anything."""
    odd = replace(RECORD, key=f"a {'-' * 64} b", batch=f"{'-' * 64} ")
    assert read(file_of(record_line(odd), record_line(RECORD))).records == [odd, RECORD]


def test_an_end_of_no_submit_and_a_torn_one() -> None:
    """The line of its submit is the damage; a torn end is damage by itself."""
    end = end_line("b" * 32, SubmitEnd(Answered.ACCEPTED, AT, "req"))
    assert read(file_of(end, record_line(RECORD))) == Contents(HEADER, [RECORD], 0)
    torn = end.replace(b"req", b"xyz")
    assert read(file_of(record_line(RECORD), torn)) == Contents(HEADER, [RECORD], 1)


@pytest.mark.parametrize("length", [0, 5, HEADER_BYTES - 1])
def test_a_file_that_was_never_begun(length: int) -> None:
    """The machine died with its first bytes."""
    with pytest.raises(NoJournal):
        read(header_line(HEADER)[:length])


@pytest.mark.parametrize("told", [b"{}", b"[]", b"{", b'{"database": 1}', b"\xff"])
def test_a_header_that_says_nothing(told: bytes) -> None:
    """It is no journal of ours."""
    assert read_header(b"nightsheet-journal 1 " + told + b"\n") is None
    assert read_header(b"something else " + told + b"\n") is None


def test_a_later_version_is_told() -> None:
    """What it holds, this one cannot know."""
    with pytest.raises(NewerJournal, match="12"):
        read(b"nightsheet-journal 12 {}\n")


def test_a_path_too_long_is_cut() -> None:
    """It is only told to people."""
    for path in ("/x" * 3000, "/ü" * 3000, "/\N{GRINNING FACE}" * 900):
        line = header_line(replace(HEADER, path=path))
        header = read_header(line)
        assert header is not None
        assert (len(line), path.startswith(header.path), len(header.path) > 40) == (HEADER_BYTES, True, True)
