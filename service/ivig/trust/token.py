"""A client's token, verified step by step: the same steps for the door, which says nothing, and for the diagnosis, which says all.

Nothing of a token is believed before its signature: until then its issuer only chooses whose keys and algorithms it is held against.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from ivig.trust.clients import KNOWN, Client
from ivig.trust.keys import Key, KeyFault, Keys
from ivig.trust.replay import Replay

Json = dict[str, Any]
Trace = Callable[[str, bool, str], None]  # what was checked, whether it holds, what was seen

LONGEST = 16_384  # characters of a token
LEEWAY_S = 60.0
_LONGEST_LIFE_S = 3_600.0
_LONGEST_NAME = 512  # characters of a claim that is kept
_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_URLSAFE = bytes.maketrans(b"-_", b"+/")
_read_json = msgspec.json.Decoder(Json).decode
_NOBODY = Client("")


class Reason(StrEnum):
    """Why a token is not taken. For metrics and the diagnosis: a caller is told nothing."""

    MISSING = "missing"
    MALFORMED = "malformed"
    HEADER = "header"
    ISSUER = "issuer"
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    TIME = "time"
    CLAIMS = "claims"
    TENANT = "tenant"
    REPLAY = "replay"


class NotTrusted(Exception):
    """A caller that is not let in."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class _Parts(Struct, frozen=True):
    """A token taken apart once: what is read of it is what its signature is over."""

    header: Json
    claims: Json
    signed: bytes
    signature: bytes


def bearer(authorization: str) -> str:
    """The token of an Authorization header, '' for none."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Verifier:
    """Verifies tokens.

    Args:
        clients: those that may call.
        clock: seconds since 1970.
    """

    def __init__(self, clients: Iterable[Client], keys: Keys, replay: Replay, clock: Callable[[], float]) -> None:
        self._by_issuer = {client.issuer: client for client in clients if client.issuer}
        self._keys, self._replay, self._clock = keys, replay, clock

    async def verify(
        self, token: str, url: str, trace: Trace | None = None, count: Callable[[Client], None] | None = None
    ) -> Client:
        """The client that a token is of.

        What can be told without a key is told first: a token that is over, or for somebody else, makes us fetch and reckon nothing.

        Args:
            url: the address that was called.
            trace: told of each step; then the token is not counted as used.
            count: called with the client before the token is used up; raises where the client has no more calls.

        Raises:
            NotTrusted: any step fails.
            Full: the token cannot be remembered as used.
        """
        step = _Step(trace)
        parts = _taken_apart(token, step)
        header, claims = parts.header, parts.claims
        algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku", "")
        step("typ is JWT", header.get("typ") == "JWT", header.get("typ"), Reason.HEADER)
        step("kid is there", isinstance(kid, str) and 0 < len(kid) <= _LONGEST_NAME, kid, Reason.HEADER)
        step("no critical extension", "crit" not in header, "", Reason.HEADER)
        step("jku is an address, or not there", isinstance(jku, str), jku, Reason.HEADER)
        now = self._clock()
        client = self._client(claims, step)
        if client is None:
            self._claimed(_NOBODY, claims, url, now, step)  # what can be told without knowing whose it is
            raise NotTrusted(Reason.ISSUER)
        taken = algorithm in client.algorithms and algorithm in KNOWN
        step("alg is one of the client's", taken, (algorithm, client), Reason.ALGORITHM, _signs_with)
        self._claimed(client, claims, url, now, step)
        if taken:
            await self._signed(parts, client, str(algorithm), str(kid), jku, step)
        step.end()
        if trace is None:
            step("jti was not used before", not self._replay.used(client.id, claims["jti"]), "", Reason.REPLAY)
            if count is not None:
                count(client)
            first = self._replay.first(client.id, claims["jti"], float(claims["exp"]) + LEEWAY_S, now)
            step("jti was not used before", first, "", Reason.REPLAY)
        return client

    def _client(self, claims: Json, step: _Step) -> Client | None:
        issuer = claims.get("iss")
        client = self._by_issuer.get(issuer) if isinstance(issuer, str) else None
        step("iss is a client's issuer", client is not None, issuer, Reason.ISSUER)
        return client

    async def _signed(self, parts: _Parts, client: Client, algorithm: str, kid: str, jku: str, step: _Step) -> None:
        try:
            key = await self._keys.find(client, kid, jku)
        except KeyFault as fault:
            step("the key is found", False, fault.reason, Reason.KEY)
            return
        step("the key is found", True, (kid, client), Reason.KEY, _key_of)
        fits = key.fits(algorithm)
        step("the key is for this alg", fits, f"{key.kind} {key.algorithm}".strip(), Reason.KEY)
        if fits:
            step("the signature holds", _holds(parts, key, algorithm), "", Reason.SIGNATURE)

    def _claimed(self, client: Client, claims: Json, url: str, now: float, step: _Step) -> None:
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        wanted = {address.rstrip("/") for address in (url, *client.audience_aliases)}
        meant = any(isinstance(one, str) and one.rstrip("/") in wanted for one in named)
        step("aud is the address called", meant, (audience, url), Reason.AUDIENCE, _against)
        jti = claims.get("jti")
        step("jti is there", isinstance(jti, str) and 0 < len(jti) <= _LONGEST_NAME, "", Reason.CLAIMS)
        expires, issued, begins = (_seconds(claims.get(name)) for name in ("exp", "iat", "nbf"))
        tenant = claims.get("tenant")
        known = not client.tenants or tenant in client.tenants
        step("the tenant is one of the client's", known, tenant, Reason.TENANT)
        step("exp and iat are there", expires is not None and issued is not None, "", Reason.TIME)
        if expires is None or issued is None:
            return
        step("it is not over", now < expires + LEEWAY_S, (now - expires, "expired", "expires"), Reason.TIME, _ago)
        step("it has been issued", issued <= now + LEEWAY_S, (now - issued, "issued", "issued"), Reason.TIME, _ago)
        valid = "nbf" not in claims or (begins is not None and begins <= now + LEEWAY_S)
        seen = (now - begins, "begins", "begins") if begins is not None else (0.0, "", "")
        step("it is valid already", valid, seen, Reason.TIME, _ago)
        life = expires - issued
        step("it lives no longer than an hour", 0 < life <= _LONGEST_LIFE_S, f"{life:.0f} seconds", Reason.TIME)


def _holds(parts: _Parts, key: Key, algorithm: str) -> bool:
    """Whether the signature is this key's. PyJWT's algorithm alone: taking the token apart once more costs it more than verifying."""
    return bool(_algorithms()[algorithm].verify(parts.signed, key.public, parts.signature))


@lru_cache(maxsize=1)
def _algorithms() -> dict[str, Any]:
    from jwt.algorithms import get_default_algorithms  # noqa: PLC0415  (slow to import, and not needed to start)

    return {name: made for name, made in get_default_algorithms().items() if name in KNOWN}


class _Step:
    """Takes each check. At the door the first that fails ends the way; with a trace the others are told too, as far as they can be.

    What was seen is put into words for a trace alone.
    """

    __slots__ = ("_failed", "_trace")

    def __init__(self, trace: Trace | None) -> None:
        self._trace = trace
        self._failed: Reason | None = None

    def __call__(
        self, what: str, holds: bool, seen: Any, reason: Reason, words: Callable[..., str] | None = None
    ) -> None:
        if self._trace is not None:
            self._trace(what, holds, _shown(seen) if words is None else words(*seen))
        if not holds:
            self._failed = self._failed or reason
            if self._trace is None:
                raise NotTrusted(reason)

    def end(self) -> None:
        """Nothing that comes now can be told unless all before it holds."""
        if self._failed is not None:
            raise NotTrusted(self._failed)


def _taken_apart(token: str, step: _Step) -> _Parts:
    step("there is a token", bool(token), "", Reason.MISSING)
    step("it is no longer than tokens are", len(token) <= LONGEST, f"{len(token)} characters", Reason.MALFORMED)
    pieces = token.encode("ascii", "replace").split(b".")
    step.end()
    step("it has three parts", len(pieces) == 3, f"{len(pieces)}", Reason.MALFORMED)
    step.end()
    step("it is base64url, unpadded", _COMPACT.fullmatch(b".".join(pieces)) is not None, "", Reason.MALFORMED)
    step.end()
    header, claims = map(_object, pieces[:2])
    step("its header is a JSON object", header is not None, "", Reason.MALFORMED)
    step("its claims are a JSON object", claims is not None, "", Reason.MALFORMED)
    signature = _decoded(pieces[2])
    step("its signature is base64url too", signature is not None, "", Reason.MALFORMED)
    step.end()
    assert header is not None
    assert claims is not None
    assert signature is not None
    return _Parts(header, claims, b".".join(pieces[:2]), signature)


def _object(piece: bytes) -> Json | None:
    decoded = _decoded(piece)
    try:
        return None if decoded is None else _read_json(decoded)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _decoded(piece: bytes) -> bytes | None:
    """What base64url stands for; None where its last letters stand for nothing."""
    try:
        return binascii.a2b_base64(piece.translate(_URLSAFE) + b"==="[: -len(piece) % 4], strict_mode=True)
    except binascii.Error:
        return None


def _seconds(value: Any) -> float | None:
    """A NumericDate."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e11:
        return None
    return float(value)


def _signs_with(algorithm: Any, client: Client) -> str:
    return f"{_shown(algorithm)}; the client signs with {', '.join(client.algorithms)}"


def _key_of(kid: str, client: Client) -> str:
    return f"{_shown(kid)} of {client.id}"


def _against(audience: Any, url: str) -> str:
    return f"{_shown(audience)}; called {url}"


def _ago(seconds: float, was: str, will: str) -> str:
    """When something is or was, in words."""
    if not was:
        return ""
    size = f"{abs(seconds):.0f} seconds" if abs(seconds) < 120 else f"{abs(seconds) / 60:.0f} minutes"
    return f"{was} {size} ago" if seconds >= 0 else f"{will} in {size}"


def _shown(value: Any) -> str:
    """A claim or header as the diagnosis shows it."""
    if value is None:
        return "none"
    said = value if isinstance(value, str) else json.dumps(value)
    said = said[:200]
    return said if said.isprintable() else "".join(c if c.isprintable() else "?" for c in said)
