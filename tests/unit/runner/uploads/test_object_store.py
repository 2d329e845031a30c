"""Pictures in a store: S3 on loopback for what a store does, and errors for what it may say."""

import urllib.request
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.errors import UsageProblem
from runner.uploads.object_store import Hitch, Refusal, judged, open_bucket
from tests.support.s3 import S3, s3_server

DIGEST = "5" * 64


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """An S3 server with an empty bucket."""
    with s3_server(monkeypatch) as server:
        yield server


def test_what_is_put_there_can_be_fetched_by_its_signed_address(s3: S3) -> None:
    """With its type, whole, and signed for as long as was said."""
    bucket = open_bucket("s3://refs/night/")
    place = bucket.place(DIGEST, "image/jpeg")
    assert place == f"refs/night/{DIGEST}.jpg"
    assert bucket.holds(place, 3) is False
    bucket.put(place, b"abc", "image/jpeg")
    assert (bucket.holds(place, 3), bucket.holds(place, 4)) == (True, False)
    assert s3.keys() == [f"night/{DIGEST}.jpg"]
    url = bucket.sign(place, 7200.5)
    assert "X-Amz-Expires=7200&" in url
    with urllib.request.urlopen(url) as answer:
        assert (answer.read(), answer.headers["content-type"]) == (b"abc", "image/jpeg")


def test_a_bucket_that_is_not_there_is_refused(s3: S3) -> None:
    """It does not come about by asking again."""
    bucket = open_bucket("s3://nobody/night")
    with pytest.raises(FileNotFoundError) as missing:
        bucket.put(bucket.place(DIGEST, "image/png"), b"abc", "image/png")
    assert isinstance(judged(missing.value), Refusal)


def test_without_credentials(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal, too."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    bucket = open_bucket("s3://refs")
    with pytest.raises(Exception, match="credentials") as missing:
        bucket.put(bucket.place(DIGEST, "image/png"), b"abc", "image/png")
    assert isinstance(judged(missing.value), Refusal)


def test_a_server_that_is_gone_is_a_hitch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worth another try; told without what a link may hold."""
    with s3_server(monkeypatch):
        bucket = open_bucket("s3://refs")
    with pytest.raises(Exception, match="endpoint") as gone:
        bucket.put(bucket.place(DIGEST, "image/png"), b"abc", "image/png")
    assert isinstance(judged(gone.value), Hitch)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError("Access Denied"), Refusal),
        (FileNotFoundError("NoSuchBucket"), Refusal),
        (OSError(22, "IllegalLocation"), Refusal),
        (NotImplementedError(), Refusal),
        (ValueError("Invalid bucket name"), Refusal),
        (type("TokenRetrievalError", (Exception,), {})("sso"), Refusal),
        (type("ParamValidationError", (Exception,), {})("x"), Refusal),
        (type("ProfileNotFound", (Exception,), {})("x"), Refusal),
        (type("EndpointConnectionError", (Exception,), {})("x"), Hitch),
        (type("ReadTimeoutError", (Exception,), {})("x"), Hitch),
        (OSError(16, "SlowDown"), Hitch),
        (OSError(5, "InternalError"), Hitch),
        (TimeoutError(), Hitch),
        (ConnectionResetError(), Hitch),
        (RuntimeError("odd"), Hitch),
    ],
)
def test_what_a_store_may_say(error: Exception, kind: type) -> None:
    """What only a person can change is a refusal; in doubt it is asked again."""
    assert isinstance(judged(error), kind)


def test_the_words_hold_no_signature() -> None:
    """Nor more than a person reads."""
    told = judged(OSError(5, "https://s/x?X-Amz-Signature=1 is\nnot there " + "x" * 500)).reason
    assert "Signature" not in told
    assert "\n" not in told
    assert len(told) < 230


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("memory://x", "cannot sign addresses"),
        ("nobody://x", "No store is known as nobody://"),
    ],
)
def test_a_store_that_does_not_do(url: str, words: str) -> None:
    """Told before anything is sent."""
    with pytest.raises(UsageProblem, match=words):
        open_bucket(url)


@pytest.mark.parametrize("missing", ["fsspec", "s3fs"])
def test_what_is_not_installed_is_told_with_the_command(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """A plain installation has none of it."""

    def load(name: str) -> Any:
        if missing == "fsspec":
            raise ImportError(f"No module named {name!r}")
        return SimpleNamespace(get_filesystem_class=get)

    def get(scheme: str) -> Any:
        raise ImportError(f"Install s3fs to access {scheme}")

    monkeypatch.setattr("importlib.import_module", load)
    with pytest.raises(UsageProblem, match="need s3fs, which is not installed") as told:
        open_bucket("s3://refs")
    assert told.value.hint == "Install it beside Nightsheet: python -m pip install s3fs"
