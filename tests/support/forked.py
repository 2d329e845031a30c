"""The real command hundreds of times: a process that has imported it all, and forks for each.

It lives in a mount namespace of its own, where the machine allows one: what is mounted in it is seen by its
commands alone, and is gone with it. It has no right to write where the permissions of a file forbid it, root
or not. `python -m tests.support.forked` is that process; `forks` starts it.
"""

import asyncio
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from io import FileIO
from pathlib import Path
from typing import Any

import anyio

from tests.support.command import QUICK
from tests.support.warm import fast_folder, warm

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 60.0
"""No command of a few rows takes as long."""

_OBEYS_PERMISSIONS = (
    *("setpriv", "--bounding-set=-dac_override,-dac_read_search"),
    "--inh-caps=-dac_override,-dac_read_search",
)
_PACKAGES = ("runner", "jobs")
_SHEET = "model,prompt\nbytedance/seedream-4-5/text-to-image,a boat\n"
_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended; a signal's number is negative, None is one that had to be killed."""

    code: int | None
    said: str
    """All that it wrote to the terminal."""


@dataclass
class Forked:
    """A command that was started."""

    pid: int
    _said: Path
    _code: asyncio.Future[int]

    @property
    def is_over(self) -> bool:
        return self._code.done()

    def send(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if not self.is_over:
            os.kill(self.pid, number)

    async def end(self) -> Finished:
        """Wait for it; kill it where it takes longer than any should."""
        code: int | None = None
        with anyio.move_on_after(LIMIT_SECONDS):
            code = await asyncio.shield(self._code)
        if code is None:
            os.kill(self.pid, 9)
            await self._code
        return Finished(code, self._said.read_text(errors="replace"))


@dataclass
class Forks:
    """The process that forks, from outside."""

    folder: Path
    """Where it keeps what commands say."""
    process: asyncio.subprocess.Process
    mounts: bool
    """Whether it has a mount namespace of its own."""
    _started: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    _codes: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    _number: int = 0
    _ended: bool = False

    async def start(self, cwd: Path, env: Mapping[str, str], *arguments: str) -> Forked:
        """Start `nightsheet` with these arguments."""
        return await self._ask({"cwd": str(cwd), "env": dict(env), "arguments": arguments})

    async def run(self, cwd: Path, env: Mapping[str, str], *arguments: str) -> Finished:
        """Run `nightsheet` with these arguments to its end."""
        return await (await self.start(cwd, env, *arguments)).end()

    async def shell(self, *words: str) -> None:
        """Run another program, which must succeed: `mount`, or what has to be seen behind a mount."""
        ended = await (await self._ask({"program": words})).end()
        assert ended.code == 0, f"{' '.join(words)}: {ended.said}"

    async def _ask(self, request: dict[str, Any]) -> Forked:
        assert not self._ended, "the process that forks has ended"
        self._number += 1
        loop = asyncio.get_running_loop()
        started = self._started[self._number] = loop.create_future()
        code = self._codes[self._number] = loop.create_future()
        said = self.folder / f"said-{self._number}"
        assert self.process.stdin is not None
        line = json.dumps(request | {"number": self._number, "said": str(said)})
        self.process.stdin.write(line.encode() + b"\n")
        return Forked(await started, said, code)

    async def listen(self) -> None:
        """Take in what it tells, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            told = json.loads(line)
            waiting = self._started if "pid" in told else self._codes
            waiting.pop(told["number"]).set_result(told["pid" if "pid" in told else "code"])
        self._ended = True
        for waits in (*self._started.values(), *self._codes.values()):
            waits.set_exception(RuntimeError("the process that forks has ended"))


@asynccontextmanager
async def forks(folder: Path) -> AsyncIterator[Forks]:
    """A process that forks, for the length of the block; it ends with all that it has started."""
    process = await asyncio.create_subprocess_exec(
        *_prefix(),
        *(sys.executable, "-m", "tests.support.forked"),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    here = Forks(folder, process, can_mount())
    listening = asyncio.create_task(here.listen())
    try:
        yield here
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening


@cache
def can_mount() -> bool:
    """Whether this machine lets us mount something for ourselves."""
    tried = "mount -t tmpfs none /mnt && mount --bind /mnt /mnt"
    return not _refused(*_own_mounts(), "sh", "-c", tried)


@cache
def obeys_permissions() -> bool:
    """Whether what is read-only by its permissions is read-only to a command."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return not ((root or can_mount()) and _refused(*_OBEYS_PERMISSIONS, "true"))


def obeying() -> tuple[str, ...]:
    """What stands before a command that is to obey permissions, if that is needed."""
    return _OBEYS_PERMISSIONS if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


def _own_mounts() -> tuple[str, ...]:
    return ("unshare", "-m") if hasattr(os, "geteuid") and os.geteuid() == 0 else ("unshare", "-r", "-m")


def _prefix() -> tuple[str, ...]:
    return (*(_own_mounts() if can_mount() else ()), *(_OBEYS_PERMISSIONS if obeys_permissions() else ()))


def _refused(*words: str) -> bool:
    if shutil.which(words[0]) is None:
        return True
    return subprocess.run(words, capture_output=True, check=False).returncode != 0


# -- the process itself: one thread, so that it may fork --


def main() -> None:
    """Fork for each line of standard input; end with it, and with all that still runs."""
    told = FileIO(os.dup(1), "wb")
    os.dup2(2, 1)
    _import_all()
    with warm():
        _rehearse()
        _only_thread()
        gc.collect()
        gc.freeze()  # a collection in a child would copy all that it shares with this process
        _fork(told)


def _only_thread() -> None:
    """Wait for threads that are about to end: with one beside it, it may not fork."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(LIMIT_SECONDS)
    assert threading.active_count() == 1, threading.enumerate()


def _fork(told: FileIO) -> None:
    poll = select.poll()
    poll.register(0, select.POLLIN)
    running: dict[int, tuple[int, int]] = {}
    rest = b""
    while True:
        for descriptor, _event in poll.poll():
            if descriptor in running:
                number, pid = running.pop(descriptor)
                poll.unregister(descriptor)
                os.close(descriptor)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                told.write(json.dumps({"number": number, "code": code}).encode() + b"\n")
                continue
            read = os.read(0, _CHUNK)
            if not read:
                for _number, pid in running.values():
                    os.kill(pid, 9)
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                request = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    _become(request, told.fileno())
                ended = os.pidfd_open(pid)
                running[ended] = (request["number"], pid)
                poll.register(ended, select.POLLIN)
                told.write(json.dumps({"number": request["number"], "pid": pid}).encode() + b"\n")


def _import_all() -> None:
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def _rehearse() -> None:
    """Be each command once: what is imported and compiled for it is there for all that are forked."""
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder, Path(os.devnull).open("w") as nowhere:
        cwd, env = Path.cwd(), dict(os.environ)
        request: dict[str, Any] = {"cwd": folder, "env": {"HOME": folder, "XDG_STATE_HOME": folder}}
        (Path(folder) / "sheet.csv").write_text(_SHEET)
        try:
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                for verb in (("run", "sheet.csv"), ("run", "sheet.csv"), ("resume",)):
                    assert _command(request | {"arguments": [*verb, "--emulator", *QUICK]}) == 0, verb
        finally:
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(env)


def _become(request: Mapping[str, Any], told: int) -> None:
    """In the child: be the command, and never come back."""
    code = 99
    try:
        os.close(told)
        said = os.open(request["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, target in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(descriptor, target)
        if "program" in request:
            words: list[str] = request["program"]
            os.execvp(words[0], words)
        code = _command(request)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _command(request: Mapping[str, Any]) -> int:
    from runner.cli.app import main as nightsheet

    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["nightsheet", *request["arguments"]]
    try:
        nightsheet()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0


if __name__ == "__main__":
    main()
