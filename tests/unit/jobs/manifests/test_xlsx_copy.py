"""A copy of a workbook: what a sheet does without, and only a copy reads, is no defect of ours."""

import struct
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart
from openpyxl.drawing.image import Image

from jobs.errors import UsageProblem
from jobs.manifests import xlsx_copy
from jobs.manifests.results import RowResult
from jobs.manifests.xlsx_copy import copy_xlsx
from jobs.sheets import SheetSource
from jobs.sheets.files import zip_limits
from jobs.sheets.readers.xlsx_sheet import open_xlsx
from tests.support.small_pictures import put

PICTURE = "xl/media/image1.png"
WORKSHEET = "xl/worksheets/sheet1.xml"
DRAWING = "xl/drawings/drawing1.xml"


def results(*lines: int) -> list[RowResult]:
    return [
        RowResult(line, "night", "succeeded", (f"out/{line}.png", f"out/{line}-2.png"), 7, 0.04)
        for line in lines
    ]


async def copied(path: Path, found: list[RowResult]) -> Any:
    """The copy's worksheet."""

    async def given() -> AsyncIterator[RowResult]:
        for result in found:
            yield result

    target = path.with_name("copy.xlsx")
    await copy_xlsx(SheetSource(path), None, 1, given(), target)
    return load_workbook(target).active


def book(folder: Path, *merged: str) -> Path:
    """Three columns, three rows, a picture and a chart."""
    made = Workbook()
    sheet: Any = made.active
    for row in (("id", "prompt", "note"), ("a", "A pier", "x"), ("b", "A boat", "y"), ("c", "A quay", "z")):
        sheet.append(row)
    for place in merged:
        sheet.merge_cells(place)
    put(folder / "p.png")
    sheet.add_image(Image(str(folder / "p.png")), "H9")
    sheet.add_chart(BarChart(), "H20")
    path = folder / "book.xlsx"
    made.save(path)
    return path


def with_part(path: Path, name: str, content: bytes | None) -> Path:
    """Another content of one of its parts; None takes it away."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    assert name in parts
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, held in (parts | {name: content}).items():
            if held is not None:
                archive.writestr(part, held)
    return path


def bomb() -> bytes:
    """A picture that says of itself that it is 20,000 pixels high and wide."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    whole = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + whole + struct.pack(">I", 4) + b"IDAT"


@pytest.mark.parametrize("place", ["D2:F3", "D1:D4", "C2:E2", "F1:Z4", "D1:XFD1", "B4:D4"])
async def test_what_is_merged_makes_room_for_results(tmp_path: Path, place: str) -> None:
    """Each result has a cell of its own, and what the user wrote stays; twice, as into an earlier copy."""
    path = book(tmp_path, place)
    for _again in range(2):
        sheet = await copied(path, results(2, 3, 4))
        header, *rows = sheet.iter_rows(values_only=True, max_col=12)
        assert header[3:] == (
            *("result.batch", "result.state", "result.images", "result.seed", "result.cost_usd"),
            *("result.error", "result.verdict", "result.image.1", "result.image.2"),
        )
        for line, row in enumerate(rows[:3], 2):
            assert row[3:5] == ("night", "succeeded")
            assert row[10:] == (f"out/{line}.png", f"out/{line}-2.png")
        assert [row[0] for row in rows[:3]] == ["a", "b", "c"]
        path = path.with_name("copy.xlsx").rename(tmp_path / "book.xlsx")


async def test_what_is_merged_elsewhere_stays(tmp_path: Path) -> None:
    """Also in a column of results that is emptied, below the last row."""
    path = book(tmp_path, "A6:C7", "N2:O3")
    sheet = await copied(path, results(2, 3, 4))
    assert {str(merged) for merged in sheet.merged_cells.ranges} == {"A6:C7", "N2:O3"}
    made = load_workbook(path.with_name("copy.xlsx"))
    made.active.merge_cells("C6:E8")  # type: ignore[union-attr]
    made.save(path)
    sheet = await copied(path, results(2))
    assert "C6:E8" in {str(merged) for merged in sheet.merged_cells.ranges}
    assert sheet["D3"].value is None


@pytest.mark.parametrize(
    ("part", "content", "words"),
    [
        pytest.param(PICTURE, bomb(), "DecompressionBombError", id="bomb"),
        (PICTURE, None, "KeyError"),
        (DRAWING, b"<broken", "ParseError"),
        ("xl/charts/chart1.xml", b"", "ParseError"),
    ],
)
async def test_what_openpyxl_stumbles_over_is_told(
    tmp_path: Path, part: str, content: bytes | None, words: str
) -> None:
    """It is read as a sheet all the same; there are other ways to its results."""
    path = with_part(book(tmp_path), part, content)
    assert not list(open_xlsx(SheetSource(path)).problems)
    with pytest.raises(UsageProblem, match=words) as refused:
        await copied(path, results(2))
    assert "cannot be copied" in refused.value.message
    assert "nightsheet export --output results.csv" in refused.value.hint


@pytest.mark.parametrize("kind", ["mergeCell", "hyperlink"])
async def test_what_spans_the_worksheet_is_not_made_cell_by_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A few bytes would be 17 billion cells; as many as are allowed pass."""
    monkeypatch.setattr(xlsx_copy, "MOST_SPANNED", 120)
    path = book(tmp_path)
    with zipfile.ZipFile(path) as archive:
        plain = archive.read(WORKSHEET)
    for span, cells in (("D2:F41", 120), ("D2:N12", 121)):
        element = f'<{kind}s><{kind} ref="{span}"/></{kind}s>'.encode()
        with_part(path, WORKSHEET, plain.replace(b"</sheetData>", b"</sheetData>" + element))
        if cells == 120:
            await copied(path, results(2))
        else:
            with pytest.raises(UsageProblem, match="It has 121 merged or linked cells, at most 120"):
                await copied(path, results(2))


async def test_a_picture_that_cannot_be_written_again_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow's own errors look like the disk's."""
    path = book(tmp_path)

    def broken(_image: Image) -> bytes:
        raise OSError("image file is truncated")

    monkeypatch.setattr(Image, "_data", broken)
    with pytest.raises(UsageProblem, match="image file is truncated"):
        await copied(path, results(2))


async def test_a_full_disk_is_the_disks(tmp_path: Path) -> None:
    """The workbook is not to blame."""
    path = book(tmp_path)
    (tmp_path / "copy.xlsx").mkdir()
    with pytest.raises(IsADirectoryError):
        await copied(path, results(2))


@pytest.mark.parametrize("part", ["xl/drawings/drawing1.xml", "xl/charts/chart1.xml", PICTURE])
async def test_what_unpacks_to_too_much_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """As a sheet it is read: there, none of it is unpacked."""
    monkeypatch.setattr(zip_limits, "LARGEST_IMAGE", 1_000_000)
    path = with_part(book(tmp_path), part, b" " * 1_000_001)
    assert not list(open_xlsx(SheetSource(path)).problems)
    with pytest.raises(UsageProblem, match="unpacks to more than 1 MB"):
        await copied(path, results(2))
