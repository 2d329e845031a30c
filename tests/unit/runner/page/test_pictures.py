"""A recorded path may lead anywhere by now: read is what is below the folder, no link, and still the same."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from jobs.images.files import read_image
from jobs.views import ArtifactView, BatchView
from runner.page.pictures import FileState, file_state, moved_along
from tests.support.served_page import Served, png
from tests.support.tables import NIGHT, picture

DATA = png()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An output folder with one picture."""
    folder = tmp_path / "outputs" / "night" / "a"
    folder.mkdir(parents=True)
    (folder / "01.png").write_bytes(DATA)
    (tmp_path / "secret.png").write_bytes(DATA)
    return tmp_path / "outputs"


def recorded(path: Path, **changes: Any) -> ArtifactView:
    """A record of the picture, at a path."""
    told: dict[str, Any] = {
        "path": str(path),
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "bytes": len(DATA),
    }
    return picture(**told | changes)


def test_a_picture_is_read_whole(root: Path) -> None:
    """Where it was put."""
    image = recorded(root / "night" / "a" / "01.png")
    assert read_image(root, image) == DATA
    assert file_state(root, image) is FileState.HERE


def test_the_output_folder_may_be_a_link(root: Path, tmp_path: Path) -> None:
    """It is the user's own choice."""
    link = tmp_path / "linked"
    link.symlink_to(root)
    assert read_image(link, recorded(link / "night" / "a" / "01.png")) == DATA


@pytest.mark.parametrize("where", ["../secret.png", "night/../../secret.png", "."])
def test_what_leads_out_is_not_read(root: Path, where: str) -> None:
    """By dots, or the folder itself."""
    image = recorded(root / where)
    assert read_image(root, image) is None
    assert file_state(root, image) is not FileState.HERE


@pytest.mark.parametrize("path", ["secret.png", "outputs-2/a.png"])
def test_what_lies_elsewhere_is_not_read(root: Path, tmp_path: Path, path: str) -> None:
    """Not even beside the folder, under a name that begins like its own."""
    (tmp_path / "outputs-2").mkdir()
    (tmp_path / "outputs-2" / "a.png").write_bytes(DATA)
    image = recorded(tmp_path / path)
    assert read_image(root, image) is None
    assert file_state(root, image) is FileState.ELSEWHERE
    assert read_image(root, recorded(Path("night/a/01.png"))) is None


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_is_not_followed(root: Path, tmp_path: Path, what: str) -> None:
    """Neither to a file, nor on the way to one."""
    if what == "file":
        (root / "night" / "a" / "02.png").symlink_to(tmp_path / "secret.png")
        path = root / "night" / "a" / "02.png"
    else:
        (root / "away").symlink_to(tmp_path)
        path = root / "away" / "secret.png"
    assert read_image(root, recorded(path)) is None


def test_a_link_is_not_followed_where_folders_cannot_be_held(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    monkeypatch.setattr(os, "supports_dir_fd", frozenset())
    (root / "away").symlink_to(tmp_path)
    assert read_image(root, recorded(root / "away" / "secret.png")) is None
    assert read_image(root, recorded(root / "night" / "a" / "01.png")) == DATA


def test_what_is_no_file_is_not_read(root: Path) -> None:
    """A pipe would be waited for, and a folder is none."""
    os.mkfifo(root / "pipe.png")
    for path in (root / "pipe.png", root / "night"):
        image = recorded(path)
        assert read_image(root, image) is None
        assert file_state(root, image) is FileState.CHANGED


@pytest.mark.parametrize("data", [DATA + b"more", DATA[:-1], DATA[:-1] + b"x"])
def test_what_was_changed_is_not_read(root: Path, data: bytes) -> None:
    """Longer, shorter, of the same length: it would be shown under the hash of another."""
    path = root / "night" / "a" / "01.png"
    path.write_bytes(data)
    assert read_image(root, recorded(path)) is None


def test_what_is_gone_is_gone(root: Path) -> None:
    """And is said to be."""
    image = recorded(root / "night" / "a" / "09.png")
    assert read_image(root, image) is None
    assert file_state(root, image) is FileState.GONE


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/octet-stream", ""])
def test_only_pictures_without_scripts_are_read(root: Path, kind: str) -> None:
    """Whatever a table says."""
    assert read_image(root, recorded(root / "night" / "a" / "01.png", content_type=kind)) is None


async def test_an_original_comes_as_what_it_is_and_may_do_nothing(served: Served) -> None:
    """Its type from the table, never sniffed; a sandbox around it."""
    image = await served.shoot("a")
    answered = await served.client.get(f"/p/1/{image.sha256}")
    assert answered.content == png()
    assert answered.headers["content-type"] == "image/png"
    assert answered.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answered.headers["cache-control"]


async def test_a_page_under_a_picture_s_name_is_no_picture(served: Served) -> None:
    """Its hash and size are right: it goes out as a picture, or not at all, and has no thumbnail."""
    html = b"<html><script>alert(1)</script></html>"
    image = await served.shoot("a", html)
    answered = await served.client.get(f"/p/1/{image.sha256}")
    assert answered.headers["content-type"] == "image/png"
    assert answered.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert (await served.client.get(f"/t/1/{image.sha256}.webp")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/p/1/{other}",
        "/p/2/{sha}",
        "/p/0/{sha}",
        "/p/99999999999999999999/{sha}",
        "/p/x/{sha}",
        "/p/1/../../etc/passwd",
    ],
)
async def test_an_address_that_is_not_a_picture_s_own_has_nothing(served: Served, path: str) -> None:
    """Another hash, another id, a path."""
    image = await served.shoot("a")
    asked = path.format(sha=image.sha256, other="0" * 64)
    assert (await served.client.get(asked)).status_code == 404
    assert (await served.client.get(asked.replace("/p/", "/t/") + ".webp")).status_code == 404


@pytest.mark.parametrize(
    ("remembered", "where"), [("/studio/out", "new/night/01.png"), (None, "/studio/out/night/01.png")]
)
def test_a_folder_that_was_moved(tmp_path: Path, remembered: str | None, where: str) -> None:
    """What the batch remembers is where it was: an image is looked for at the same place of the new one."""
    batch = BatchView(1, "night", "night.csv", "o", NIGHT, None, output_root=remembered)
    image = recorded(Path("/studio/out/night/01.png"))
    assert moved_along(tmp_path / "new", batch, image).path == str(tmp_path / where)
    outside = recorded(Path("/elsewhere/01.png"))
    assert moved_along(tmp_path / "new", batch, outside) == outside
