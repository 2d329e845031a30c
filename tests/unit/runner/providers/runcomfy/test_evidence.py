"""What is kept of an answer that is no receipt."""

import pytest

from runner.http.replies import Answer
from runner.providers.runcomfy.evidence import LONGEST_BODY_BYTES, raw_answer


def test_who_answered_and_with_what() -> None:
    """The telling headers, and no others; the body as text."""
    headers = {
        "server": "nginx",
        "set-cookie": "session=1",
        "x-varnish": "32770",
        "content-type": "text/html",
    }
    kept = raw_answer(Answer(502, headers, b"<html>\r\n<h1>502</h1>\x00\x1b[31m\xff"))
    assert kept.status == 502
    assert dict(kept.headers) == {"content-type": "text/html", "server": "nginx", "x-varnish": "32770"}
    assert kept.body == "<html> \n<h1>502</h1>  [31m�"


def test_signatures_are_left_out_and_ids_are_not() -> None:
    """A link that is signed opens a picture of the user's; a request_id is what is looked for."""
    body = b'{"a": "https://s3.example/x.png?X-Amz-Signature=abc&Expires=1", "b": "//cdn.example/y?sig=2"}'
    headers = {"location": "https://x.example/status?token=secret&request_id=abc.1"}
    kept = raw_answer(Answer(302, headers, body))
    assert kept.body == '{"a": "https://s3.example/x.png?…", "b": "//cdn.example/y?…"}'
    assert kept.headers["location"] == "https://x.example/status?request_id=abc.1&…"


@pytest.mark.parametrize(
    "said",
    [
        r'{"u": "https://s3.example/x.png?X-Amz-Algorithm=AWS4\u0026X-Amz-Signature=dead\u0026a=1"}',
        r'{"u": "https:\/\/s3.example\/x.png?X-Amz-Signature=dead"}',
        '<a href="https://s3.example/x?a=1&amp;Signature=dead&amp;Expires=1">',
        "/x.png?X-Amz-Signature=dead&sig=dead",
    ],
)
def test_a_signature_is_left_out_however_it_is_written(said: str) -> None:
    """As JSON of other languages and HTML write it, and in an address without a host."""
    kept = raw_answer(Answer(302, {"location": said}, said.encode()))
    assert "dead" not in kept.body
    assert "dead" not in kept.headers["location"]


def test_an_id_in_a_query_of_json_is_kept() -> None:
    """Between signatures."""
    said = rb'{"u": "https://x.example/s?sig=1\u0026request_id=abc.1\u0026Expires=2"}'
    assert "request_id=abc.1" in raw_answer(Answer(200, {}, said)).body


def test_a_long_answer_is_cut() -> None:
    """A page of a megabyte is not kept for each row of a bad night."""
    kept = raw_answer(Answer(500, {"server": "x" * 5000}, b"a" * 10_000))
    assert len(kept.body) == LONGEST_BODY_BYTES
    assert len(kept.headers["server"]) == 300
