"""Zip archives: what is not unpacked."""

import zipfile
from pathlib import Path

import pytest

from jobs.sheets.files import zip_limits
from jobs.sheets.files.zip_limits import BadArchive, check_workbook, has_formulas

SHEET = "xl/worksheets/sheet1.xml"


def packed(folder: Path, **parts: bytes) -> Path:
    """An archive of these parts; __ stands for a slash."""
    path = folder / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return path


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"not an archive"])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    """In words."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    with pytest.raises(BadArchive, match="no zip archive"):
        check_workbook(path)


def test_a_part_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of part has its own limit; the limit itself passes."""
    monkeypatch.setattr(zip_limits, "LARGEST_PART", 1_000_000)
    monkeypatch.setattr(zip_limits, "LARGEST_WORKSHEET", 3_000_000)
    check_workbook(packed(tmp_path, xl__styles=b"x" * 1_000_000, xl__worksheets__a=b"x" * 3_000_000))
    for parts in ({"xl__styles": b"x" * 1_000_001}, {"xl__worksheets__a": b"x" * 3_000_001}):
        with pytest.raises(BadArchive, match=r"unpacks to more than [13] MB"):
            check_workbook(packed(tmp_path, **parts))


def test_a_bomb_is_known_by_how_well_it_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing a person typed shrinks two hundred times; small parts may."""
    monkeypatch.setattr(zip_limits, "FREE", 1_000_000)
    check_workbook(packed(tmp_path, xl__worksheets__a=b"0" * 1_000_000))
    with pytest.raises(BadArchive, match="more than 200 times its size"):
        check_workbook(packed(tmp_path, xl__worksheets__a=b"0" * 1_000_001))


def test_too_many_parts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them costs something."""
    monkeypatch.setattr(zip_limits, "MOST_MEMBERS", 2)
    with pytest.raises(BadArchive, match="has 3 parts"):
        check_workbook(packed(tmp_path, a=b"", b=b"", c=b""))


def test_pictures_in_a_workbook_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not read."""
    monkeypatch.setattr(zip_limits, "LARGEST_PART", 10)
    check_workbook(packed(tmp_path, xl__media__image1=b"x" * 1000))


@pytest.mark.parametrize("folder", ["media", "drawings", "charts", "embeddings"])
def test_in_a_workbook_that_is_copied_they_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """Each of them, and all parts together; the limits themselves pass."""
    monkeypatch.setattr(zip_limits, "LARGEST_IMAGE", 2_000_000)
    monkeypatch.setattr(zip_limits, "LARGEST_COPY", 3_000_000)
    parts = {f"xl__{folder}__one": b"x" * 2_000_000, "xl__styles": b"x" * 1_000_000}
    check_workbook(packed(tmp_path, **parts), whole=True)
    with pytest.raises(BadArchive, match="The workbook unpacks to more than 3 MB"):
        check_workbook(packed(tmp_path, **parts, xl__media__two=b"x"), whole=True)
    with pytest.raises(BadArchive, match="A part of the workbook unpacks to more than 2 MB"):
        check_workbook(packed(tmp_path, **{f"xl__{folder}__one": b"x" * 2_000_001}), whole=True)


def test_a_locked_archive_is_told(tmp_path: Path) -> None:
    """It is not damaged."""
    path = packed(tmp_path, xl__workbook=b"x")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(BadArchive, match="protected by a password"):
        check_workbook(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<c><f>A1+1</f><v>2</v></c>", True),
        (b'<x:c><x:f t="shared"/></x:c>', True),
        (b"x" * ((1 << 20) - 1) + b"<f>A1</f>", True),
        (b"<c><v>2</v></c><font/>", False),
    ],
)
def test_formulas_are_found_by_their_bytes(tmp_path: Path, content: bytes, found: bool) -> None:
    """Also where a piece that is read ends in the middle of one."""
    assert has_formulas(packed(tmp_path, xl__worksheets__sheet1=content)) is found
    assert not has_formulas(packed(tmp_path, xl__styles=content))


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    """Its list of contents may be sound all the same."""
    path = packed(tmp_path, xl__worksheets__sheet1=bytes(range(256)) * 50)
    data = bytearray(path.read_bytes())
    data[60:200] = bytes(140)
    path.write_bytes(data)
    with pytest.raises(BadArchive, match="damaged"):
        has_formulas(path)
