"""Somebody in between, with a certificate of their own: nothing is sent to them, least of all the token."""

import json
import ssl
from pathlib import Path

import pytest
import trustme

from jobs.errors import UsageProblem
from runner.http.transport import tls_context
from tests.matrix.processes import start
from tests.support.broken_api import BrokenApi, hangs_up
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
        assert "the setting ca names its authority" in ended.err + ended.out
        assert wire.requests == []
        status = await here.status()
        assert status["paused"]["reason"] == "outage"
        assert (status["counts"]["queued"], status["submits"]) == (3, 0)


@pytest.mark.parametrize("by", ["file", "system"])
async def test_a_company_s_authority_is_taken_from_a_setting(by: str, tmp_path: Path) -> None:
    """For the API, the pictures and the webhook: a file, or the system's store."""
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "company.pem")
    news: list[bytes] = []
    api = BrokenApi("none of them", hangs_up, for_ever=False)

    async def hook(call: Call) -> None:
        news.append(await call.read())
        await call.answer()

    (tmp_path / "one.csv").write_text("prompt,model\nA fox,bytedance/seedream-4-5/text-to-image\n")
    async with (
        desk(tmp_path) as here,
        serve(api.serve, tls=context) as wire,
        serve(hook, tls=context) as hooked,
    ):
        api.base = f"https://localhost:{wire.port}"
        variables = {
            "RUNCOMFY_MODEL_API_BASE": f"{api.base}/v1",
            "NIGHTSHEET_CA": "company.pem" if by == "file" else "system",
            "SSL_CERT_FILE": "company.pem" if by == "system" else "/nonexistent",
        }
        words = ["run", "one.csv", *QUICK, "--webhook", f"https://localhost:{hooked.port}/"]
        ended = await wait(start(here, words, env=variables))
        assert ended.code == 0, ended.err
        assert here.assert_pictures_whole("one") == 1
    assert json.loads(news[0].partition(b"\r\n\r\n")[2])["event"] == "ended"


async def test_the_surroundings_alone_add_no_authority(tmp_path: Path) -> None:
    """SSL_CERT_FILE is for other programs, until the setting says `system`."""
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "company.pem")

    async def script(call: Call) -> None:
        await call.read()

    async with desk(tmp_path) as here, serve(script, tls=context) as wire:
        variables = {
            "RUNCOMFY_MODEL_API_BASE": f"https://localhost:{wire.port}/v1",
            "SSL_CERT_FILE": "company.pem",
        }
        ended = await wait(start(here, ["run", here.sheet(1), *QUICK], env=variables))
        assert ended.code == 69, ended.err
        assert wire.requests == []


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (None, "No such file or directory"),
        ("no certificate", "there is no certificate in it"),
        ("", "there is no certificate"),
    ],
)
def test_a_file_without_authorities_is_said(written: str | None, why: str, tmp_path: Path) -> None:
    """Before anything is sent."""
    file = tmp_path / "ca.pem"
    if written is not None:
        file.write_text(written)
    with pytest.raises(UsageProblem, match=why) as found:
        tls_context(str(file))
    assert str(file) in found.value.message
