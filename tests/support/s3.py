"""A real S3 server on loopback, in this process, for the time of a test."""

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import unescape

import pytest
from moto.server import ThreadedMotoServer

SECRET = "canary-s3-secret"
REGION = "eu-central-1"
_PLACE = (
    '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    f"<LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
)


@dataclass(frozen=True)
class S3:
    """The server, as a test sees it."""

    url: str
    bucket: str

    @property
    def env(self) -> dict[str, str]:
        """What leads a client there, with credentials."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def keys(self) -> list[str]:
        """What lies in the bucket."""
        return [unescape(key) for key in re.findall("<Key>(.*?)</Key>", self.listing())]

    def listing(self) -> str:
        """The bucket's own list, with the moments of the uploads."""
        with urllib.request.urlopen(f"{self.url}/{self.bucket}?list-type=2") as answer:
            return str(answer.read().decode())


@contextmanager
def s3_server(patch: pytest.MonkeyPatch, bucket: str = "refs") -> Iterator[S3]:
    """A server with an empty bucket; the environment leads to it, and to no store of this machine's user."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        s3 = S3(f"http://{host}:{port}", bucket)
        _ask(f"{s3.url}/moto-api/reset", "POST")
        _ask(f"{s3.url}/{bucket}", "PUT", _PLACE.encode())
        for name, value in s3.env.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        yield s3
    finally:
        server.stop()


def files_with(folder: Path, *words: str) -> list[Path]:
    """The files below a folder that hold any of these."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(word.encode() in path.read_bytes() for word in words)]


def _ask(url: str, method: str, data: bytes = b"") -> None:
    with urllib.request.urlopen(urllib.request.Request(url, data, method=method)):
        pass
