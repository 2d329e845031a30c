"""A store that images are uploaded to for the API to fetch: any fsspec filesystem that signs URLs.

Everything here blocks, so call it in a worker thread. fsspec and its packages are imported late, because only
those who upload need them. `judged` translates the errors of a store and repeats nothing that may be secret.
"""

import errno
import importlib
import re
from dataclasses import dataclass
from typing import Any

from jobs.errors import UsageProblem

_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}
_BOTO = {
    "signature_version": "s3v4",  # the older one is still the default in one region, and refused in others
    "connect_timeout": 10,
    "read_timeout": 30,
    "retries": {"total_max_attempts": 1, "mode": "standard"},  # the caller retries
    "request_checksum_calculation": "when_required",  # not every server that speaks S3 knows the others
    "response_checksum_validation": "when_required",
}
_OPTIONS: dict[str, dict[str, Any]] = {scheme: {"config_kwargs": _BOTO} for scheme in ("s3", "s3a")}
_TYPED = {"s3": "ContentType", "s3a": "ContentType", "gs": "content_type", "gcs": "content_type"}
"""The parameter of each store for a content type."""

_FOR_GOOD = frozenset({errno.EACCES, errno.EPERM, errno.ENOENT, errno.EINVAL, errno.ENOSYS})
_FOR_GOOD_BY_NAME = re.compile(r"Credential|Token|Profile|Validation|Region|InvalidEndpoint|Auth|Forbidden")
_SECRETS = re.compile(r"\?\S*")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The store accepts nothing until a person changes something: credentials, a bucket, a setting."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hitch:
    """The store or the network failed: worth a retry."""

    reason: str


class Bucket:
    """A prefix in a store, with images named by their content."""

    def __init__(self, files: Any, root: str, scheme: str) -> None:
        self._files = files
        self._root = root
        self._scheme = scheme
        self.shown = f"{scheme}://{root}"

    def place(self, sha256: str, media_type: str) -> str:
        """The path of an image, made of its content's hash, so that it is stored once."""
        return f"{self._root}/{sha256}.{'jpg' if media_type == 'image/jpeg' else 'png'}"

    def holds(self, place: str, size: int) -> bool:
        """Whether it is there in full. False if the store does not let us look: then it is uploaded again."""
        try:
            return bool(self._files.info(place).get("size") == size)
        except (FileNotFoundError, PermissionError):
            return False

    def put(self, place: str, data: bytes, media_type: str) -> None:
        """Upload it, whole or not at all."""
        typed = {_TYPED[self._scheme]: media_type} if self._scheme in _TYPED else {}
        self._files.pipe_file(place, data, **typed)

    def sign(self, place: str, seconds: float) -> str:
        """A URL from which anyone can fetch it for `seconds`. Makes no request."""
        return str(self._files.sign(place, expiration=int(seconds)))


def open_bucket(url: str) -> Bucket:
    """The prefix that a setting names, such as `s3://bucket/prefix`. Makes no request yet.

    Raises:
        UsageProblem: its package is not installed, or it cannot sign URLs.
    """
    scheme, _, root = url.partition("://")
    try:
        fsspec = importlib.import_module("fsspec")
        kind = fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        raise _missing(scheme) from error
    if kind.sign is fsspec.AbstractFileSystem.sign:
        raise UsageProblem(
            f"{scheme}:// cannot sign addresses that the API could fetch pictures from.",
            hint="Take a store that can, such as s3://BUCKET/PREFIX.",
        )
    try:
        files = kind(skip_instance_cache=True, use_listings_cache=False, **_OPTIONS.get(scheme, {}))
    except Exception as error:  # each store has its own: all of them are about its settings
        raise UsageProblem(
            f"The store {scheme}:// cannot be opened: {_words(error)}.", hint="See its own settings."
        ) from error
    if hasattr(files, "retries"):
        files.retries = 1  # the caller retries, and knows when to stop
    return Bucket(files, root.rstrip("/"), scheme)


def judged(error: Exception) -> Refusal | Hitch:
    """What an exception of a store means. If unclear it is worth a retry, which costs nothing."""
    number = getattr(error, "errno", None)
    for_good = isinstance(error, PermissionError | FileNotFoundError | NotImplementedError | ValueError)
    if for_good or number in _FOR_GOOD or _FOR_GOOD_BY_NAME.search(type(error).__name__):
        return Refusal(_words(error))
    return Hitch(_words(error))


def _words(error: Exception) -> str:
    text = _SECRETS.sub("", " ".join(str(error).split()))[:200].rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _missing(scheme: str) -> UsageProblem:
    package = _PACKAGES.get(scheme)
    if package is None:
        return UsageProblem(
            f"No store is known as {scheme}://.",
            hint="Take one that fsspec knows, such as s3://BUCKET/PREFIX.",
        )
    return UsageProblem(
        f"Uploads to {scheme}:// need {package}, which is not installed.",
        hint=f"Install it beside Nightsheet: python -m pip install {package}",
    )
