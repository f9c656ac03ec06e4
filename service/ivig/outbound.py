"""What may be called outside, and how: only what is allowed, no private address, no redirect.

A bearer token and a patient's chart ride on these calls, and some of their addresses come from callers: each is held against a list before
it is called, its host is resolved once, and the connection goes to the very address that was checked.

In tests a transport is given to `client`; `httpx.MockTransport` and respx's routers (`respx.MockRouter().async_handler`) fit. The checks
of the address stand before it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    import httpx

_PORTS = {"https": 443, "http": 80}
_STRANGE = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+)*|0x[0-9a-f.x]+")
# Shared and translated address ranges that are reachable in some networks and nobody's public server.
_MORE = tuple(map(ipaddress.ip_network, ("100.64.0.0/10", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class NotAllowed(Exception):
    """An address that is not called. The text names no part of it."""


class TooLarge(Exception):
    """An answer that has more bytes than are taken."""


class _Place(tuple[str, str, int]):
    """Scheme, host and port."""

    __slots__ = ()


def _split(url: str) -> tuple[_Place, str] | None:
    """Scheme, host, port, and the path; None for an address that is not plain."""
    if _STRANGE.search(url) or len(url) > 8192:
        return None
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").lower().removesuffix(".")
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or "@" in parts.netloc or "#" in url or not _HOST.fullmatch(host):
        return None
    if not _plain_path(parts.path):
        return None
    return _Place((scheme, host, port or _PORTS[scheme])), parts.path


def _plain_path(path: str) -> bool:
    """Whether a path means the same to everybody: no dot segments, also not encoded, and no encoded separators."""
    plain = path
    for _ in range(3):
        plain, before = unquote(plain), plain
        if "\\" in plain or plain.count("/") != path.count("/"):
            return False
        if any(step in (".", "..") for step in plain.split("/")):
            return False
        if plain == before:
            break
    return "//" not in path


class AllowList:
    """Addresses that may be called: those below any of some bases, at a boundary of their paths.

    Args:
        prefixes: bases such as `https://ehr.example.org/fhir/r4`. One that is no plain address allows nothing.
    """

    def __init__(self, prefixes: Iterable[str]) -> None:
        split = (_split(prefix) for prefix in prefixes)
        self._bases = tuple((place, path.rstrip("/")) for place, path in (s for s in split if s is not None))

    def __bool__(self) -> bool:
        return bool(self._bases)

    def allows(self, url: str) -> bool:
        """Whether an address is one of these bases or lies below one."""
        split = _split(url)
        if split is None:
            return False
        place, path = split
        return any(place == base and (path == below or path.startswith(f"{below}/")) for base, below in self._bases)


def private(address: str) -> bool:
    """Whether an IP address is anything but a public server's."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is not None:
        return private(str(mapped))
    listed = any(ip in network for network in _MORE if network.version == ip.version)
    return listed or not ip.is_global or ip.is_multicast


async def _resolved(host: str, port: int, allow_private: bool) -> str:
    """An address of a host, when all of its addresses may be called.

    Raises:
        NotAllowed: the host has a private address, or spells one as a number.
        OSError: it has none at all.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if _NUMBERS.fullmatch(host) and not allow_private:  # 2130706433 and 0x7f.1 are addresses to some resolvers
            raise NotAllowed("a host in numbers") from None
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not addresses:
        raise OSError("no address")
    if not allow_private and any(map(private, addresses)):
        raise NotAllowed("a private address")
    return addresses[0]


def client(
    *,
    private: bool,
    timeout_s: float,
    most_bytes: int,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """A client that follows no redirect, asks no proxy of the environment and connects to checked addresses alone.

    Args:
        private: whether private addresses may be called, and `http`.
        timeout_s: for connecting and for each wait on an answer.
        most_bytes: unused by the client itself; `get` reads no more than it is told.
        transport: in the place of the network, for tests; the address is checked as far as that needs no resolving.
    """
    import httpx  # noqa: PLC0415  (slow to import, and not needed to start)

    guarded = _guard(httpx)(transport or httpx.AsyncHTTPTransport(retries=0), private, resolves=transport is None)
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=40)
    return httpx.AsyncClient(
        transport=guarded, timeout=timeout_s, follow_redirects=False, trust_env=False, limits=limits
    )


def _guard(httpx: Any) -> Any:
    """The transport that checks an address and connects to what it checked."""

    class Guard(httpx.AsyncBaseTransport):  # type: ignore[misc]
        def __init__(self, inner: Any, private: bool, resolves: bool) -> None:
            self.inner, self.private, self.resolves = inner, private, resolves

        async def handle_async_request(self, request: Any) -> Any:
            split = _split(str(request.url).partition("#")[0])
            if split is None:
                raise NotAllowed("not a plain address")
            (scheme, host, port), _ = split
            if scheme != "https" and not self.private:
                raise NotAllowed("not https")
            if self.resolves:
                address = await _resolved(host, port, self.private)
                # The name stays in the Host header and in the handshake; only the way there is fixed.
                extensions = {**request.extensions, "sni_hostname": host} if scheme == "https" else request.extensions
                request = httpx.Request(
                    request.method,
                    request.url.copy_with(host=address),
                    headers=request.headers,
                    stream=request.stream,
                    extensions=extensions,
                )
            return await self.inner.handle_async_request(request)

        async def aclose(self) -> None:
            await self.inner.aclose()

    return Guard


async def get(client: httpx.AsyncClient, url: str, headers: Mapping[str, str], most_bytes: int) -> httpx.Response:
    """A GET whose answer is read as far as it has at most so many bytes, also unpacked.

    Raises:
        NotAllowed: the address may not be called.
        TooLarge: the answer has more bytes.
        httpx.HTTPError: the server cannot be reached, or breaks off.
    """
    import httpx  # noqa: PLC0415  (see above)

    async with client.stream("GET", url, headers=dict(headers)) as response:
        declared = response.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most_bytes:
            raise TooLarge
        chunks, size = [], 0
        async for chunk in response.aiter_bytes(65_536):
            size += len(chunk)
            if size > most_bytes:
                raise TooLarge
            chunks.append(chunk)
    kept = {
        k: v
        for k, v in response.headers.items()
        if k not in ("content-encoding", "content-length", "transfer-encoding")
    }
    return httpx.Response(response.status_code, headers=kept, content=b"".join(chunks), request=response.request)
