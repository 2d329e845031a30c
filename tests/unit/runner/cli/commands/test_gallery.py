"""`nightsheet gallery`: a folder to share, which says what was asked for and no more."""

import html
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jobs.disk.own_archive import OwnArchive
from jobs.review.decisions import Verdict
from jobs.store.sqlite.thumb_file import ThumbFile
from runner.gallery import writing
from tests.support.served_page import png
from tests.unit.runner.cli.steps.exports.test_data_sets import changed, decide, shot
from tests.unit.runner.cli.world import World, job

RED, BLUE = png((200, 30, 30), (2000, 1000)), png((30, 30, 200))
NASTY = '</script><img src=x onerror=alert(1)>\u2028"'


@pytest.fixture
def night(world: World) -> World:
    """Three jobs, one with two pictures, one with a key and a prompt that would like to be more."""
    world.load(
        job(0, "fox", inputs={"prompt": "a secret fox", "seed": 4711}, columns={"client": "Acme"}),
        job(1, NASTY, inputs={"prompt": NASTY}),
        job(2, "boat"),
        job(3, "waits"),
    )
    shot(world, "fox", RED, BLUE)
    shot(world, NASTY, BLUE)
    shot(world, "boat", RED)
    return world


def written(world: World, *more: str) -> Path:
    """A gallery, which goes well."""
    ran = world.run("gallery", "--output", "shared", *more)
    assert ran.code == 0, ran.err
    assert ran.out == ""
    return world.folder / "shared"


def data_of(folder: Path) -> dict[str, Any]:
    """What data.js says, as a script would read it."""
    text = (folder / "data.js").read_text("ascii")
    told = text.removeprefix("globalThis.GALLERY = ").strip().removesuffix(";").replace(",\n]", "\n]")
    found: dict[str, Any] = json.loads(told)
    return found


def side(file: Path) -> tuple[int, int]:
    """An image's size."""
    with Image.open(file) as image:
        return image.size


def test_a_folder_with_everything_in_it(night: World) -> None:
    """Thumbnails and previews of our own making, in the order of the sheet."""
    folder = written(night)
    assert sorted(path.name for path in folder.iterdir()) == [
        *(".nightsheet", "data.js", "index.html", "p", "style.css", "t", "view.js")
    ]
    data = data_of(folder)
    assert data["title"] == "night"
    assert [(key, [image[0] for image in images]) for key, _, images in data["jobs"]] == [
        ("fox", [1, 2]),
        (NASTY, [1]),
        ("boat", [1]),
    ]
    for _, _, images in data["jobs"]:
        for _, name, shown, _, _ in images:
            assert side(folder / shown)[0] <= 1600
            assert side(folder / "t" / f"{name}.webp")[0] <= 384
    assert side(folder / "p" / "fox-01.webp") == (1600, 800)


def test_nothing_is_told_that_was_not_asked_for(night: World) -> None:
    """No prompt, no seed, no column, no cost, no id, no hash, no place on this machine."""
    folder = written(night)
    told = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for secret in (b"secret", b"4711", b"Acme", b"req-", b"seedream", str(night.folder).encode()):
        assert secret not in told
    assert [prompt for _, prompt, _ in data_of(folder)["jobs"]] == [None] * 3


def test_prompts_are_there_if_asked_for(night: World) -> None:
    """And still neither cost nor id."""
    folder = written(night, "--prompts", "--title", "For <you>, $links")
    data = data_of(folder)
    assert (data["jobs"][0][1], data["title"]) == ("a secret fox", "For <you>, $links")
    assert "<title>For &lt;you&gt;, $links</title>" in (folder / "index.html").read_text("utf-8")
    assert b"req-" not in (folder / "data.js").read_bytes()


def test_foreign_texts_are_no_markup(night: World) -> None:
    """In the script, and in the list for who has none."""
    folder = written(night, "--prompts")
    script = (folder / "data.js").read_bytes()
    assert b"<" not in script
    assert script.isascii()
    page = (folder / "index.html").read_text("utf-8")
    assert "<img" not in page
    assert html.escape('</script><img src=x onerror=alert(1)>\u2028", 1') in page
    assert page.count("<li>") == 4


def test_the_page_asks_nobody(night: World) -> None:
    """Its policy has no other source, and no inline script."""
    page = (written(night) / "index.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "unsafe" not in page
    assert "http:" not in page
    assert "https:" not in page


def test_the_list_of_links_ends(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 100,000 links would help nobody."""
    monkeypatch.setattr("runner.gallery.writing.MOST_LINKS", 1)
    page = (written(night) / "index.html").read_text("utf-8")
    assert page.count("<li>") == 1


def test_pictures_as_they_are_or_none(night: World) -> None:
    """A copy is the file itself; with none, thumbnails are all there is."""
    folder = written(night, "--pictures", "copy")
    assert (folder / "p" / "fox-01.png").read_bytes() == RED
    folder = written(night, "--pictures", "none")
    assert not (folder / "p").exists()
    assert data_of(folder)["jobs"][0][2][0][2] == "t/fox-01.webp"


def test_only_what_was_accepted(night: World) -> None:
    """A picture at a time."""
    decide(night, "fox", 2, verdict=Verdict.ACCEPTED)
    (one,) = data_of(written(night, "--only", "accepted"))["jobs"]
    assert (one[0], [image[0] for image in one[2]]) == ("fox", [2])
    assert len(data_of(written(night, "--only", "all"))["jobs"]) == 3
    assert data_of(written(night, "--search", "nowhere"))["jobs"] == []


def test_a_thumbnail_that_is_kept_is_taken(night: World) -> None:
    """It was made at night."""
    out = io.BytesIO()
    Image.new("RGB", (7, 7)).save(out, "WEBP")
    thumbs = ThumbFile.beside(night.database)
    thumbs.put(night.jobs()["fox"].images[0].sha256, 384, out.getvalue())
    thumbs.close()
    assert side(written(night) / "t" / "fox-01.webp") == (7, 7)


def test_a_picture_that_is_not_as_recorded_is_left_out(night: World) -> None:
    """Exit 1, and what to do."""
    changed(Path(night.jobs()["boat"].images[0].path))
    shot(night, "waits", b"no picture at all")
    ran = night.run("gallery", "--output", "shared")
    assert ran.code == 1
    assert "2 pictures left out" in ran.err
    assert [key for key, _, _ in data_of(night.folder / "shared")["jobs"]] == ["fox", NASTY]


@pytest.mark.parametrize("name", ["outputs", "nightsheet.db"])
def test_what_is_not_a_gallery_is_left(night: World, name: str) -> None:
    """2, and it is as it was."""
    ran = night.run("gallery", "--output", name)
    assert (ran.code, "Nothing was written" in ran.err) == (2, True)
    assert (night.folder / "outputs" / "night" / "boat" / "01.png").read_bytes() == RED


def test_a_gallery_is_written_again(night: World) -> None:
    """Unless somebody has put something into it."""
    folder = written(night)
    written(night)
    (folder / "notes.txt").write_text("mine")
    assert night.run("gallery", "--output", "shared").code == 2
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_long_one_says_how_far_it_is(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then."""
    monkeypatch.setattr("runner.gallery.writing._TELL_EACH", 2)
    monkeypatch.setattr("runner.gallery.writing._CHUNK", 1)
    ran = night.run("gallery", "--output", "shared")
    assert ran.err.splitlines()[:2] == ["2 pictures so far", "4 pictures so far"]


# -- --zip, --size, --where ------------------------------------------------------------------------------


def files_of(archive: Path) -> dict[str, bytes]:
    """What an archive holds, below its one folder."""
    with zipfile.ZipFile(archive) as opened:
        return {name.removeprefix("shared/"): opened.read(name) for name in opened.namelist()}


@pytest.mark.parametrize("more", [(), ("--pictures", "copy", "--prompts"), ("--pictures", "none")])
def test_an_archive_holds_what_a_folder_would(night: World, more: tuple[str, ...]) -> None:
    """Byte for byte, and nothing beside it."""
    folder = written(night, *more)
    ran = night.run("gallery", "--output", "shared", "--zip", *more)
    assert ran.code == 0, ran.err
    assert "shared.zip, 4 pictures" in ran.err
    assert "Unpacked, it is shared/index.html" in ran.err
    found = files_of(night.folder / "shared.zip")
    assert found == {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".nightsheet"
    }


def test_an_archive_is_the_same_each_time(night: World) -> None:
    """In the order of the sheet, however the threads that draw take turns."""
    for name in ("a", "b"):
        assert night.run("gallery", "--output", f"{name}/shared.zip", "--zip").code == 0
    assert (night.folder / "a" / "shared.zip").read_bytes() == (
        night.folder / "b" / "shared.zip"
    ).read_bytes()
    names = [name for name in files_of(night.folder / "a" / "shared.zip") if name.startswith("t/")]
    assert names[:2] == ["t/fox-01.webp", "t/fox-02.webp"]
    assert names[3] == "t/boat-01.webp"


def test_few_pictures_are_in_memory_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many a job has, and however long one of them takes."""
    made: list[str] = []
    seen: list[int] = []
    put = OwnArchive.put

    def counted(data: bytes, side: int) -> bytes:
        made.append("")
        return b"small"

    def watched(self: OwnArchive, name: str, data: bytes) -> None:
        if name.startswith("t/"):
            seen.append(len(made) - len(seen))
        put(self, name, data)

    monkeypatch.setattr("runner.gallery.writing.make_thumbnail", counted)
    monkeypatch.setattr(OwnArchive, "put", watched)
    world.load(*(job(n, f"j{n}") for n in range(3)))
    for n in range(3):
        shot(world, f"j{n}", *[png((n, one, 0), (8, 8)) for one in range(15)])
    assert world.run("gallery", "--output", "s", "--zip", "--pictures", "none").code == 0
    assert len(seen) == 45
    assert max(seen) <= writing._AHEAD


def test_an_archive_of_somebody_s_is_left(night: World) -> None:
    """And one of ours that somebody has put a file into."""
    assert night.run("gallery", "--output", "shared", "--zip").code == 0
    assert night.run("gallery", "--output", "shared", "--zip").code == 0
    with zipfile.ZipFile(night.folder / "shared.zip", "a") as archive:
        archive.writestr("notes.txt", "mine")
    ran = night.run("gallery", "--output", "shared", "--zip")
    assert (ran.code, "not the archive of an export" in ran.err) == (2, True)
    assert "notes.txt" in files_of(night.folder / "shared.zip")


def test_the_size_of_a_preview(night: World) -> None:
    """Its longer side; a picture that is smaller stays as it is."""
    folder = written(night, "--size", "900")
    assert side(folder / "p" / "fox-01.webp") == (900, 450)
    assert side(folder / "p" / "fox-02.webp") == (600, 300)
    assert side(folder / "t" / "fox-01.webp") == (384, 192)


def test_only_jobs_with_a_value(night: World) -> None:
    """As `jobs --where`: an own column or an input; with other ways to choose as well."""
    assert [key for key, _, _ in data_of(written(night, "--where", "client=Acme"))["jobs"]] == ["fox"]
    assert [key for key, _, _ in data_of(written(night, "--where", "key=boat"))["jobs"]] == ["boat"]
    assert data_of(written(night, "--where", "client=Acme", "--search", "boat"))["jobs"] == []
    decide(night, "fox", 2, verdict=Verdict.ACCEPTED)
    ((key, _, images),) = data_of(written(night, "--where", "seed=4711", "--only", "accepted"))["jobs"]
    assert (key, len(images)) == ("fox", 1)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--size", "900", "--pictures", "copy"), "--size goes with --pictures preview"),
        (("--size", "12"), "384"),
        (("--where", "cleint=Acme"), "Did you mean client?"),
        (("--where", "client"), "a column, =, and its value"),
    ],
)
def test_what_does_not_fit_is_refused(night: World, more: tuple[str, ...], why: str) -> None:
    """2, and nothing is written."""
    ran = night.run("gallery", "--output", "shared", *more)
    assert (ran.code, why in ran.err) == (2, True), ran.err
    assert not (night.folder / "shared").exists()


def test_a_folder_is_not_named_like_an_archive(night: World) -> None:
    """Who names one wants one."""
    ran = night.run("gallery", "--output", "shared.zip")
    assert (ran.code, "Add --zip" in ran.err) == (2, True)
    assert night.run("gallery", "--output", "night.2026", "--zip").code == 0
    assert (night.folder / "night.2026.zip").is_file()


def test_a_disk_that_refuses_leaves_nothing(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """73, and no half of it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(OwnArchive, "put_file", full)
    ran = night.run("gallery", "--output", "shared", "--zip")
    assert (ran.code, "No space left" in ran.err) == (73, True)
    assert [path.name for path in night.folder.iterdir() if "shared" in path.name] == []
