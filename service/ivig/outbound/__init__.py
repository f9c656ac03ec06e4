"""What may be called outside, and how: only what is allowed, no private address, no redirect, no more than so many bytes.

Patients' data and tokens travel this way, to addresses that a caller names. So an address is compared in parts that all programs read alike
and is refused where two programs could read it differently; the host's name is resolved once, and what was checked is what is connected to.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ivig.outbound.addresses import Address, address_of

if TYPE_CHECKING:
    import httpx

    from ivig.outbound.connecting import Client

__all__ = ["Address", "AllowList", "NotAllowed", "TooLarge", "address_of", "client", "get"]

_GZIP = zlib.MAX_WBITS | 16
_OWN_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})  # of the body as it travelled


class NotAllowed(Exception):
    """This address is not called. The text names the reason and no part of the address."""


class TooLarge(Exception):
    """The answer has more bytes than are taken."""


class AllowList:
    """Addresses that may be called: those given, and all below them.

    Args:
        prefixes: absolute addresses without a query; one that `address_of` does not take allows nothing.
    """

    def __init__(self, prefixes: Iterable[str]) -> None:
        self._prefixes = tuple(a for a in map(address_of, prefixes) if a is not None and not a.query)

    def __bool__(self) -> bool:
        return bool(self._prefixes)

    def allows(self, url: str) -> bool:
        """Whether it has the scheme, host and port of one of the prefixes, and its path or one below it."""
        asked = address_of(url)
        return asked is not None and any(_below(asked, prefix) for prefix in self._prefixes)


def _below(asked: Address, prefix: Address) -> bool:
    if asked[:3] != prefix[:3]:
        return False
    path = prefix.path.rstrip("/")
    return asked.path == path or asked.path.startswith(path + "/")


def client(
    *, private: bool, timeout_s: float, most_bytes: int, transport: httpx.AsyncBaseTransport | None = None
) -> Client:
    """A client for calls to outside. It follows no redirect, keeps no cookie, and heeds no proxy of the environment.

    Args:
        private: whether hosts may lie at private and loopback addresses, and be called without TLS. Link-local addresses, where the
            metadata of clouds are, are refused even so.
        timeout_s: for each step (connecting, with the name resolved; writing; each read), and for a `get` as a whole.
        most_bytes: the most any `get` takes.
        transport: in place of the network. Tests pass `httpx.MockTransport`, or let `respx` patch what is below: `respx.mock` works on
            clients made before and after it; neither resolves a name. The scheme and addresses written in digits are checked even so.
    """
    from ivig.outbound.connecting import Client  # noqa: PLC0415  (slow to import, and not needed by most commands)

    return Client(private=private, timeout_s=timeout_s, most_bytes=most_bytes, transport=transport)


async def get(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str] | None = None, most_bytes: int = 1_000_000
) -> httpx.Response:
    """The answer, whatever its status, with its body read and unpacked.

    Args:
        most_bytes: the most the body may have, packed and unpacked.

    Raises:
        NotAllowed: the address, or the one its host's name stands for, is not called.
        TooLarge: the body has more bytes than that.
        httpx.HTTPError: the server cannot be reached, is late, breaks off, or its body cannot be unpacked.
        TimeoutError: the whole took longer than the client's timeout.
    """
    import httpx  # noqa: PLC0415  (as above)

    if address_of(url) is None:
        raise NotAllowed("an address that could be read in two ways")
    most = min(most_bytes, getattr(client, "most_bytes", most_bytes))
    request = client.build_request("GET", url, headers={**(headers or {}), "Accept-Encoding": "gzip"})
    async with asyncio.timeout(client.timeout.read):
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            body = await _body(response, most)
        finally:
            await response.aclose()
    kept = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _OWN_HEADERS]
    return httpx.Response(response.status_code, headers=kept, content=body, request=request)


async def _body(response: httpx.Response, most: int) -> bytes:
    """The body, unpacked by hand: a few packed bytes can hold gigabytes, and no more than `most` of them are ever made."""
    length = response.headers.get("content-length", "")
    _check(int(length[:20]) if length.isdecimal() else 0, most)
    if response.is_stream_consumed:  # a transport of tests, which has read it
        _check(len(response.content), most)
        return response.content
    unpack = _unpacker(response)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += unpack(chunk, most + 1 - len(body))
        _check(len(body), most)
    unpack(b"", 0)
    return bytes(body)


def _check(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"more than {most} bytes")


def _as_it_is(chunk: bytes, most: int) -> bytes:
    return chunk[:most]


class _Gzip:
    """Unpacks part after part; an empty part says that there is no more to come."""

    def __init__(self, broken: Exception) -> None:
        self._packed, self._broken, self._begun = zlib.decompressobj(_GZIP), broken, False

    def __call__(self, chunk: bytes, most: int) -> bytes:
        if not chunk:
            if self._begun and not self._packed.eof:
                raise self._broken
            return b""
        self._begun = True
        try:
            return self._packed.decompress(chunk, most)
        except zlib.error:
            raise self._broken from None


def _unpacker(response: httpx.Response) -> Callable[[bytes, int], bytes]:
    import httpx  # noqa: PLC0415  (as above)

    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return _as_it_is
    broken = httpx.DecodingError("the body cannot be unpacked", request=response.request)
    if coding not in ("gzip", "x-gzip"):
        raise broken
    return _Gzip(broken)
