"""Results back into the sheet: a copy with the user's own columns untouched, which is a sheet again."""

import csv
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart
from openpyxl.styles import Font

from jobs.errors import CannotWrite, SheetProblems, UsageProblem
from jobs.review.decisions import DecisionSource, DecisionWish, Verdict
from jobs.sheets import SheetSource
from jobs.store.open import open_store
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from runner.cli.steps.sheets.sheet_copy import write_copy
from tests.support.night import SERIES, SINGLE, Night, night
from tests.support.virtual_time import virtual

OWN = (
    '\ufeffprompt;model;count;"my note"\r\n'
    f'"A pier; at ""dusk""";{SINGLE};;=keep\r\n'
    "\r\n"
    f"Generate 2 images of a mole;{SERIES};2\r\n"
    f"A quay;{SINGLE};;x\r\n"
)


async def into(w: Night, path: Path, output: Path | None = None) -> None:
    """`nightsheet export --into PATH`."""
    async with open_database(w.database, create=False) as database:
        store = Store(database, w.clock.now)
        batch = await store.batches.named(None)
        await write_copy(store, batch, w.settings(), SheetSource(path), None, output)


def left_over(folder: Path) -> list[Path]:
    """What a copy that was not finished has left behind."""
    return [path for path in folder.iterdir() if ".part" in path.name or path.name == "bad.csv"]


def table(path: Path) -> list[dict[str, Any]]:
    """The rows of a worksheet."""
    names, *rows = load_workbook(path)["Tonight"].iter_rows(values_only=True)
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


@virtual
async def test_a_csv_sheet_comes_back_and_is_run_again_for_nothing(tmp_path: Path) -> None:
    """Delimiter, mark, quotes and line breaks as they were; then an edit of the copy is paid alone."""
    async with night(tmp_path) as w:
        sheet = tmp_path / "sheet.csv"
        sheet.write_text(OWN, encoding="utf-8", newline="")
        assert (await w.run(sheet)).exit_code == 0
        await into(w, sheet)
        copy = tmp_path / "sheet-results.csv"
        text = copy.read_bytes().decode()
        lines = text.split("\r\n")
        for own, line in zip(OWN.split("\r\n"), lines, strict=True):
            assert line.startswith(own)
        assert lines[0].endswith(
            ";result.batch;result.state;result.images;result.seed;result.cost_usd;result.error;result.verdict"
        )
        assert ";x;sheet;succeeded;outputs/sheet/" in lines[4]
        for path in lines[3].split(";")[6].split("|"):
            assert (tmp_path / path).is_file()

        async with open_store(w.database, w.clock.now) as store:
            last = [job.key async for job in store.jobs.each(1)][-1]
            wish = DecisionWish(last, {"verdict": Verdict.REJECTED})
            assert (await store.decisions.decide(1, [wish], DecisionSource.CLI)).images
        await into(w, sheet)
        assert copy.read_bytes().decode().split("\r\n")[4].endswith(";rejected")

        paid = len(w.service.ledger)
        assert (await w.run(copy)).exit_code == 0
        assert len(w.service.ledger) == paid == 3
        assert all(set(record["columns"]) <= {"my note"} for record in w.manifest())
        await into(w, copy, copy.with_name("again.csv"))
        assert len(copy.with_name("again.csv").read_text().splitlines()[0].split(";")) == 11
        await into(w, sheet)  # what an earlier export wrote may be replaced
        copy.write_text(text.replace("A quay", "A buoy"), encoding="utf-8", newline="")
        await into(w, copy, tmp_path / "edited.csv")
        last = (tmp_path / "edited.csv").read_text().splitlines()[4]
        assert "A buoy" in last
        assert ";new;" in last
        assert (await w.run(copy)).exit_code == 0
        assert len(w.service.ledger) == 4


@virtual
@pytest.mark.parametrize("end", ["\r\n", "\n"])
async def test_a_copy_of_a_copy_keeps_cells_of_several_lines(tmp_path: Path, end: str) -> None:
    """Broken apart, they would be rows of their own, and paid."""
    async with night(tmp_path) as w:
        sheet = tmp_path / "sheet.csv"
        rows = ["id,prompt,model,note", f'a,"A pier{end}at dawn",{SINGLE},x', f'b,"A{end}quay",{SINGLE}']
        sheet.write_text(end.join([*rows, ""]), newline="")
        assert (await w.run(sheet)).exit_code == 0
        await into(w, sheet)
        again = tmp_path / "again.csv"
        await into(w, tmp_path / "sheet-results.csv", again)
        with again.open(newline="") as file:
            assert [row[:2] for row in csv.reader(file)] == [
                ["id", "prompt"],
                ["a", f"A pier{end}at dawn"],
                ["b", f"A{end}quay"],
            ]
        assert (await w.run(again)).exit_code == 0
        assert len(w.service.ledger) == 2


@virtual
async def test_a_copy_is_known_by_any_of_its_rows(tmp_path: Path) -> None:
    """A row that was put above the others names no batch; what succeeded is not paid again."""
    async with night(tmp_path) as w:
        sheet = w.sheet(2)
        assert (await w.run(sheet)).exit_code == 0
        await into(w, sheet)
        copy = tmp_path / "sheet-results.csv"
        header, *rows = copy.read_text().splitlines()
        copy.write_text("\n".join([header, f"new,{SINGLE},A buoy,", *rows, ""]))
        assert (await w.run(copy)).exit_code == 0
        assert len(w.service.ledger) == 3


@virtual
async def test_a_workbook_comes_back_with_links(tmp_path: Path) -> None:
    """Formats, formulas and other worksheets stay; the copy is the same sheet."""
    async with night(tmp_path) as w:
        book = Workbook()
        sheet: Any = book.active
        sheet.title = "Tonight"
        for row in (
            ("id", "prompt", "model", "count", "sum"),
            ("a", "A pier", SINGLE, None, None),
            ("b", "Generate 2 images of a mole", SERIES, 2, None),
        ):
            sheet.append(row)
        sheet["B2"].font = Font(bold=True)
        book.create_sheet("Other")["A1"] = "=1+1"
        path = tmp_path / "book.xlsx"
        book.save(path)
        assert (await w.run(path)).exit_code == 0
        await into(w, path)
        copy = tmp_path / "book-results.xlsx"
        first, second = table(copy)
        assert (first["result.batch"], first["result.state"], first["result.image.2"]) == (
            "book",
            "succeeded",
            None,
        )
        assert first["result.cost_usd"] == pytest.approx(0.04)
        assert isinstance(second["result.seed"], int)
        made = load_workbook(copy)
        assert made["Other"]["A1"].value == "=1+1"
        assert made["Tonight"]["B2"].font.bold
        links = [cell.hyperlink.target for row in made["Tonight"] for cell in row if cell.hyperlink]
        assert len(links) == 3
        assert all((tmp_path / str(link)).is_file() for link in links)
        assert (await w.run(copy)).exit_code == 0
        assert len(w.service.ledger) == 2
        await into(w, copy, tmp_path / "again.xlsx")
        assert table(tmp_path / "again.xlsx") == [first, second]


@virtual
async def test_nothing_of_the_users_is_overwritten(tmp_path: Path) -> None:
    """Neither the sheet, nor a file that is no copy of ours; and a document is told what else there is."""
    async with night(tmp_path) as w:
        sheet = w.sheet(1)
        assert (await w.run(sheet)).exit_code == 0
        with pytest.raises(UsageProblem, match="is the sheet itself"):
            await into(w, sheet, sheet)
        other = tmp_path / "sheet-results.csv"
        other.write_text("mine\n")
        with pytest.raises(UsageProblem, match="no manifest"):
            await into(w, sheet)
        assert other.read_text() == "mine\n"
        with pytest.raises(UsageProblem, match="CSV, TSV and XLSX"):
            await into(w, tmp_path / "x.yaml")
        sheet.write_text("id,model,prompt,count\nrow-0,nobody,x,\n")
        with pytest.raises(SheetProblems):
            await into(w, sheet, tmp_path / "bad.csv")
        assert not left_over(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="needs a pipe")
@virtual
async def test_a_pipe_or_a_device_is_no_place_for_a_copy(tmp_path: Path) -> None:
    """/dev/stdout as well: a copy takes the place of a file, or of nothing."""
    async with night(tmp_path) as w:
        sheet = w.sheet(1)
        assert (await w.run(sheet)).exit_code == 0
        os.mkfifo(pipe := tmp_path / "pipe")
        with pytest.raises(CannotWrite, match="is a device or a pipe"):
            await into(w, sheet, pipe)
        assert pipe.is_fifo()
        assert not left_over(tmp_path)


@virtual
async def test_a_workbook_that_cannot_be_copied_is_told(tmp_path: Path) -> None:
    """It ran and is paid for: its results are to be had otherwise, and nothing half-written stays."""
    async with night(tmp_path) as w:
        book = Workbook()
        sheet: Any = book.active
        for row in (("id", "prompt", "model"), ("a", "A pier", SINGLE)):
            sheet.append(row)
        sheet.add_chart(BarChart(), "H9")
        path = tmp_path / "book.xlsx"
        book.save(path)
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, b"<broken" if name.startswith("xl/charts/") else content)
        assert (await w.run(path)).exit_code == 0
        with pytest.raises(UsageProblem, match="cannot be copied"):
            await into(w, path)
        assert not left_over(tmp_path)
        assert not path.with_name("book-results.xlsx").exists()


@virtual
async def test_another_sheet_is_not_taken_for_a_copy(tmp_path: Path) -> None:
    """Only one that names the batch as its own."""
    async with night(tmp_path) as w:
        sheet = w.sheet(1)
        assert (await w.run(sheet)).exit_code == 0
        (tmp_path / "other").mkdir()
        other = tmp_path / "other" / "sheet.csv"
        other.write_text(sheet.read_text())
        with pytest.raises(UsageProblem, match="was loaded from"):
            await w.run(other)


@virtual
async def test_a_copy_has_the_ending_of_its_sheet(tmp_path: Path) -> None:
    """Else a spreadsheet would take a CSV for a workbook."""
    async with night(tmp_path) as w:
        sheet = w.sheet(1)
        assert (await w.run(sheet)).exit_code == 0
        with pytest.raises(UsageProblem, match="has its ending"):
            await into(w, sheet, tmp_path / "out.xlsx")
        assert not (tmp_path / "out.xlsx").exists()
