"""What a run's manifests may take the place of: found before anything is paid, and again when they are
written."""

from pathlib import Path

import pytest

from jobs.errors import CannotWrite
from jobs.pauses import PauseReason
from tests.support.night import night
from tests.support.virtual_time import virtual


@virtual
async def test_a_sheet_where_the_manifest_goes_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    """`run manifest/manifest.csv --output-dir .`: it was replaced when all was paid."""
    async with night(tmp_path) as w:
        (tmp_path / "manifest").mkdir()
        sheet = w.sheet(2, "manifest/manifest.csv")
        written = sheet.read_bytes()
        with pytest.raises(
            CannotWrite, match=r"manifest.csv is there already, .* Nothing was sent\."
        ) as told:
            await w.run(sheet, output_dir=tmp_path)
        assert "Move it away" in told.value.hint
        assert (sheet.read_bytes(), w.service.ledger) == (written, [])
        assert (await w.run(sheet)).exit_code == 0, "with the outputs elsewhere"


@pytest.mark.parametrize("name", ["manifest.jsonl", "manifest.csv"])
@virtual
async def test_a_link_is_found_before_anything_is_sent(tmp_path: Path, name: str) -> None:
    """Whoever can write to the outputs would have chosen what is replaced."""
    async with night(tmp_path) as w:
        (folder := tmp_path / "outputs" / "sheet").mkdir(parents=True)
        (folder / name).symlink_to(tmp_path / "precious")
        with pytest.raises(CannotWrite, match=r"is a link, which is not followed\. Nothing was sent"):
            await w.run(w.sheet(1))
        assert w.service.ledger == []
        (folder / name).unlink()
        assert (await w.run(w.sheet(1))).exit_code == 0


@virtual
async def test_what_comes_to_stand_there_meanwhile_costs_nothing(tmp_path: Path) -> None:
    """All that was paid is in the table, and the next run says it all again."""
    async with night(tmp_path) as w:
        stranger = tmp_path / "outputs" / "sheet" / "manifest.jsonl"

        def meanwhile(_name: str) -> None:
            stranger.parent.mkdir(parents=True, exist_ok=True)
            stranger.write_text("mine")

        w.probe = meanwhile
        report = await w.run(w.sheet(2))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (73, PauseReason.DISK)
        assert "is no manifest" in report.paused.detail
        assert stranger.read_text() == "mine"
        w.probe = lambda _name: None
        stranger.unlink()
        assert (await w.run(w.sheet(2))).exit_code == 0
        w.everything_once(2)
