"""Pictures of this computer in a sheet: each named by its content, each problem in its place."""

import os
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.catalog.image_rules import Shape
from jobs.catalog.image_urls import name_by_content
from jobs.images.shape import measure
from jobs.problems import Problem
from jobs.sheets import PlannedJob, SheetSource, open_sheet, plan
from jobs.sheets.images import album as album_module
from jobs.sheets.images.way import Way
from jobs.sheets.rows.image_cells import MOST_BYTES_INSIDE
from tests.support.small_pictures import picture, put
from tests.unit.jobs.sheets.conftest import Write

EDIT = "bytedance/seedream-4-5/edit"


def items(path: Path, way: Way = Way.STORE, **source: object) -> list[PlannedJob | Problem]:
    """All that a sheet's plan holds."""
    given = replace(SheetSource(path, way=way), **source)  # type: ignore[arg-type]
    return list(plan(open_sheet(given), random.Random(1)))


def jobs(path: Path, **source: object) -> list[PlannedJob]:
    """The jobs of a sheet without problems."""
    found = items(path, **source)  # type: ignore[arg-type]
    assert [item for item in found if isinstance(item, Problem)] == []
    return [item for item in found if isinstance(item, PlannedJob)]


def problems(path: Path, **source: object) -> list[tuple[int | None, str | None, str | None, str]]:
    """Row, column, value and message of each problem."""
    found = items(path, **source)  # type: ignore[arg-type]
    assert [item for item in found if isinstance(item, PlannedJob)] == []
    return [(item.row, item.column, item.value, item.message) for item in found if isinstance(item, Problem)]


def csv(*cells: str) -> str:
    """A sheet with these cells for pictures."""
    return "prompt,model,images\n" + "".join(f"fox {n},{EDIT},{cell}\n" for n, cell in enumerate(cells))


def test_inputs_name_pictures_by_their_content_in_order(write: Write, tmp_path: Path) -> None:
    """Files, a pattern and an address side by side; where the files are is known beside it."""
    two = put(tmp_path / "refs" / "2.png", colour="red")
    ten = put(tmp_path / "refs" / "10.png", colour="blue")
    boat = put(tmp_path / "boat.jpg", form="JPEG")
    sheet = write("a.csv", csv("refs/*.png | https://a.example/1.png | boat.jpg"))
    (job,) = jobs(sheet)
    assert job.inputs["images"] == [
        name_by_content(two, "png"),
        name_by_content(ten, "png"),
        "https://a.example/1.png",
        name_by_content(boat, "jpg"),
    ]
    assert [file.shown for file in job.files] == ["refs/2.png", "refs/10.png", "boat.jpg"]
    assert [file.media_type for file in job.files] == ["image/png", "image/png", "image/jpeg"]
    assert job.warnings == ()


def test_the_fingerprint_follows_the_content(write: Write, tmp_path: Path) -> None:
    """A file that moves is the same row, so it is not paid again; one that changes is another."""
    put(tmp_path / "a.png", colour="red")
    (before,) = jobs(write("a.csv", csv("a.png")))
    put(tmp_path / "refs" / "renamed.png", colour="red")
    (moved,) = jobs(write("b.csv", csv("refs/renamed.png")))
    put(tmp_path / "a.png", colour="blue")
    (changed,) = jobs(write("c.csv", csv("a.png")))
    assert before.fingerprint == moved.fingerprint != changed.fingerprint
    assert before.key == moved.key


def test_the_format_is_that_of_the_content(write: Write, tmp_path: Path) -> None:
    """A name proves nothing, neither for a picture nor against it."""
    digest = put(tmp_path / "a.png", form="JPEG")
    put(tmp_path / "b.jpg", form="WEBP")
    (job,) = jobs(write("a.csv", csv("a.png")))
    assert job.inputs["images"] == [name_by_content(digest, "jpg")]
    ((row, column, value, message),) = problems(write("b.csv", csv("b.jpg")))
    assert (row, column, value) == (2, "images", "b.jpg")
    assert message == "b.jpg: It is a WEBP picture, whatever its name says: the model takes jpeg and png."


def test_every_problem_of_every_picture_is_told_at_once(write: Write, tmp_path: Path) -> None:
    """With its row, its file and the rule."""
    put(tmp_path / "refs" / "1.png", size=(10, 10))
    put(tmp_path / "refs" / "2.png", size=(20, 400))
    put(tmp_path / "refs" / "3.png")
    put(tmp_path / "half.png", picture(size=(600, 600))[:200])
    put(tmp_path / "text.png", b"hello")
    told = problems(write("a.csv", csv("refs/*.png|half.png|text.png|none.png", "refs/1.png")))
    assert [(row, value, message.split(":")[0]) for row, _, value, message in told] == [
        (2, "refs/*.png", "refs/1.png"),
        (2, "refs/*.png", "refs/1.png"),
        (2, "refs/*.png", "refs/2.png"),
        (2, "half.png", "half.png cannot be sent"),
        (2, "text.png", "text.png cannot be sent"),
        (2, "none.png", "There is no such file in the sheet's folder, or below it."),
        (3, "refs/1.png", "refs/1.png"),
        (3, "refs/1.png", "refs/1.png"),
    ]
    assert "1:16 to 16:1" in told[2][3]


def test_what_only_half_the_page_refuses_is_a_warning(write: Write, tmp_path: Path) -> None:
    """For each row that names it."""
    put(tmp_path / "tall.png", size=(90, 160))
    first, second = jobs(write("a.csv", csv("tall.png", "tall.png")))
    assert len(first.warnings) == len(second.warnings) == 1
    assert first.warnings[0].startswith("tall.png: It has a ratio of 0.5625 (90x160).")


def test_too_many_are_told_before_they_are_opened(write: Write, tmp_path: Path) -> None:
    """A model takes fourteen; fifteen by several names are told by the model's own check."""
    for number in range(15):
        put(tmp_path / "refs" / f"{number}.png", b"not opened")
    put(tmp_path / "a.png")
    told = problems(write("a.csv", csv("refs", "|".join(["a.png"] * 15))))
    assert [message for *_, message in told] == [
        "This names 15 pictures, a model takes at most 14.",
        "15 pictures are given, the model takes at most 14.",
    ]


def test_a_huge_file_is_refused_unread(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its size alone."""
    monkeypatch.setattr(album_module, "MOST_BYTES", 100)
    put(tmp_path / "a.png", size=(600, 600))
    ((*_, message),) = problems(write("a.csv", csv("a.png")))
    assert "is not opened" in message


def test_each_file_is_opened_once_however_many_rows_name_it(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whatever name."""
    for number in (1, 2):
        put(tmp_path / "refs" / f"{number}.png", colour=f"#00000{number}")
    opened: list[int | None] = []

    def counted(data: bytes, size: int | None) -> Shape | str:
        opened.append(size)
        return measure(data, size)

    monkeypatch.setattr(album_module, "measure", counted)
    cells = ["refs", "refs/*.png", "refs/1.png|refs/2.png"] * 50
    assert len(jobs(write("a.csv", csv(*cells)))) == 150
    assert len(opened) == 2


def test_sets_hold_files_and_patterns(write: Write, tmp_path: Path) -> None:
    """Judged in the set, once: a row that names it is told of nothing."""
    digest = put(tmp_path / "refs" / "1.png")
    text = f"model: {EDIT}\nimage_sets:\n  hero: [refs/*.png, https://a.example/1.png]\n"
    (job,) = jobs(write("a.yaml", text + "jobs: [{prompt: fox, images: hero}]\n"))
    assert job.inputs["images"] == [name_by_content(digest, "png"), "https://a.example/1.png"]
    assert [file.sha256 for file in job.files] == [digest]
    put(tmp_path / "tiny.png", size=(5, 5))
    bad = f"model: {EDIT}\nimage_sets:\n  hero:\n  - tiny.png\n  - ../x.png\n"
    told = problems(write("b.yaml", bad + "jobs: [{prompt: fox, images: hero}, {prompt: a, images: hreo}]\n"))
    assert [(row, column, value) for row, column, value, _ in told] == [
        (4, "hero", "tiny.png"),
        (4, "hero", "tiny.png"),
        (5, "hero", "../x.png"),
        (6, "images", "hreo"),
    ]


def test_names_in_braces_make_names_of_files(write: Write, tmp_path: Path) -> None:
    """A column of one's own, in a path."""
    digest = put(tmp_path / "refs" / "mara.png")
    (job,) = jobs(write("a.csv", f"prompt,model,hero,images\nfox,{EDIT},mara,refs/{{hero}}.png\n"))
    assert job.inputs["images"] == [name_by_content(digest, "png")]


def test_without_a_way_to_the_api_each_row_is_told(write: Write, tmp_path: Path) -> None:
    """What is wrong with a picture comes first: both cannot be put right at once."""
    put(tmp_path / "a.png")
    put(tmp_path / "tiny.png", size=(5, 5))
    sheet = write("a.csv", csv("a.png", "a.png|a.png", "tiny.png"))
    told = problems(sheet, way=Way.REFUSE)
    assert [(row, value, message) for row, _, value, message in told[:2]] == [
        (2, "a.png", "The row names pictures of this computer, and nothing says how they get to the API."),
        (
            3,
            "a.png|a.png",
            "The row names pictures of this computer, and nothing says how they get to the API.",
        ),
    ]
    assert all("tiny.png" in message for *_, message in told[2:])
    hint = next(item.hint for item in items(sheet, Way.REFUSE) if isinstance(item, Problem))
    assert "--upload s3://BUCKET/PREFIX" in hint


def test_inside_a_request_there_is_room_for_some(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their sizes are added up."""
    assert MOST_BYTES_INSIDE * 4 / 3 < 64 * 1024 * 1024
    put(tmp_path / "a.png")
    monkeypatch.setattr("jobs.sheets.rows.image_cells.MOST_BYTES_INSIDE", 3 * len(picture()) - 1)
    told = problems(write("a.csv", csv("a.png|a.png|a.png")), way=Way.INSIDE)
    assert ["inside a request" in message for *_, message in told] == [True]
    assert len(jobs(write("b.csv", csv("a.png|a.png")), way=Way.INSIDE)) == 1


def test_other_folders_only_where_a_setting_names_them(write: Write, tmp_path: Path) -> None:
    """By a whole path."""
    folder = tmp_path / "sheets"
    folder.mkdir()
    library = tmp_path / "library"
    digest = put(library / "logo.png")
    sheet = folder / "a.csv"
    sheet.write_text(csv(str(library / "logo.png")))
    assert "not below the sheet's folder" in problems(sheet)[0][3]
    (job,) = jobs(sheet, picture_folders=(library,))
    assert job.inputs["images"] == [name_by_content(digest, "png")]


def test_standard_input_has_the_folder_that_it_is_given(write: Write, tmp_path: Path) -> None:
    """The copy's own folder is nobody's."""
    put(tmp_path / "refs" / "a.png")
    sheet = write("copy", csv("refs/a.png"))
    source = SheetSource(sheet, "csv", spooled=True, way=Way.STORE, folder=tmp_path)
    opened = open_sheet(source, batch="b")
    assert all(isinstance(item, PlannedJob) for item in plan(opened, random.Random(1)))
    nowhere = open_sheet(replace(source, folder=None), batch="b")
    assert all(isinstance(item, Problem) for item in plan(nowhere, random.Random(1)))


def test_nobody_can_write_the_name_of_a_content(write: Write) -> None:
    """It is looked for as a file like any other text."""
    told = problems(write("a.csv", csv(name_by_content("0" * 64, "png"))))
    assert "no such file" in told[0][3]


def test_a_file_that_cannot_be_read_is_told(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the system's words."""
    put(tmp_path / "a.png")

    def denied(_path: Path) -> tuple[bytes, int]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(album_module, "_read", denied)
    ((*_, message),) = problems(write("a.csv", csv("a.png")))
    assert message == "a.png cannot be read: Permission denied."


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no file has a name like this")
def test_a_name_that_is_not_utf_8_is_told(write: Write, tmp_path: Path) -> None:
    """The database could not hold it. Of the file, or of a folder on the way to it."""
    put(tmp_path / "refs" / "a.png")
    put(tmp_path / "refs" / os.fsdecode(b"caf\xe9.png"))
    put(tmp_path / "more" / os.fsdecode(b"\xe9t\xe9") / "b.png")
    refs = os.path.realpath(tmp_path)
    cell = (2, "images", "refs", f"Its name is not UTF-8: {refs}/refs/caf\\xe9.png")
    assert problems(write("a.csv", csv("refs"))) == [cell]
    pattern = (2, "images", "more/*/b.png", f"Its name is not UTF-8: {refs}/more/\\xe9t\\xe9/b.png")
    assert problems(write("b.csv", csv("more/*/b.png"))) == [pattern]
    sets = f"model: {EDIT}\nimage_sets:\n  hero: [refs]\njobs: [{{prompt: fox, images: hero}}]\n"
    assert problems(write("c.yaml", sets))[0][2:] == cell[2:]
