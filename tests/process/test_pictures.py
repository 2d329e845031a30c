"""Pictures of this computer through the real command: into S3 on loopback, to the API, and back as others."""

import shutil
from pathlib import Path

import pytest

from tests.support.command import QUICK, desk
from tests.support.s3 import SECRET, files_with, s3_server

pytestmark = pytest.mark.process

SAMPLES = Path(__file__).parents[2] / "sample_batches" / "pictures"
UPLOAD = ("--upload", "s3://refs/night", *QUICK)


async def test_from_pictures_to_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploaded once by content, fetched from signed links, drawn from; run again, nothing is paid."""
    shutil.copytree(SAMPLES, tmp_path / "sheets")
    with s3_server(monkeypatch) as s3:
        async with desk(tmp_path) as here:
            ended = await here.call("run", "sheets/folder.csv", *UPLOAD)
            assert ended.code == 0, ended.err
            keys = s3.keys()
            assert len(keys) == 4
            assert all(key.startswith("night/") for key in keys)
            ledger = {str(submit.body["prompt"])[-6:]: submit for submit in here.service.ledger}
            assert [len(submit.looks) for submit in ledger.values()] == [3, 4]
            links = [str(link) for submit in ledger.values() for link in submit.body["images"]]  # type: ignore[union-attr]
            assert all(link.startswith(f"{s3.url}/refs/night/") for link in links)
            assert all(link.endswith(" characters)") for link in links)  # the signature, cut by the ledger
            assert here.assert_pictures_whole("folder") == 4
            record = here.manifest("folder")[0]
            assert record["inputs"]["images"][0].startswith("picture:sha256:")
            assert files_with(tmp_path, SECRET, "X-Amz-Signature") == []
            assert SECRET not in ended.out + ended.err
            assert "X-Amz" not in ended.out + ended.err

            before = s3.listing()
            (tmp_path / "sheets" / "refs" / "boat.jpg").rename(tmp_path / "sheets" / "refs" / "ship.jpg")
            sheet = tmp_path / "sheets" / "folder.csv"
            sheet.write_text(sheet.read_text().replace("boat.jpg", "ship.jpg"))
            again = await here.call("run", "sheets/folder.csv", *UPLOAD)
            assert again.code == 0, again.err
            assert len(here.service.ledger) == 2
            assert s3.listing() == before


async def test_a_store_without_credentials_pauses_and_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """75, no row failed, nothing paid; with them the same command goes on."""
    shutil.copytree(SAMPLES, tmp_path / "sheets")
    with s3_server(monkeypatch) as s3:
        async with desk(tmp_path) as here:
            monkeypatch.delenv("AWS_ACCESS_KEY_ID")
            monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
            ended = await here.call("run", "sheets/folder.csv", *UPLOAD)
            assert ended.code == 75, ended.err
            assert "The store s3://refs/night refuses" in ended.out
            status = await here.status()
            assert (status["counts"]["queued"], status["paused"]["reason"]) == (2, "guard")
            assert here.service.ledger == []
            for name, value in s3.env.items():
                monkeypatch.setenv(name, value)
            resumed = await here.call("resume", *UPLOAD)
            assert resumed.code == 0, resumed.err
            assert len(here.service.ledger) == 2


async def test_a_link_that_has_run_out_fails_as_at_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The object is gone before the API fetches it: a failed run, told in the API's words."""
    shutil.copytree(SAMPLES, tmp_path / "sheets")
    with s3_server(monkeypatch) as s3:
        async with desk(tmp_path) as here:
            (tmp_path / "links.csv").write_text(
                "id,prompt,model,images\n"
                f"gone,A fox,bytedance/seedream-4-5/edit,{s3.url}/refs/nobody.png?X-Amz-Expires=1\n"
            )
            ended = await here.call("run", "links.csv", *QUICK)
            assert ended.code == 1, ended.err
            (record,) = here.manifest("links")
            assert record["error"]["kind"] == "remote_failed"
            assert "its link answers 404" in record["error"]["message"]


async def test_refused_without_a_way(tmp_path: Path) -> None:
    """Before anything is loaded, the cause once for all its rows, with every way out."""
    shutil.copytree(SAMPLES, tmp_path / "sheets")
    async with desk(tmp_path) as here:
        ended = await here.call("run", "sheets/folder.csv", *QUICK)
        assert ended.code == 65
        told = " ".join(ended.err.split())  # folded, where the terminal is narrow
        assert told.count("nothing says how they get to the API") == 1
        assert "2 rows (2-3), images" in told
        assert "--upload data-uri" in told
        assert "--upload s3://BUCKET/PREFIX" in told
        assert not here.service.calls
