"""The server's life: its beginning, its end, what outlives it."""

import asyncio
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import httpx
import pytest
from blockbuster import blockbuster_ctx

from jobs.errors import LockHeld, UsageProblem
from runner.clock import SystemClock
from runner.emulator.faults.faults import Fault
from runner.emulator.http.server import serve
from runner.emulator.pictures.recipe import Recipe
from runner.emulator.settings import EmulatorSettings
from tests.unit.runner.emulator.served import SEQUENTIAL, SETTINGS, TOKEN, WAVES, Clock


async def test_it_ends_at_once_whatever_is_under_way() -> None:
    """An idle connection, a stalled call, one that drips for ever: all are broken off."""
    clock = Clock()
    faults = (
        Fault.model_validate({"endpoint": "models", "kind": "stall"}),
        Fault.model_validate({"endpoint": "balance", "kind": "drip", "times": None}),
    )
    async with httpx.AsyncClient(headers=TOKEN) as idle, httpx.AsyncClient(headers=TOKEN) as busy:
        dripping = asyncio.Event()

        async def wait(seconds: float) -> None:
            dripping.set()
            await asyncio.Event().wait()

        clock.sleep = wait  # type: ignore[method-assign]
        async with serve(SETTINGS.model_copy(update={"faults": faults}), clock) as handle:
            await idle.get(f"{handle.base_url}/emulator/ledger")
            calls = [
                asyncio.create_task(busy.get(f"{handle.base_url}/models")),
                asyncio.create_task(busy.get(f"{handle.origin}/prod/v2/balance")),
            ]
            await dripping.wait()
            await idle.get(
                f"{handle.base_url}/emulator/ledger"
            )  # by now the stalled call has arrived as well
            assert handle.service.calls["models"] == 1
        ended = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(end, httpx.HTTPError) for end in ended)


async def test_a_picture_that_is_being_drawn_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread cannot be broken off; nothing is left behind in it."""
    clock, loop = Clock(), asyncio.get_running_loop()
    drawing, drawn = asyncio.Event(), threading.Event()

    def slow(made: Recipe) -> bytes:
        loop.call_soon_threadsafe(drawing.set)
        assert drawn.wait(30)
        return b"picture"

    monkeypatch.setattr("runner.emulator.http.app.render", slow)
    async with httpx.AsyncClient(headers=TOKEN) as client:
        async with serve(SETTINGS, clock) as handle:
            answer = await client.post(f"{handle.base_url}/models/{SEQUENTIAL}", json=WAVES)
            clock.ahead = 20
            result = (await client.get(answer.json()["result_url"])).json()
            fetch = asyncio.create_task(client.get(result["output"]["images"][0]))
            await drawing.wait()
            loop.call_later(0.05, drawn.set)
        assert drawn.is_set()
        with pytest.raises(httpx.HTTPError):
            await fetch


async def test_loopback_only() -> None:
    """No other host, whoever asks for it."""
    for host in ("0.0.0.0", "192.168.0.1", "example.com", ""):
        with pytest.raises(UsageProblem, match="does not listen on"):
            async with serve(SETTINGS, Clock(), host=host):
                pass
    async with serve(SETTINGS, Clock(), host="localhost") as handle:
        assert handle.base_url == f"{handle.origin}/v1"
        assert handle.origin.startswith("http://127.0.0.1:")


async def test_a_taken_port_is_said() -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        second = serve(SETTINGS, Clock(), port=taken.getsockname()[1])
        with pytest.raises(UsageProblem, match="cannot listen on port"):
            await second.__aenter__()


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_the_other_loopback() -> None:
    """Its address is written in brackets."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")
    async with serve(SETTINGS, Clock(), host="::1") as handle, httpx.AsyncClient() as client:
        assert handle.origin.startswith("http://[::1]:")
        assert (await client.get(f"{handle.base_url}/emulator/ledger")).status_code == 200


async def test_a_state_file_is_gone_on_with(tmp_path: Path) -> None:
    """Requests, links and balance outlive the server; a second one is kept out; nothing blocks the loop."""
    clock, path = Clock(), tmp_path / "state.jsonl"
    async with httpx.AsyncClient(headers=TOKEN) as client:
        async with serve(SETTINGS, clock, path) as handle:
            with blockbuster_ctx("runner.emulator"):
                answer = await client.post(f"{handle.base_url}/models/{SEQUENTIAL}", json=WAVES)
                await client.post(f"{handle.base_url}/emulator/balance", json={"balance_usd": 3})
                clock.ahead = 20
                end = f"/v1/requests/{answer.json()['request_id']}/result"
                links = (await client.get(handle.origin + end)).json()["output"]["images"]
                assert (await client.get(links[0])).status_code == 200
            with pytest.raises(LockHeld):
                async with serve(SETTINGS, clock, path):
                    pass
        async with serve(SETTINGS, clock, path) as again:
            assert again.service.ledger == handle.service.ledger
            assert again.service.balance_usd == 3
            assert (await client.get(again.origin + end)).json()["status"] == "succeeded"
            moved = links[1].replace(handle.origin, again.origin)
            assert (await client.get(moved)).status_code == 200


@pytest.mark.process
def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    """kill -9 right after the answer: the request is there, and its picture too."""
    path = tmp_path / "state.jsonl"
    child = textwrap.dedent("""
        import asyncio, os, signal, sys
        from pathlib import Path
        import httpx
        from runner.clock import SystemClock
        from runner.emulator.http.server import serve
        from runner.emulator.settings import EmulatorSettings

        async def main():
            settings = EmulatorSettings(median_seconds=0.001, picture_scale=0.01)
            async with serve(settings, SystemClock(), Path(sys.argv[1])) as handle:
                async with httpx.AsyncClient(headers={"Authorization": "Bearer x"}) as client:
                    url = handle.base_url + "/models/bytedance/seedream-4-5/text-to-image"
                    answer = await client.post(url, json={"prompt": "x"})
                    print(answer.json()["request_id"], flush=True)
                    os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(main())
    """)
    done = subprocess.run([sys.executable, "-c", child, path], capture_output=True, text=True, timeout=50)
    assert done.returncode == -signal.SIGKILL, done.stderr

    async def look() -> None:
        async with serve(EmulatorSettings(picture_scale=0.01), SystemClock(), path) as handle:
            assert [entry.request_id for entry in handle.service.ledger] == [done.stdout.strip()]
            async with httpx.AsyncClient(headers=TOKEN) as client:
                result = await client.get(f"{handle.base_url}/requests/{done.stdout.strip()}/result")
                assert (await client.get(result.json()["output"]["image"])).status_code == 200

    asyncio.run(look())
