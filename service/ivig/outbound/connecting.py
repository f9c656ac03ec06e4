"""The client for calls to outside, down to its sockets: what is resolved is checked, and what was checked is connected to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import certifi
import httpcore
import httpx

from ivig.outbound import NotAllowed
from ivig.outbound.addresses import callable_address

# No more at once than a server usually lets wait at its door (a backlog of 100): who is turned away there comes again after seconds.
_LIMITS = httpx.Limits(max_connections=80, max_keepalive_connections=40, keepalive_expiry=30)


class Client(httpx.AsyncClient):
    """See `ivig.outbound.client`, which makes it."""

    def __init__(
        self, *, private: bool, timeout_s: float, most_bytes: int, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        guarded = _Guarded(transport or _network(private), private)
        super().__init__(transport=guarded, timeout=timeout_s, follow_redirects=False, trust_env=False)
        self.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.most_bytes = most_bytes


class _Guarded(httpx.AsyncBaseTransport):
    """Lets through what may be called by its scheme, and by its host where that is written in digits."""

    def __init__(self, below: httpx.AsyncBaseTransport, private: bool) -> None:
        self._below, self._private = below, private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme != "https" and not (self._private and request.url.scheme == "http"):
            raise NotAllowed("not https")
        literal = _literal(request.url.host)
        if literal is not None and not callable_address(literal, self._private):
            raise NotAllowed("a private address")
        return await self._below.handle_async_request(request)

    async def aclose(self) -> None:
        await self._below.aclose()


def _network(private: bool) -> httpx.AsyncHTTPTransport:
    """The transport of httpx over a pool with sockets of ours; Host header, server name and certificate stay those of the host's name."""
    context = _trusting()
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=_LIMITS)
    transport._pool = httpcore.AsyncConnectionPool(  # httpx has no argument for it; a test holds it
        ssl_context=context,
        max_connections=_LIMITS.max_connections,
        max_keepalive_connections=_LIMITS.max_keepalive_connections,
        keepalive_expiry=_LIMITS.keepalive_expiry,
        network_backend=_Sockets(private),
    )
    return transport


@cache  # a tenth of a second
def _trusting() -> ssl.SSLContext:
    """The machine's own authorities, and those of SSL_CERT_FILE, as sites have them; where it has none, certifi's."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=certifi.where())


class _Sockets(httpcore.AsyncNetworkBackend):
    """Sockets to addresses that were checked."""

    def __init__(self, private: bool) -> None:
        self._private, self._below = private, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers; refused when one of them may not be called.

        Raises:
            NotAllowed: one of the host's addresses may not be called.
        """
        options = None if socket_options is None else tuple(socket_options)
        try:
            async with asyncio.timeout(timeout):
                addresses = await _resolved(host, port)
                if not all(callable_address(one, self._private) for one in addresses):
                    raise NotAllowed("a private address")
                return await self._first(addresses, port, local_address, options)
        except TimeoutError:
            raise httpcore.ConnectTimeout("late") from None

    async def _first(
        self,
        addresses: Iterable[IPv4Address | IPv6Address],
        port: int,
        local: str | None,
        options: tuple[httpcore.SOCKET_OPTION, ...] | None,
    ) -> httpcore.AsyncNetworkStream:
        for address in addresses:
            try:
                return await self._below.connect_tcp(str(address), port, None, local, options)
            except httpcore.ConnectError:
                continue
        raise httpcore.ConnectError("not reachable")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never.

        Raises:
            NotAllowed: always.
        """
        raise NotAllowed("not https")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolved(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """Every address of the host, each once, in the order of the resolver."""
    literal = _literal(host)
    if literal is not None:
        return [literal]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("no such host") from None
    addresses = [ip_address(place[0]) for *_, place in found]
    if not addresses:
        raise httpcore.ConnectError("no such host")
    return list(dict.fromkeys(addresses))


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None
