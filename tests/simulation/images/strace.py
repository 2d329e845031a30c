"""From the lines of strace to what was done to one folder. A call that is not understood is an error."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.images.disk import Named, Op, Sent, Sized, Synced, Unnamed, Written

_CALLS = (
    *("open", "openat", "creat", "read", "write", "pwrite64", "lseek", "ftruncate", "fallocate"),
    *("fsync", "fdatasync", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "access", "faccessat"),
    *("faccessat2", "rename", "renameat", "renameat2", "link", "linkat", "sendfile", "mmap"),
)
_NOT_UNDERSTOOD = (
    *("writev", "pwritev", "pwritev2", "truncate", "copy_file_range", "splice", "symlink", "symlinkat"),
)
TRACED = (
    *("-y", "-xx", "-s", "100000000", "-e", "signal=none", "-e", "raw=read"),
    *("-e", f"trace={','.join((*_CALLS, *_NOT_UNDERSTOOD))}"),
)
"""What strace has to be told. What is read is not shown: there is too much of it."""
_ASKS = ("access", "faccessat", "faccessat2")

_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+)(?:<(.*)>)?(?: .*)?$", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>,? ?(.*)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"(\w+)<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?")


@dataclass(frozen=True, slots=True)
class _Call:
    """One system call."""

    name: str
    arguments: list[str]
    result: int
    began: int
    """How many ops there were when it began."""

    def text(self, number: int) -> bytes:
        found = _TEXT.fullmatch(self.arguments[number])
        assert found is not None, self
        return _plain(found[1])

    def number(self, number: int) -> int:
        return int(self.arguments[number], 0)

    def descriptor(self, number: int) -> tuple[int, Path]:
        """A file's number in its process, and its path."""
        found = _DESCRIPTOR.fullmatch(self.arguments[number])
        assert found is not None, self
        path = Path() if found[3] else Path(_plain(found[2]).decode())
        return -1 if found[1] == "AT_FDCWD" else int(found[1]), path

    def path(self, number: int) -> Path:
        return Path(self.text(number).decode())

    def path_at(self, number: int) -> Path:
        """A path behind the folder that it starts from."""
        return self.descriptor(number)[1] / self.path(number + 1)


@dataclass(frozen=True, slots=True)
class Told:
    """Paths that are nowhere. Who asks for one says something to whoever looks on."""

    ready: str
    """Said before all that counts, and after it."""
    submit: str
    """Followed by a prompt: a submit leaves."""
    question: str
    """Followed by a request_id: a free call about it leaves."""

    def read(self, path: str) -> Iterator[Sent]:
        """What is said with a path, if anything is."""
        for said, is_paid in ((self.submit, True), (self.question, False)):
            if path.startswith(said):
                yield Sent(path.removeprefix(said), is_paid)


@dataclass
class _Reader:
    folder: Path
    is_on: bool = False
    many: int = 0
    names: dict[Path, int] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    """By descriptor: where the next `write` goes."""
    files: int = 0

    def read(self, lines: Iterable[str], told: "Told") -> Iterator[Op | Sent]:
        """What was done between the two times that `told.ready` was asked for."""
        unfinished: dict[str, tuple[str, int]] = {}
        for line in lines:
            found = _LINE.match(line)
            assert found is not None, line
            thread, text = found.groups()
            began = self.many
            if text.endswith(_UNFINISHED):
                unfinished[thread] = (text.removesuffix(_UNFINISHED), began)
                continue
            if resumed := _RESUMED.match(text):
                begun, began = unfinished.pop(thread)
                text = begun + resumed[1]
            call = _call(text, began)
            if call is None or (call.result < 0 and call.name not in _ASKS):
                continue
            if call.name in _ASKS:
                asked = str(call.path(0) if call.name == "access" else call.path(1))
                self.is_on ^= asked == told.ready
                done: Iterable[Op | Sent] = told.read(asked)
            else:
                done = self._done(call)
            for op in done:
                if self.is_on:
                    self.many += 1
                    yield op

    def _done(self, call: _Call) -> Iterator[Op]:
        match call.name:
            case "read":
                self.places[call.number(0)] = self.places.get(call.number(0), 0) + call.result
            case "lseek":
                self.places[call.descriptor(0)[0]] = call.result
            case "open" | "creat":
                yield from self._opened(
                    call, call.path(0), call.arguments[1] if call.name == "open" else "O_CREAT"
                )
            case "openat":
                yield from self._opened(call, call.path_at(0), call.arguments[2])
            case "write":
                descriptor, path = call.descriptor(0)
                if (file := self._file(path)) is not None:
                    place = self.places.get(descriptor, 0)
                    self.places[descriptor] = place + call.result
                    yield Written(file, place, call.text(1)[: call.result])
            case "pwrite64":
                if (file := self._file(call.descriptor(0)[1])) is not None:
                    yield Written(file, call.number(3), call.text(1)[: call.result])
            case "ftruncate":
                if (file := self._file(call.descriptor(0)[1])) is not None:
                    yield Sized(file, call.number(1))
            case "fallocate":
                if (file := self._file(call.descriptor(0)[1])) is not None:
                    assert call.arguments[1] == "0", f"not understood: {call}"
                    yield Sized(file, call.number(2) + call.number(3), only_grows=True)
            case "fsync" | "fdatasync":
                path = call.descriptor(0)[1]
                below = self._below(path)
                if (file := self._file(path)) is not None:
                    yield Synced(file, call.began)
                elif below is not None:
                    yield Synced(below, call.began)
            case "mkdir" | "mkdirat":
                path = call.path(0) if call.name == "mkdir" else call.path_at(0)
                if (below := self._below(path)) is not None:
                    yield Named(0, below, is_folder=True)
            case "rmdir" | "unlink" | "unlinkat":
                path = call.path_at(0) if call.name == "unlinkat" else call.path(0)
                if (below := self._below(path)) is not None:
                    self.names.pop(below, None)
                    yield Unnamed(below)
            case "rename" | "renameat" | "renameat2" | "link" | "linkat":
                yield from self._renamed(call)
            case "mmap":
                shared = "MAP_SHARED" in call.arguments[3] and "PROT_WRITE" in call.arguments[2]
                if shared and not call.arguments[4].startswith("-1"):
                    path = call.descriptor(4)[1]
                    assert self._below(path) is None or path.name.endswith("-shm"), f"not understood: {call}"
            case _:
                assert not any(self._spelled in text for text in call.arguments), f"not understood: {call}"

    @property
    def _spelled(self) -> str:
        """The folder, as strace shows it."""
        return "".join(f"\\x{byte:02x}" for byte in bytes(self.folder))

    def _opened(self, call: _Call, path: Path, flags: str) -> Iterator[Op]:
        self.places[call.result] = 0
        below = self._below(path)
        if below is None:
            return
        assert "O_APPEND" not in flags, f"not understood: {call}"
        if "O_CREAT" in flags and below not in self.names:
            self.files += 1
            self.names[below] = self.files
            yield Named(self.files, below)
        elif "O_TRUNC" in flags and below in self.names:
            yield Sized(self.names[below], 0)

    def _renamed(self, call: _Call) -> Iterator[Op]:
        at = call.name not in ("rename", "link")
        source = self._below(call.path_at(0) if at else call.path(0))
        target = self._below(call.path_at(2) if at else call.path(1))
        if source is None and target is None:
            return
        assert source is not None, f"not understood: {call}"
        assert target is not None, f"not understood: {call}"
        assert source in self.names, f"not understood: {call}"
        is_link = "link" in call.name
        file = self.names[target] = self.names[source] if is_link else self.names.pop(source)
        yield Named(file, target, None if is_link else source)

    def _below(self, path: Path) -> Path | None:
        return path.relative_to(self.folder) if path.is_relative_to(self.folder) else None

    def _file(self, path: Path) -> int | None:
        """The file that a path stands for; None for a folder, and for what is elsewhere or has no name."""
        below = self._below(path)
        return None if below is None else self.names.get(below)


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _call(text: str, began: int) -> _Call | None:
    found = _CALL.match(text)
    if found is None:
        assert text.startswith(("+++", "---")) or text.endswith("= ?"), f"not understood: {text[:200]}"
        return None
    name, arguments, result, _path = found.groups()
    return _Call(name, arguments.split(", "), int(result, 0), began)


def ops_of(lines: Iterable[str], folder: Path, told: Told) -> Iterator[Op | Sent]:
    """What was done to a folder, and what left for the API."""
    return _Reader(folder).read(lines, told)
