"""What may be called outside: which addresses, on which machines, and how much of an answer is taken."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ivig import outbound
from ivig.outbound import connecting
from ivig.outbound.addresses import callable_address

BASE = "https://ehr.example.org/fhir/r4"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        BASE,
        f"{BASE}/",
        f"{BASE}/Patient/1",
        f"{BASE}?_getpages=1",
        f"{BASE}/Observation?code=http://loinc.org|29463-7&_sort=-date",
        "HTTPS://EHR.Example.ORG/fhir/r4/Patient/1",
        "https://ehr.example.org:443/fhir/r4/Patient/1",
        f"{BASE}/Patient/a%7Cb%20c",
        f"{BASE}/Patient/1?next=/../x",
        f"{BASE}/Patient/.hidden..name",
    ],
)
def test_an_address_below_the_base_may_be_called(url: str) -> None:
    assert outbound.AllowList([BASE]).allows(url)
    assert outbound.AllowList(["https://other.example/", "https://EHR.example.org:443/fhir/r4/"]).allows(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ehr.example.org/fhir/r4",
        "/fhir/r4",
        "//ehr.example.org/fhir/r4",
        "https:ehr.example.org/fhir/r4",
        "https:///fhir/r4",
        "http://ehr.example.org/fhir/r4",
        "ftp://ehr.example.org/fhir/r4",
        "file:///fhir/r4",
        "https://ehr.example.org/fhir/r44",
        "https://ehr.example.org/fhir",
        "https://ehr.example.org/FHIR/r4",
        "https://ehr.example.org:8443/fhir/r4",
        "https://ehr.example.org:0/fhir/r4",
        "https://ehr.example.org:443443/fhir/r4",
        "https://ehr.example.org:/fhir/r4",
        "https://ehr.example.org./fhir/r4",
        "https://ehr.example.org.evil.example/fhir/r4",
        "https://evil.example/ehr.example.org/fhir/r4",
        "https://me@ehr.example.org/fhir/r4",
        "https://ehr.example.org@evil.example/fhir/r4",
        "https://ehr.example.org:x@evil.example/fhir/r4",
        "https://ehr.example.org%2f@evil.example/fhir/r4",
        "https://evil.example\\@ehr.example.org/fhir/r4",
        "https://ehr.example.org\\.evil.example/fhir/r4",
        "https://evil.example#@ehr.example.org/fhir/r4",
        "https://evil.example?@ehr.example.org/fhir/r4",
        f"{BASE}#fragment",
        f"{BASE}/../../admin",
        f"{BASE}/./x",
        f"{BASE}/..",
        f"{BASE}/%2e%2e/%2E%2e/admin",
        f"{BASE}/.%2e/admin",
        f"{BASE}/%252e%252e/admin",
        f"{BASE}/%25252e%25252e/admin",
        f"{BASE}/..;/admin",
        f"{BASE}/..%3b/admin",
        f"{BASE}/Patient%2f1",
        f"{BASE}/Patient%252F1",
        f"{BASE}/Patient%5c..%5cadmin",
        f"{BASE}\\..\\admin",
        f"{BASE}//Patient/1",
        f"{BASE}/Patient/%00",
        f"{BASE}/Patient/%0d%0aHost:evil.example",
        f"{BASE}/Patient/1\r\nHost: evil.example",
        f" {BASE}",
        f"{BASE}/Patient 1",
        f"{BASE}/Pati\u00ebnt",
        "https://ehr.ex\u00e4mple.org/fhir/r4",
        "https://\uff45hr.example.org/fhir/r4",
        "https://ehr.example.org\u3002/fhir/r4",
        f"{BASE}/{'x' * 9000}",
    ],
)
def test_what_is_not_below_the_base_or_could_be_read_in_two_ways(url: str) -> None:
    assert not outbound.AllowList([BASE]).allows(url)


def test_addresses_in_digits_have_one_spelling() -> None:
    allowed = outbound.AllowList(["http://127.0.0.1:80/", "http://[0:0::1]:8080/fhir"])
    assert allowed.allows("http://127.0.0.1/x")
    assert allowed.allows("http://[::1]:8080/fhir/x")
    for host in (
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.01",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::1",
    ):
        assert not allowed.allows(f"http://{host}/x"), host
    for host in (
        "2130706433",
        "0x7f000001",
        "127.1",
        "1.2.3",
        "a.b.0x1",
        "[fe80::1%25eth0]",
        "a..b",
        "-a.example",
        "[]",
    ):
        assert outbound.address_of(f"http://{host}/x") is None, host


def test_a_base_that_is_none_allows_nothing() -> None:
    for base in ("", "ehr.example.org", "https://me@ehr.example.org", f"{BASE}?x=1", "https://"):
        assert not outbound.AllowList([base]), base
        assert not outbound.AllowList([base]).allows(base)


# -- machines ---------------------------------------------------------------------------------------------------------

NEVER = (
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fd00:ec2::254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
)
PRIVATE = (
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "240.0.0.1",
    "::1",
    "fc00::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
)
PUBLIC = ("93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize(
    ("addresses", "plain", "private"),
    [(NEVER, False, False), (PRIVATE, False, True), (PUBLIC, True, True)],
    ids=["never", "private", "public"],
)
def test_which_machines_may_be_called(addresses: tuple[str, ...], plain: bool, private: bool) -> None:
    for one in addresses:
        assert callable_address(ip_address(one), private=False) is plain, one
        assert callable_address(ip_address(one), private=True) is private, one


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name stands for these addresses; the names that were asked for."""
    asked: list[str] = []

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", (one, port)) for one in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


async def fetched(url: str, private: bool = False, most: int = 1_000, **given: Any) -> httpx.Response:
    async with outbound.client(private=private, timeout_s=2, most_bytes=10_000_000, **given) as client:
        return await outbound.get(client, url, {"Accept": "application/json"}, most)


@pytest.mark.parametrize("address", [*NEVER, *PRIVATE])
def test_a_name_that_stands_for_a_private_machine_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolving(monkeypatch, "93.184.216.34", address)  # one of several is enough
    with pytest.raises(outbound.NotAllowed):
        asyncio.run(fetched("https://ehr.example.org/x"))


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/", "https://[::ffff:10.0.0.1]/", "https://2130706433/",
     "https://0x7f.1/", "http://93.184.216.34/", "https://me@93.184.216.34/", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_refused_before_anything_is_called(url: str) -> None:
    called: list[httpx.Request] = []
    with pytest.raises(outbound.NotAllowed) as fault:
        asyncio.run(fetched(url, transport=httpx.MockTransport(lambda r: called.append(r) or httpx.Response(200))))  # type: ignore[func-returns-value]
    assert called == []
    assert "93" not in str(fault.value)


def test_metadata_of_clouds_is_not_called_even_where_private_addresses_are() -> None:
    for url in ("http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/"):
        with pytest.raises(outbound.NotAllowed):
            asyncio.run(fetched(url, private=True))


# -- answers ----------------------------------------------------------------------------------------------------------


async def served(serve: Serve, ask: Callable[[str], Awaitable[Any]], context: ssl.SSLContext | None = None) -> Any:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        return await ask(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()


def answering(head: str, body: bytes = b"", seen: list[str] | None = None, forever: bool = False) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := (await reader.readuntil(b"\r\n\r\n")).decode():
                if seen is not None:
                    seen.append(asked)
                writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
                await writer.drain()
                while forever:
                    writer.write(b"5\r\naaaaa\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.02)
                if "Content-Length" not in head:
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return serve


def over_the_wire(serve: Serve, most: int = 1_000, timeout_s: float = 2) -> httpx.Response:
    async def ask(place: str) -> httpx.Response:
        async with outbound.client(private=True, timeout_s=timeout_s, most_bytes=10_000_000) as client:
            return await outbound.get(client, f"http://{place}/x", {"X-Asked": "yes"}, most)

    made: httpx.Response = asyncio.run(served(serve, ask))
    return made


def test_an_answer_packed_and_not() -> None:
    seen: list[str] = []
    plain = over_the_wire(answering("HTTP/1.1 200 OK\nContent-Length: 5", b"hello", seen))
    assert (plain.status_code, plain.content, plain.is_success) == (200, b"hello", True)
    assert "x-asked: yes" in seen[0].lower()
    packed = gzip.compress(b'{"a": 1}')
    got = over_the_wire(answering(f"HTTP/1.1 404 No\nContent-Encoding: gzip\nContent-Length: {len(packed)}", packed))
    assert (got.status_code, got.json()) == (404, {"a": 1})
    assert "content-encoding" not in got.headers


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    seen: list[str] = []
    got = over_the_wire(answering("HTTP/1.1 302 Found\nLocation: /y\nContent-Length: 0", b"", seen))
    assert (got.status_code, len(seen)) == (302, 1)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("HTTP/1.1 200 OK\nContent-Length: 5000", b"a" * 5_000),
        ("HTTP/1.1 200 OK\nConnection: close", b"a" * 1_001),
        ("HTTP/1.1 200 OK\nContent-Length: " + "9" * 400, b""),
        ("HTTP/1.1 200 OK\nContent-Encoding: gzip\nConnection: close", gzip.compress(b"a" * 1_001)),
    ],
    ids=["told", "not told", "absurd", "packed"],
)
def test_an_answer_that_is_too_large(head: str, body: bytes) -> None:
    with pytest.raises((outbound.TooLarge, httpx.RemoteProtocolError)):
        over_the_wire(answering(head, body))


def test_of_a_bomb_no_more_is_unpacked_than_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(50_000_000), 9)
    made: list[int] = []

    class Counting:
        def __init__(self, bits: int) -> None:
            self.below = zlib_object(bits)

        def decompress(self, chunk: bytes, most: int) -> bytes:
            done = self.below.decompress(chunk, most)
            made.append(len(done))
            return done

    zlib_object = zlib.decompressobj
    monkeypatch.setattr(outbound.zlib, "decompressobj", Counting)
    with pytest.raises(outbound.TooLarge):
        over_the_wire(answering("HTTP/1.1 200 OK\nContent-Encoding: gzip\nConnection: close", bomb))
    assert sum(made) == 1_001


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", b"no gzip"), ("gzip", gzip.compress(b"hello" * 50)[:-12]), ("br", b"x"), ("gzip, gzip", b"x")],
)
def test_a_body_that_cannot_be_unpacked(coding: str, body: bytes) -> None:
    with pytest.raises(httpx.DecodingError):
        over_the_wire(answering(f"HTTP/1.1 200 OK\nContent-Encoding: {coding}\nConnection: close", body))


def test_an_answer_that_is_cut_off() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        over_the_wire(answering("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"5\r\nhel"))


def test_a_server_that_drips_is_not_waited_for() -> None:
    with pytest.raises(TimeoutError):
        over_the_wire(answering("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", forever=True), timeout_s=0.3)


def test_cookies_are_not_kept() -> None:
    seen: list[str] = []

    async def ask(place: str) -> None:
        async with outbound.client(private=True, timeout_s=2, most_bytes=1_000) as client:
            for _ in range(2):
                await outbound.get(client, f"http://{place}/x", {}, 1_000)

    asyncio.run(served(answering("HTTP/1.1 200 OK\nSet-Cookie: s=1; Path=/\nContent-Length: 0", b"", seen), ask))
    assert len(seen) == 2
    assert not any("cookie" in one.lower() for one in seen)


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert over_the_wire(answering("HTTP/1.1 200 OK\nContent-Length: 0")).status_code == 200


# -- connections ------------------------------------------------------------------------------------------------------


def certified(tmp_path: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of this name shows, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    page = tmp_path / "cert.pem"
    plain = serialization.NoEncryption()
    page.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shows.load_cert_chain(page)
    return shows, ssl.create_default_context(cafile=page)


def test_a_connection_is_its_host_s_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hosts at one machine: a token for the one does not travel over what the other was verified for."""
    shows, trusts = certified(tmp_path, "a.example")
    monkeypatch.setattr(connecting, "_trusting", lambda: trusts)
    asked, seen = resolving(monkeypatch, "127.0.0.1"), list[str]()

    async def ask(place: str) -> None:
        port = place.rpartition(":")[2]
        async with outbound.client(private=True, timeout_s=2, most_bytes=1_000) as client:
            for _ in range(2):
                assert (await outbound.get(client, f"https://a.example:{port}/x", {}, 1_000)).status_code == 200
            assert asked == ["a.example"]  # resolved once for a connection
            with pytest.raises(httpx.ConnectError):
                await outbound.get(client, f"https://b.example:{port}/x", {"Authorization": "Bearer x"}, 1_000)

    asyncio.run(served(answering("HTTP/1.1 200 OK\nContent-Length: 0", b"", seen), ask, shows))
    assert len(seen) == 2
    assert all("Host: a.example:" in one for one in seen)


def test_an_address_that_does_not_answer_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "::1", "127.0.0.1")  # nobody listens at the first

    async def ask(place: str) -> httpx.Response:
        return await fetched(f"http://ehr.example:{place.rpartition(':')[2]}/x", private=True)

    assert asyncio.run(served(answering("HTTP/1.1 200 OK\nContent-Length: 0"), ask)).status_code == 200


def test_a_name_that_is_slow_to_resolve_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        await asyncio.sleep(5)
        return []

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)

    async def run() -> None:
        async with outbound.client(private=False, timeout_s=0.1, most_bytes=1) as client:
            with pytest.raises((httpx.ConnectTimeout, TimeoutError)):
                await outbound.get(client, "https://ehr.example.org/", {}, 1)

    asyncio.run(run())


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch)
    with pytest.raises(httpx.ConnectError):
        asyncio.run(fetched("https://ehr.example.org/"))


def test_respx_stands_in_for_the_network() -> None:
    with respx.mock() as wire:
        wire.get("https://ehr.example.org/x").respond(200, json={"a": 1})
        assert asyncio.run(fetched("https://ehr.example.org/x")).json() == {"a": 1}
        wire.get("https://ehr.example.org/y").respond(200, content=b"a" * 1_001)
        with pytest.raises(outbound.TooLarge):
            asyncio.run(fetched("https://ehr.example.org/y"))
