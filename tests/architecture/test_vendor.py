"""Nothing but the vendor's own package, the catalog and the emulator names the vendor or its models.

Another vendor is then another package and the imports of two files, and no text elsewhere is wrong for it.
"""

import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.architecture.sources import imported, sources

VENDOR = re.compile("runcomfy", re.IGNORECASE)
MODELS = re.compile("bytedance|seedream", re.IGNORECASE)
PACKAGE = "runner.providers.runcomfy"
HOME = "runner/providers/runcomfy/"
KNOW_THE_MODELS = ("jobs/catalog/", "runner/emulator/")
WIRING = ("runner/providers/connect.py", "runner/providers/vendor.py")
"""They import the vendor's package, so its name stands in their code; never in their texts."""


def mentions(path: str, source: str) -> Iterator[str]:
    """Every place where a file names what it must not know, docstrings and comments included."""
    words = [] if path.startswith((HOME, *KNOW_THE_MODELS)) else [VENDOR]
    words += [] if path.startswith(KNOW_THE_MODELS) else [MODELS]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        wired = path in WIRING and token.type == tokenize.NAME
        for word in words:
            if word.search(token.string) and not (wired and word is VENDOR):
                yield f"{path}:{token.start[0]}: {token.string.strip()[:80]}"


def imports(path: str, source: str) -> Iterator[str]:
    """Every import of the vendor's package from outside it, but for the wiring's."""
    if not path.startswith(HOME) and path not in WIRING:
        yield from (f"{path}:{use.line}: {use.name}" for use in imported(path, source) if use.under(PACKAGE))


def test_no_file_names_the_vendor() -> None:
    """All of them at once, each with its line."""
    found = [line for path, source in sources().items() for line in mentions(path, source)]
    assert not found, "\n".join(found)


def test_two_files_import_the_vendor() -> None:
    """The emulator and the catalog, which may name it, do not share code with it."""
    found = [line for path, source in sources().items() for line in imports(path, source)]
    assert not found, "\n".join(found)
    idle = [path for path in WIRING if not any(use.under(PACKAGE) for use in imported(path, sources()[path]))]
    assert not idle, f"{idle} need no exception"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("runner/http/api_url.py", 'HOST = ".runcomfy.net"'),
        ("runner/http/api_url.py", "# RunComfy's own"),
        ("runner/workers/poll.py", '"""What RUNCOMFY has."""'),
        ("runner/workers/poll.py", 'NAME = f"{x} RunComfy"'),
        ("runner/workers/poll.py", "from runner.providers.runcomfy.responses import read"),
        ("runner/providers/connect.py", 'HINT = "runcomfy.com"'),
        ("runner/providers/vendor.py", "# as RunComfy says"),
        ("runner/cli/commands/models.py", 'EXAMPLE = "bytedance/seedream-4-5/edit"'),
        ("runner/providers/runcomfy/api.py", 'MODEL = "seedream"'),
    ],
)
def test_a_mention_is_seen(path: str, source: str) -> None:
    """In a text, a comment, a docstring and an import."""
    assert list(mentions(path, source))


@pytest.mark.parametrize(
    "path", ["runner/emulator/http/app.py", "jobs/catalog/spec.py", "runner/workers/poll.py", "runner/run.py"]
)
def test_an_import_is_seen(path: str) -> None:
    """Also from where the vendor may be named."""
    assert list(imports(path, "from runner.providers.runcomfy.api import RunComfy"))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("runner/providers/connect.py", "from runner.providers.runcomfy.api import RunComfy\nRunComfy()"),
        ("runner/providers/runcomfy/api.py", 'NAME = "RunComfy"'),
        ("runner/emulator/http/app.py", '"""RunComfy, for seedream."""'),
        ("jobs/catalog/spec.py", 'PAGE = "https://docs.runcomfy.com/seedream"'),
    ],
)
def test_what_may_know_the_vendor_is_let_be(path: str, source: str) -> None:
    """A rule that is too wide would be switched off."""
    assert not list(mentions(path, source))
    assert not list(imports(path, source))
