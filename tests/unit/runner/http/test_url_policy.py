"""Which URLs and addresses a picture may come from."""

import ipaddress
import socket

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from jobs.errors import UsageProblem
from runner.http.url_policy import (
    AddressRefused,
    Blocked,
    GuardedResolver,
    ImageUrlPolicy,
    is_public,
    loopback_socket,
)
from runner.providers.runcomfy.endpoint import DEFAULT_BASE, IMAGE_HOSTS

REAL = ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS)
EMULATOR = ImageUrlPolicy.of("http://127.0.0.1:8123/v1", IMAGE_HOSTS)

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450::1"]
CARRYING_PUBLIC = ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254"),
    *("127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1"),
    *("192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::808:808", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1::808:808"),
    *("100::1", "2001::1", "2001:0:4136:e378::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
    *("2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:1::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1"),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
]


@pytest.mark.parametrize("address", PUBLIC + CARRYING_PUBLIC)
def test_public_addresses(address: str) -> None:
    """Also those of networks that reach IPv4 through a translator."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    """Private, loopback, link-local (a cloud's metadata), multicast, reserved, and all of them in IPv6
    dress."""
    assert not is_public(ipaddress.ip_address(address))


def test_the_table_is_as_long_as_it_should_be() -> None:
    """At least forty."""
    assert len(NOT_PUBLIC) >= 40


@pytest.mark.parametrize(
    "url",
    [
        "https://playgrounds-storage-public.runcomfy.net/a/b.png",
        "https://serverless-api-storage.runcomfy.net/x?X-Sig=a%2Bb%2Fc&y=1",
        "https://deep.down.files.RUNCOMFY.com/x",
        "https://a_b.runcomfy.net/x",
        "https://x.runcomfy.net:8443/x",
        "https://xn--bcher-kva.runcomfy.net/x",
        "https://x.runcomfy.net",
        "https://x.runcomfy.net#@evil.example",
        "https://model-api.runcomfy.net:443/v1/x",
    ],
)
def test_the_provider_s_hosts_are_allowed(url: str) -> None:
    """Over https, on any port, with a query left as it is signed."""
    allowed = REAL.check(url)
    assert isinstance(allowed, httpx.URL)
    assert allowed.raw_host.decode().endswith((".runcomfy.net", ".runcomfy.com"))
    assert "?" not in url or str(allowed) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://x.runcomfy.net/a.png",
        "https://runcomfy.net/a.png",
        "https://evilruncomfy.net/a.png",
        "https://x.runcomfy.net.evil.example/a.png",
        "https://runcomfy.net.evil.example/a.png",
        "https://x.runcomfy.net@evil.example/a.png",
        "https://x.runcomfy.net:443@evil.example/a.png",
        "https://user:pw@x.runcomfy.net/a.png",
        "https://@x.runcomfy.net/a.png",
        "https://evil.example#.runcomfy.net/",
        "https://evil.example?.runcomfy.net/",
        "https://evil.example/.runcomfy.net/",
        "https://evil.example\\.runcomfy.net/",
        "https://evil.example\\@x.runcomfy.net/",
        "https://evil.example%2f.runcomfy.net/",
        "https://evil.example%00.runcomfy.net/",
        "https://%65vil.example%2f.runcomfy.net/",
        "https://evil.example\0.runcomfy.net/",
        "https://evil.example\n.runcomfy.net/",
        "https://evil.example\t/x.runcomfy.net/",
        " https://x.runcomfy.net/",
        "https://x.runcomfy.net /",
        "https://x.runcomfy.net/a b",
        "https://x.runcomfy.net/ü",
        "https://x。runcomfy。net/",
        "https://\N{FULLWIDTH LATIN SMALL LETTER X}.runcomfy.net/",
        "https://x.runcomfy.net./",
        "https://x..runcomfy.net/",
        "https://.runcomfy.net/",
        "https://*.runcomfy.net/",
        "https://xn--.runcomfy.net/",
        "https://xn--zz99.runcomfy.net/",
        "https://x.runcomfy.net:0/",
        "https://x.runcomfy.net:65536/",
        "https://x.runcomfy.net:99999999999/",
        "https://x.runcomfy.net:/",
        "https://x.runcomfy.net:-1/",
        "https:x.runcomfy.net/",
        "https:/x.runcomfy.net/",
        "https:///x.runcomfy.net/",
        "//x.runcomfy.net/",
        "x.runcomfy.net/a.png",
        "ftp://x.runcomfy.net/",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "gopher://x.runcomfy.net/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::1%25eth0]/",
        "https://[::1/",
        "https://[1::2::3]/",
        "https://1.2.3.999/",
        "https://localhost/",
        "http://127.0.0.1:8123/",
        "",
        "https://",
        "https://x.runcomfy.net/" + "a" * 9000,
    ],
)
def test_anything_else_is_blocked(url: str) -> None:
    """Every trick of spelling a host that one parser reads this way and another that."""
    assert isinstance(REAL.check(url), Blocked)


@pytest.mark.parametrize(
    ("policy", "url", "allowed"),
    [
        (EMULATOR, "http://127.0.0.1:8123/pictures/1.png", True),
        (EMULATOR, "http://127.0.0.1:8124/pictures/1.png", False),
        (EMULATOR, "http://127.0.0.1/pictures/1.png", False),
        (EMULATOR, "https://127.0.0.1:8123/pictures/1.png", False),
        (EMULATOR, "http://localhost:8123/pictures/1.png", False),
        (EMULATOR, "http://127.0.0.2:8123/pictures/1.png", False),
        (EMULATOR, "http://[::1]:8123/pictures/1.png", False),
        (EMULATOR, "https://x.runcomfy.net/a.png", True),
        (EMULATOR, "http://x.runcomfy.net/a.png", False),
        (ImageUrlPolicy.of("http://[::1]:5/v1"), "http://[::1]:5/a.png", True),
        (ImageUrlPolicy.of("http://localhost/v1"), "http://localhost:80/a.png", True),
        (ImageUrlPolicy.of("https://gateway.example/v1"), "https://gateway.example/a.png", True),
        (ImageUrlPolicy.of("https://gateway.example/v1"), "https://gateway.example:8443/a.png", False),
        (ImageUrlPolicy.of("https://gateway.example/v1"), "http://gateway.example/a.png", False),
        (ImageUrlPolicy.of("https://gateway.example/v1"), "https://sub.gateway.example/a.png", False),
    ],
)
def test_the_api_s_own_origin_is_allowed_exactly(policy: ImageUrlPolicy, url: str, allowed: bool) -> None:
    """Scheme, host and port; plain http comes with a loopback base only."""
    assert isinstance(policy.check(url), httpx.URL) is allowed


@pytest.mark.parametrize(
    ("extra", "url", "allowed"),
    [
        ("cdn.example.com", "https://cdn.example.com/a", True),
        (" CDN.Example.com ", "https://cdn.example.com/a", True),
        ("cdn.example.com", "https://x.cdn.example.com/a", False),
        ("cdn.example.com", "http://cdn.example.com/a", False),
        (".example.com", "https://cdn.example.com/a", True),
        (".example.com", "https://a.b.example.com/a", True),
        (".example.com", "https://example.com/a", False),
        (".example.com", "https://notexample.com/a", False),
    ],
)
def test_a_setting_adds_hosts(extra: str, url: str, allowed: bool) -> None:
    """A name stands for itself, a leading dot for everything below."""
    assert isinstance(ImageUrlPolicy.of(DEFAULT_BASE, [*IMAGE_HOSTS, extra]).check(url), httpx.URL) is allowed


def test_without_hosts_there_is_the_api_s_own_origin_alone() -> None:
    """No vendor's hosts are known here: they are passed in."""
    policy = ImageUrlPolicy.of(DEFAULT_BASE)
    assert isinstance(policy.check(DEFAULT_BASE + "/1.png"), httpx.URL)
    for host in IMAGE_HOSTS:
        assert isinstance(policy.check(f"https://x{host}/1.png"), Blocked)


BESIDE = ImageUrlPolicy.of("http://127.0.0.1:8123/v1", [*IMAGE_HOSTS, "localhost", "cdn.example.com"])


@pytest.mark.parametrize(
    ("policy", "url", "allowed"),
    [
        (BESIDE, "http://localhost:9000/a.png", True),
        (BESIDE, "https://localhost:9000/a.png", True),
        (BESIDE, "http://127.0.0.1:9000/a.png", False),
        (BESIDE, "http://cdn.example.com/a.png", False),
        (ImageUrlPolicy.of(DEFAULT_BASE, [*IMAGE_HOSTS, "localhost"]), "http://localhost:9000/a.png", False),
    ],
)
def test_a_stand_in_may_have_its_pictures_elsewhere_on_this_machine(
    policy: ImageUrlPolicy, url: str, allowed: bool
) -> None:
    """Where a setting names that host, and the API itself is here."""
    assert isinstance(policy.check(url), httpx.URL) is allowed
    if allowed:
        policy.check_address("localhost", 9000, "127.0.0.1")
        policy.open_socket(info("127.0.0.1", 9000)).close()
        with pytest.raises(AddressRefused):
            policy.check_address("localhost", 9000, "10.0.0.1")
    with pytest.raises(AddressRefused):
        policy.check_address("cdn.example.com", 443, "127.0.0.1")


@pytest.mark.parametrize(
    "extra", ["", ".", ".com", "*.example.com", "https://example.com", "a/b", "a b", "a..b"]
)
def test_a_host_that_is_none_is_refused(extra: str) -> None:
    """A whole top-level domain or a wildcard is a slip of the pen."""
    with pytest.raises(UsageProblem, match="not a host"):
        ImageUrlPolicy.of(DEFAULT_BASE, [*IMAGE_HOSTS, extra])


@pytest.mark.parametrize("address", NOT_PUBLIC)
@pytest.mark.parametrize("policy", [REAL, EMULATOR])
def test_a_listed_host_must_not_lead_inside(address: str, policy: ImageUrlPolicy) -> None:
    """Whoever owns the name, or the resolver, does not choose our target. An extra host has no more leave."""
    with pytest.raises(AddressRefused, match="not on the public internet"):
        policy.check_address("x.runcomfy.net", 443, address)


@pytest.mark.parametrize("address", PUBLIC + CARRYING_PUBLIC)
def test_a_listed_host_may_lead_to_the_internet(address: str) -> None:
    """The ordinary case."""
    REAL.check_address("x.runcomfy.net", 443, address)


def test_an_unlisted_host_is_refused_even_when_it_is_asked_for() -> None:
    """The list holds for the name that is connected to, not only for the URL that was read."""
    with pytest.raises(AddressRefused, match=r"not fetched from evil\.example"):
        REAL.check_address("evil.example", 443, "8.8.8.8")


@pytest.mark.parametrize(
    ("policy", "host", "port", "address", "allowed"),
    [
        (EMULATOR, "127.0.0.1", 8123, "127.0.0.1", True),
        (EMULATOR, "127.0.0.1", 8124, "127.0.0.1", False),
        (ImageUrlPolicy.of("http://localhost:5/v1"), "localhost", 5, "::1", True),
        (ImageUrlPolicy.of("http://localhost:5/v1"), "localhost", 5, "10.0.0.1", False),
        (ImageUrlPolicy.of("http://localhost:5/v1"), "localhost", 5, "8.8.8.8", False),
        (ImageUrlPolicy.of("https://gateway.example/v1"), "gateway.example", 443, "10.0.0.1", False),
        (ImageUrlPolicy.of("https://gateway.example/v1"), "gateway.example", 443, "8.8.8.8", True),
        (REAL, "x.runcomfy.net", 443, "not-an-address", False),
    ],
)
def test_the_own_origin_leads_to_loopback_or_the_internet(
    policy: ImageUrlPolicy, host: str, port: int, address: str, allowed: bool
) -> None:
    """`localhost` in somebody's hosts file is no way around."""
    if allowed:
        policy.check_address(host, port, address)
    else:
        with pytest.raises(AddressRefused):
            policy.check_address(host, port, address)


def info(address: str, port: int = 443) -> tuple[object, ...]:
    """What aiohttp hands to a socket factory."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_the_last_gate_opens_no_socket_inside(address: str) -> None:
    """Asked for the very address that is about to be connected to."""
    for policy in (REAL, EMULATOR):
        with pytest.raises(AddressRefused):
            policy.open_socket(info(address))


@pytest.mark.parametrize(
    ("policy", "address", "port"),
    [
        (REAL, "8.8.8.8", 443),
        (EMULATOR, "127.0.0.1", 8123),
        (EMULATOR, "::1", 8123),
        (EMULATOR, "8.8.8.8", 443),
    ],
)
def test_the_last_gate_opens_what_is_allowed(policy: ImageUrlPolicy, address: str, port: int) -> None:
    """The internet, and the emulator's own port on this machine."""
    with policy.open_socket(info(address, port)) as opened:
        assert opened.type == socket.SOCK_STREAM


def test_plain_http_opens_sockets_to_this_machine_only() -> None:
    """For the API itself, where the token travels."""
    with loopback_socket(info("127.0.0.1", 80)) as opened:
        assert opened.family == socket.AF_INET
    with pytest.raises(AddressRefused, match="not on this machine"):
        loopback_socket(info("8.8.8.8", 80))


class Answers(AbstractResolver):
    """A resolver with its answers in order, the last for good."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in found
        ]

    async def close(self) -> None:
        self.closed = True


async def test_the_resolver_hands_out_checked_addresses() -> None:
    """As they came, and asked once."""
    inner = Answers(["8.8.8.8", "2606:4700::1111"])
    found = await GuardedResolver(REAL, inner).resolve("X.runcomfy.net", 443)
    assert [entry["host"] for entry in found] == ["8.8.8.8", "2606:4700::1111"]
    assert inner.asked == 1


async def test_one_bad_address_refuses_them_all() -> None:
    """aiohttp would try the others, and one of them would be it."""
    with pytest.raises(AddressRefused, match=r"leads to 10\.0\.0\.1"):
        await GuardedResolver(REAL, Answers(["8.8.8.8", "10.0.0.1"])).resolve("x.runcomfy.net", 443)


async def test_closing_closes_the_resolver_below() -> None:
    """It may hold sockets."""
    inner = Answers([])
    await GuardedResolver(REAL, inner).close()
    assert inner.closed
