"""Addresses of images, as results have them."""

import pytest

from runner.http.url_policy import Blocked, ImageUrlPolicy
from runner.providers.runcomfy.endpoint import DEFAULT_BASE, IMAGE_HOSTS
from runner.providers.runcomfy.image_urls import absolute
from tests.unit.runner.providers.answering import api

ORIGIN = "https://api.example:443"


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("https://p.runcomfy.net/1.png", "https://p.runcomfy.net/1.png"),
        (
            "https://p.runcomfy.net/a%3D%2Fb.png?sig=a%2Bb&x=~",
            "https://p.runcomfy.net/a%3D%2Fb.png?sig=a%2Bb&x=~",
        ),
        ("/media/1.png", "https://api.example:443/media/1.png"),
        ("media/1.png?x=1", "https://api.example:443/media/1.png?x=1"),
        ("//p.runcomfy.net/1.png", "https://p.runcomfy.net/1.png"),
        (" https://p.runcomfy.net/a b.png ", "https://p.runcomfy.net/a%20b.png"),
        ("https://p.runcomfy.net/ö/猫.png", "https://p.runcomfy.net/%C3%B6/%E7%8C%AB.png"),
        ("/\ud800.png", "https://api.example:443/\ud800.png"),
        ("https://p.runcomfy.net/1.png?", "https://p.runcomfy.net/1.png?"),
        ("HTTPS://p.runcomfy.net/a\nb", "HTTPS://p.runcomfy.net/a\nb"),
        ("https://[::1/x.png", "https://[::1/x.png"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("data:image/png;base64,AAAA", "data:image/png;base64,AAAA"),
    ],
)
def test_an_address_is_made_whole(address: str, whole: str) -> None:
    """By the API's own origin; what a signature covers stays letter by letter."""
    assert absolute(address, ORIGIN) == whole


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example/1.png",
        "/\\evil.example/1.png",
        "https://bücher.example/1.png",
        "https://p.runcomfy.net\n.evil.example/1.png",
        "http://p.runcomfy.net/1.png",
        "https://p.runcomfy.net@evil.example/ö.png",
        "https://evil.example/ p.runcomfy.net",
        "//127.0.0.1/1.png",
        "https://p.runcomfy.net/a\nb",
        "data:image/png;base64,AAAA",
    ],
)
def test_what_leads_elsewhere_is_judged_like_any_other(address: str) -> None:
    """Nothing gets past the policy by being written oddly."""
    policy = ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS)
    assert isinstance(policy.check(absolute(address, "https://model-api.runcomfy.net:443")), Blocked)


async def test_a_result_has_whole_addresses() -> None:
    """In the order of the API."""
    body = {"status": "completed", "output": {"images": ["/1.png", "//p.runcomfy.net/2 3.png"]}}
    verdict = await api(body).result("id")
    assert getattr(verdict, "urls", ()) == (
        "https://api.example:443/1.png",
        "https://p.runcomfy.net/2%203.png",
    )
