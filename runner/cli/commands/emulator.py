"""`nightsheet emulator`: the API's stand-in on a port of this machine, until Ctrl-C."""

import signal
from contextlib import suppress
from typing import Annotated

import anyio
import typer

from runner.cli.console import console
from runner.cli.options.command import with_settings
from runner.cli.steps.open import execute, process_environment
from runner.emulator.choices import chosen
from runner.emulator.faults.profiles import load_faults
from runner.emulator.http.server import serve
from runner.emulator.settings import EmulatorSettings
from runner.providers.vendor import VENDOR
from runner.settings import Settings

EXAMPLE = "nightsheet emulator --port 8765 --faults flaky --set success_word=completed"


@with_settings("speed", "faults", "verbose")
def command(
    settings: Settings,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8765,
    choices: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="What the API's documentation leaves open, such as success_word=completed; may be repeated. "
            "docs/rehearsals.md has all of them.",
        ),
    ] = None,
) -> None:
    """Serve the emulator of the API on this machine until Ctrl-C: free, offline, and it keeps nothing.

    For a rehearsal inside one process, use --emulator with run instead.
    """
    faults = load_faults(settings.faults) if settings.faults else ()
    emulator = chosen(choices or (), settings.speed, faults)
    with suppress(KeyboardInterrupt):  # where signals cannot be awaited, on Windows
        execute(lambda: _serve(emulator, port))


async def _serve(emulator: EmulatorSettings, port: int) -> None:
    async with serve(emulator, process_environment().clock, port=port) as handle:
        console.message("The emulator listens until Ctrl-C. Paste this into the shell that you call it from:")
        console.result(f"export {VENDOR.base_variable}={handle.base_url}")
        console.result(f"export {VENDOR.token_variable}=anything")
        try:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _signal in signals:
                    return
        except NotImplementedError:
            await anyio.sleep_forever()
