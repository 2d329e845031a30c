"""Somebody in between, with a certificate of their own: nothing is sent to them, least of all the token."""

import ssl
from pathlib import Path

import pytest
import trustme

from tests.matrix.processes import start
from tests.support.command import QUICK, desk, wait
from tests.support.wire import Call, serve

pytestmark = pytest.mark.process


async def test_a_certificate_that_nobody_vouches_for_pauses_at_once(tmp_path: Path) -> None:
    """Exit 69 with the host and the reason, without waiting for the outage limit; every row stays queued."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)

    async def script(call: Call) -> None:
        await call.read()

    async with desk(tmp_path) as here, serve(script, tls=context) as wire:
        base = {"RUNCOMFY_MODEL_API_BASE": f"https://localhost:{wire.port}/v1"}
        process = start(here, ["run", here.sheet(3), *QUICK], env=base)
        ended = await wait(process)
        assert ended.code == 69, ended.err
        assert "certificate is refused" in ended.err + ended.out
        assert "localhost" in ended.err
        assert wire.requests == []
        status = await here.status()
        assert status["paused"]["reason"] == "outage"
        assert (status["counts"]["queued"], status["submits"]) == (3, 0)
