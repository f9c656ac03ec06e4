"""Addresses in parts that every program reads alike, and which addresses of machines may be called."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import unquote

_URL = re.compile(r"([a-zA-Z]+)://([^/?#@]+)((?:/[^?#]*)?)(?:\?([^#]*))?")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_DIGITS = re.compile(r"[0-9]+|0x[0-9a-f]*")
_TEXT = re.compile(r"[\x21-\x7e]{1,8192}")
_PORTS = {"http": 80, "https": 443}
_MOST_PORT, _MOST_HOST = 65_535, 253
_CONTROL = frozenset(map(chr, (*range(32), 127)))
_UNQUOTED = 4  # times over: what is packed deeper is refused

# Where clouds keep what a machine may know of itself, its keys among them, beside the link-local addresses.
_METADATA = frozenset(map(ip_address, ("168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254")))
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ip_network("::/96")


class Address(NamedTuple):
    """The parts of an address: host in small letters, IPv6 without brackets; path from its first slash, '' for none."""

    scheme: str
    host: str
    port: int
    path: str
    query: str


def address_of(url: str) -> Address | None:
    """The parts of an absolute http(s) address; None where it is none, or where two programs could read it differently.

    Such are: user names, fragments, backslashes, doubled slashes, dot segments, percent signs that hide one (however often packed),
    path parameters on dot segments, hosts that end in a dot, and IPv4 addresses in other than four decimal parts.
    """
    found = _URL.fullmatch(url) if _TEXT.fullmatch(url) else None
    if found is None or "\\" in url:
        return None
    scheme, authority, path, query = found[1].lower(), found[2].lower(), found[3], found[4] or ""
    parts = _AUTHORITY.fullmatch(authority)
    if scheme not in _PORTS or parts is None:
        return None
    host, port = _host(parts[1]), int(parts[2] or _PORTS[scheme])
    if not host or not 0 < port <= _MOST_PORT or not _plain(path):
        return None
    return Address(scheme, host, port, path, query)


def _host(text: str) -> str:
    """The host in its one spelling; '' where it has none."""
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            return ""
    if not _HOST.fullmatch(text) or len(text) > _MOST_HOST:
        return ""
    if _DIGITS.fullmatch(text.rpartition(".")[2]):  # programs take such a host for an IPv4 address, each in its way
        try:
            return str(IPv4Address(text))
        except ValueError:
            return ""
    return text


def _plain(path: str) -> bool:
    """Whether nothing of the path can be taken for a step up, a slash or an end, by whoever unpacks it, and however often."""
    if "//" in path:  # servers differ in whether that is one slash
        return False
    for _ in range(_UNQUOTED):
        if "\\" in path or any(c in _CONTROL for c in path):
            return False
        if any(segment.partition(";")[0] in (".", "..") for segment in path.split("/")):
            return False
        unpacked = unquote(path, errors="replace")
        if unpacked.count("/") != path.count("/"):
            return False
        if unpacked == path:
            return True
        path = unpacked
    return False


def callable_address(address: IPv4Address | IPv6Address, private: bool) -> bool:
    """Whether a machine at this address may be called. Link-local and metadata addresses, multicast and the unspecified never are."""
    inner = _embedded(address)
    if inner is not None:
        return callable_address(inner, private)
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if isinstance(address, IPv4Address) and (int(address) >> 24 == 0 or int(address) == 0xFFFFFFFF):
        return False
    return private or (address.is_global and not address.is_reserved and not getattr(address, "is_site_local", False))


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in net for net in _NAT64):
        return low
    return low if address in _COMPATIBLE and int(address) > 0xFFFF else None
