"""The main job with the real command over real HTTP: counts that anybody can check against the ledger."""

from pathlib import Path

import pytest

from tests.support.command import QUICK, desk

pytestmark = pytest.mark.process


async def test_forty_rows_over_four_models(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        ended = await here.call("run", here.sheet(40), *QUICK)
        assert ended.code == 0, ended.err
        assert {record["state"] for record in here.manifest()} == {"succeeded"}
        assert len(here.manifest()) == len(here.service.ledger) == 40
        assert here.assert_pictures_whole() == 10 + 3 * 10 * 2
        status = await here.status()
        assert status["counts"]["succeeded"] == status["submits"] == status["total"] == 40


async def test_run_again_pays_only_for_what_is_new(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.call("run", here.sheet(12), *QUICK)
        calls = here.service.calls.copy()
        again = await here.call("run", "sheet.csv", *QUICK)
        assert again.code == 0
        assert here.service.calls == calls, "a finished batch asks the API nothing"
        here.sheet(13, changed=[5])
        edited = await here.call("run", "sheet.csv", *QUICK)
        assert edited.code == 0
        assert len(here.service.ledger) == 14
        assert len(here.manifest()) == 13
        assert (tmp_path / "outputs/sheet/row-5").is_dir()
        assert (tmp_path / "outputs/sheet/row-5-2").is_dir()


async def test_broken_sheet_pays_and_loads_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        (tmp_path / "bad.csv").write_text("model,promt\nbytedance/seedream-4-5/text-to-image,a fox\n")
        ended = await here.call("run", "bad.csv", *QUICK)
        assert ended.code == 65
        assert "row 1, promt" in ended.err
        assert "prompt" in ended.err
        assert not here.service.calls
        assert (await here.call("run", "none.csv", *QUICK)).code == 66


async def test_nobody_to_ask_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        ended = await here.call("run", here.sheet(3))
        assert ended.code == 2
        assert "--yes" in ended.err
        assert not here.service.ledger
        assert (await here.call("resume", *QUICK)).code == 0
        assert len(here.service.ledger) == 3
