"""`resume` beside a runner that cannot go on any more: it waits, takes over, and promises nothing before."""

import json
import subprocess
from pathlib import Path

import pytest
from anyio import to_thread

from tests.support.broken_api import BrokenApi, Held
from tests.support.command import QUICK, start, wait
from tests.support.tables import select
from tests.support.wire import serve

pytestmark = pytest.mark.process

ROWS = 40


class RevokedToken(BrokenApi):
    """Holds its images back, and with the first of them the token is no good any more."""

    def __init__(self, images: Held) -> None:
        super().__init__("picture", images, for_ever=True)
        self.images = images
        self.revoked = True

    def _answer(self, method: str, path: str, body: bytes) -> tuple[str, bytes]:
        if self.revoked and self.images.waiting and "/pictures/" not in path:
            refusal = json.dumps({"error_code": 400004, "message": "UserAccountError"}).encode()
            return "refused", b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (
                len(refusal),
                refusal,
            )
        return super()._answer(method, path, body)


async def _says(process: subprocess.Popen[str], words: str) -> None:
    """Wait until the command says so on standard error."""
    assert process.stderr is not None
    while words not in (line := await to_thread.run_sync(process.stderr.readline)):
        assert line, f"it ended without {words!r}"


async def test_a_token_pause_whose_downloads_still_run(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text(
        "id,prompt\n" + "".join(f"{row},A boat {row}\n" for row in range(ROWS))
    )
    api = RevokedToken(Held())
    async with serve(api.serve) as wire:
        api.base = wire.base
        model = ("--model", "bytedance/seedream-4-5/text-to-image")
        try:
            first = start(tmp_path, api.base, "run", "sheet.csv", *model, *QUICK)
            await _says(first, "Paused (token)")
            assert 0 < len(api.accepted) < ROWS
            api.revoked = False
            second = start(tmp_path, api.base, "resume", *QUICK)
            await _says(second, "is ending: waiting until it has ended")
            assert first.poll() is None, "its downloads still run"
            api.images.free.set()
            assert (await wait(first)).code == 77
            ended = await wait(second)
            assert ended.code == 0, ended.err
            assert "goes on by itself" not in ended.err
        finally:
            api.images.free.set()  # else the server waits for ever for who waits for it
    assert sorted(api.accepted.values()) == sorted(f"A boat {row}" for row in range(ROWS))
    assert select(tmp_path / "nightsheet.db", "SELECT DISTINCT state FROM job") == [{"state": "succeeded"}]
    assert select(tmp_path / "nightsheet.db", "SELECT paused_reason FROM batch") == [{"paused_reason": None}]
