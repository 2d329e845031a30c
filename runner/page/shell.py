"""The shell of the page with its style, and its script: the same for everybody, and without a secret.

The style is in the shell, so that it is painted as soon as it is there; the policy names the style by its
hash, and allows no other.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from starlette.responses import Response

from runner.page.access.guard import policy, refused
from runner.page.script import one_script, without_comments

_TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
_KEPT = {"cache-control": "public, max-age=31536000, immutable"}
_VERSION, _STYLE = "VERSION", "STYLE"
"""Stand in the shell for the name of this version of its files, and for the style."""
_SUFFIXES = {*_TYPES, "css"}


def shell() -> Response:
    """The page's one document; what it shows is in its address, which its modules read."""
    text = static_files()["index.html"].decode().replace(_VERSION, version()).replace(_STYLE, served_style())
    digest = base64.b64encode(hashlib.sha256(served_style().encode()).digest()).decode()
    headers = {"content-security-policy": policy(f"'sha256-{digest}'")}
    return Response(text, headers=headers, media_type=_TYPES["html"])


def static_file(path: str) -> Response:
    """The script or the icon: VERSION/NAME. Its address has the version, so a browser keeps it."""
    its_version, _, name = path.partition("/")
    data = served_files().get(name)
    if data is None or its_version != version():
        return refused(404)
    return Response(data, media_type=_TYPES[name.rpartition(".")[2]], headers=_KEPT)


@cache
def static_files() -> dict[str, bytes]:
    """Every file that the shell is made of, by its name. There are some dozen small ones."""
    folder = files("runner.page") / "static"
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in _SUFFIXES
    }


@cache
def served_files() -> dict[str, bytes]:
    """What a browser gets beside the shell: all modules as one script."""
    texts = {name: data.decode() for name, data in static_files().items()}
    modules = {name.removesuffix(".js"): text for name, text in texts.items() if name.endswith(".js")}
    return {
        "page.js": one_script(modules, "app").encode(),
        "icon.svg": static_files()["icon.svg"],
    }


@cache
def served_style() -> str:
    """The style that the shell has in it."""
    return without_comments(static_files()["style.css"].decode())


@cache
def version() -> str:
    """Another one for each content of the files."""
    told = hashlib.sha256()
    for name, data in sorted(static_files().items()):
        told.update(f"{name} {len(data)} ".encode() + data)
    return told.hexdigest()[:16]
