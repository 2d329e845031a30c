"""Runs over a batch whose images, output folder or project were moved: nothing is fetched or paid again."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import migrations
from tests.support.night import Night, night
from tests.support.virtual_time import virtual

ROWS = 4


def paths(w: Night) -> list[str]:
    """As the table keeps them."""
    with closing(sqlite3.connect(w.database)) as connection:
        return [path for (path,) in connection.execute("SELECT path FROM artifact ORDER BY id")]


def named(folder: Path) -> list[Path]:
    """The files that the manifest in a folder names."""
    records = map(json.loads, (folder / "sheet" / "manifest.jsonl").read_text().splitlines())
    return [folder / "sheet" / image["path"] for record in records for image in record["images"]]


def whole(folder: Path, many: int) -> bool:
    """Whether the manifest names so many files, and each is there."""
    found = named(folder)
    return len(found) == many and all(path.is_file() for path in found)


@virtual
async def test_an_output_folder_that_was_moved(tmp_path: Path) -> None:
    """Its manifest stays right, and the batch knows its new folder from then on."""
    async with night(tmp_path) as w:
        sheet, pics = w.sheet(ROWS), tmp_path / "pics"
        assert (await w.run(sheet)).exit_code == 0
        many = len(paths(w))
        assert all(not Path(path).is_absolute() for path in paths(w))
        (tmp_path / "outputs").rename(pics)
        report = await w.run(sheet, output_dir=pics)
        assert (report.exit_code, report.missing, report.images) == (0, 0, 0)
        assert whole(pics, many)
        assert (await w.run(sheet, output_dir=None)).folder == pics / "sheet"
        assert not (tmp_path / "outputs").exists()
        assert len(w.service.ledger) == ROWS


@virtual
async def test_another_folder_with_the_images_left_behind(tmp_path: Path) -> None:
    """They stay where they are, and the new manifest leads there."""
    async with night(tmp_path) as w:
        sheet, later = w.sheet(ROWS), tmp_path / "later"
        assert (await w.run(sheet)).exit_code == 0
        many = len(paths(w))
        report = await w.run(sheet, output_dir=later)
        assert (report.exit_code, report.missing) == (0, 0)
        assert whole(later, many)
        there = {path.resolve() for path in named(tmp_path / "outputs")}
        assert {path.resolve() for path in named(later)} == there


@virtual
async def test_images_that_were_renamed(tmp_path: Path) -> None:
    """Found by their content; what is gone is counted, and its record says so."""
    async with night(tmp_path) as w:
        sheet, root = w.sheet(ROWS), tmp_path / "outputs"
        await w.run(sheet)
        many = len(paths(w))
        first, second, *_ = named(root)
        (root / "picks").mkdir()
        first.rename(root / "picks" / "hero.jpg")
        second.unlink()
        report = await w.run(sheet)
        assert (report.exit_code, report.missing) == (0, 1)
        assert root / "sheet" / "../picks/hero.jpg" in named(root)
        assert "picks/hero.jpg" in paths(w)
        records = w.manifest()
        (gone,) = [record for record in records if any(image.get("missing") for image in record["images"])]
        assert gone["warnings"] == ["Picture 2 is no longer on disk."]
        assert len(named(root)) == many
        csv = (root / "sheet" / "manifest.csv").read_text()
        assert "is no longer on disk" in csv
        assert second.relative_to(root / "sheet").as_posix() not in csv
        assert len(w.service.ledger) == ROWS


@virtual
async def test_a_project_that_was_moved(tmp_path: Path) -> None:
    """Database and folder together: the paths lead into the new place."""
    async with night(tmp_path) as w:
        sheet = w.sheet(ROWS)
        await w.run(sheet)
        many = len(paths(w))
        home = tmp_path / "elsewhere"
        home.mkdir()
        for path in (w.database, tmp_path / "outputs", Path(f"{w.database}.journal")):
            path.rename(home / path.name)
        report = await w.run(sheet, db=home / "night.db", output_dir=None)
        assert (report.exit_code, report.missing, report.folder) == (0, 0, home / "outputs" / "sheet")
        assert whole(home / "outputs", many)
        assert len(w.service.ledger) == ROWS


@virtual
async def test_paths_of_an_earlier_version_become_relative(tmp_path: Path) -> None:
    """They were absolute: after a move they are found by their content, and kept relative from then on."""
    async with night(tmp_path) as w:
        sheet, root = w.sheet(ROWS), tmp_path / "outputs"
        await w.run(sheet)
        with closing(sqlite3.connect(w.database)) as connection, connection:
            connection.execute("UPDATE artifact SET path = ? || path", (f"{tmp_path}/gone/",))
            connection.execute("UPDATE batch SET output_dir = NULL, upload = NULL")
        report = await w.run(sheet)
        assert (report.exit_code, report.missing) == (0, 0)
        assert all(not Path(path).is_absolute() for path in paths(w))
        assert whole(root, len(paths(w)))
        assert migrations.HEAD >= "0011"


@virtual
async def test_a_remembered_folder_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    """Where the usual one has this batch, that is it."""
    async with night(tmp_path) as w:
        sheet, far = w.sheet(ROWS), tmp_path / "far"
        await w.run(sheet, output_dir=far)
        many = len(paths(w))
        shutil.move(far, tmp_path / "outputs")
        report = await w.run(sheet)  # the usual folder of these nights
        assert (report.exit_code, report.missing) == (0, 0)
        assert whole(tmp_path / "outputs", many)
        assert not far.exists()
