"""What signs a URL is taken out, and nothing else is."""

import pytest

from jobs.signed_urls import unsigned, without_signature_values

FILE = "https://bucket.example/a%20b.png"


@pytest.mark.parametrize(
    ("url", "left"),
    [
        (FILE, FILE),
        (f"{FILE}?v=2&w=100", f"{FILE}?v=2&w=100"),
        (f"{FILE}?X-Amz-Algorithm=A&X-Amz-Date=D&x-amz-SIGNATURE=s", FILE),
        (f"{FILE}?v=2&X-Amz-Date=D&w=1", f"{FILE}?v=2&w=1"),
        (f"{FILE}?X-Goog-Signature=s&X-Goog-Expires=9", FILE),
        (f"{FILE}?AWSAccessKeyId=K&Signature=s&Expires=1", FILE),
        (f"{FILE}?GoogleAccessId=K&Signature=s&Expires=1", FILE),
        (f"{FILE}?Policy=p&Signature=s&Key-Pair-Id=K", FILE),
        (f"{FILE}?OSSAccessKeyId=K&Signature=s&Expires=1&x-oss-process=p", FILE),
        (f"{FILE}?sv=1&st=2&se=3&sr=b&sp=r&sig=s&part=4", f"{FILE}?part=4"),
        (f"{FILE}?q-sign-algorithm=sha1&q-signature=s", FILE),
        (f"{FILE}?sv=1&policy=low", f"{FILE}?sv=1&policy=low"),
        (f"{FILE}?signature-of=the-artist", f"{FILE}?signature-of=the-artist"),
        (f"{FILE}?sig=s#part", f"{FILE}#part"),
        (f"{FILE}?", f"{FILE}?"),
    ],
)
def test_a_url_without_its_signature(url: str, left: str) -> None:
    """Of each of the usual stores. Short names are a signature's only beside one."""
    assert unsigned(url) == left


def test_a_text_keeps_the_names() -> None:
    """So that a reader sees what was there."""
    text = 'see "x?X-Amz-Signature=abc&v=1" and Expires=5'
    assert without_signature_values(text) == 'see "x?X-Amz-Signature=…&v=1" and Expires=…'
