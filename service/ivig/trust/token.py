"""A client's token, verified step by step: the same steps for the door, which says nothing, and for the diagnosis, which says all.

Nothing of a token is believed before its signature: until then its issuer only chooses whose keys and algorithms it is held against.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Any

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
    header: Json
    claims: Json


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

    async def verify(self, token: str, url: str, trace: Trace | None = None) -> Client:
        """The client that a token is of.

        Args:
            url: the address that was called.
            trace: told of each step; then the token is not counted as used.

        Raises:
            NotTrusted: any step fails.
        """
        step = _Step(trace)
        parts = _taken_apart(token, step)
        header, claims = parts.header, parts.claims
        algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku", "")
        step("typ is JWT", header.get("typ") == "JWT", _shown(header.get("typ")), Reason.HEADER)
        step("kid is there", isinstance(kid, str) and 0 < len(kid) <= _LONGEST_NAME, _shown(kid), Reason.HEADER)
        step("no critical extension", "crit" not in header, "", Reason.HEADER)
        step("jku is an address, or not there", isinstance(jku, str), _shown(jku), Reason.HEADER)
        client = self._client(claims, step)
        seen = f"{_shown(algorithm)}; the client signs with {', '.join(client.algorithms)}"
        step("alg is one of the client's", algorithm in client.algorithms, seen, Reason.ALGORITHM)
        await self._signed(token, client, str(algorithm), str(kid), jku, step)
        self._claimed(client, claims, url, step)
        if trace is None:
            now = self._clock()
            first = self._replay.first(client.id, claims["jti"], float(claims["exp"]) + LEEWAY_S, now)
            step("jti was not used before", first, "", Reason.REPLAY)
        return client

    def _client(self, claims: Json, step: _Step) -> Client:
        issuer = claims.get("iss")
        client = self._by_issuer.get(issuer) if isinstance(issuer, str) else None
        step("iss is a client's issuer", client is not None, _shown(issuer), Reason.ISSUER)
        assert client is not None
        return client

    async def _signed(self, token: str, client: Client, algorithm: str, kid: str, jku: str, step: _Step) -> None:
        try:
            key = await self._keys.find(client, kid, jku)
        except KeyFault as fault:
            step("the key is found", False, fault.reason, Reason.KEY)
            raise NotTrusted(Reason.KEY) from None
        step("the key is found", True, f"{_shown(kid)} of {client.id}", Reason.KEY)
        step("the key is for this alg", key.fits(algorithm), f"{key.kind} {key.algorithm}".strip(), Reason.KEY)
        step("the signature holds", _holds(token, key, algorithm), "", Reason.SIGNATURE)

    def _claimed(self, client: Client, claims: Json, url: str, step: _Step) -> None:
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        wanted = {address.rstrip("/") for address in (url, *client.audience_aliases)}
        meant = any(isinstance(one, str) and one.rstrip("/") in wanted for one in named)
        step("aud is the address called", meant, f"{_shown(audience)}; called {url}", Reason.AUDIENCE)
        jti = claims.get("jti")
        step("jti is there", isinstance(jti, str) and 0 < len(jti) <= _LONGEST_NAME, "", Reason.CLAIMS)
        now = self._clock()
        expires, issued, begins = (_seconds(claims.get(name)) for name in ("exp", "iat", "nbf"))
        step("exp and iat are there", expires is not None and issued is not None, "", Reason.TIME)
        assert expires is not None
        assert issued is not None
        step("it is not over", now < expires + LEEWAY_S, _ago(now - expires, "expired", "expires"), Reason.TIME)
        step("it has been issued", issued <= now + LEEWAY_S, _ago(now - issued, "issued"), Reason.TIME)
        valid = "nbf" not in claims or (begins is not None and begins <= now + LEEWAY_S)
        step("it is valid already", valid, _ago(now - begins, "begins") if begins is not None else "", Reason.TIME)
        life = expires - issued
        step("it lives no longer than an hour", life <= _LONGEST_LIFE_S, f"{life:.0f} seconds", Reason.TIME)
        tenant = claims.get("tenant")
        known = not client.tenants or tenant in client.tenants
        step("the tenant is one of the client's", known, _shown(tenant), Reason.TENANT)


def _holds(token: str, key: Key, algorithm: str) -> bool:
    """Whether the signature is this key's. PyJWT's algorithm alone: taking the token apart once more costs it more than verifying."""
    signed, _, signature = token.rpartition(".")
    verifier = _algorithms()[algorithm]
    try:
        return bool(
            verifier.verify(
                signed.encode("ascii"), key.public, urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
            )
        )
    except (ValueError, binascii.Error):
        return False


@lru_cache(maxsize=1)
def _algorithms() -> dict[str, Any]:
    from jwt.algorithms import get_default_algorithms  # noqa: PLC0415  (slow to import, and not needed to start)

    return {name: made for name, made in get_default_algorithms().items() if name in KNOWN}


class _Step:
    """Takes each check; the first that fails ends the way."""

    __slots__ = ("_trace",)

    def __init__(self, trace: Trace | None) -> None:
        self._trace = trace

    def __call__(self, what: str, holds: bool, seen: str, reason: Reason) -> None:
        if self._trace is not None:
            self._trace(what, holds, seen)
        if not holds:
            raise NotTrusted(reason)


def _taken_apart(token: str, step: _Step) -> _Parts:
    step("there is a token", bool(token), "", Reason.MISSING)
    step("it is no longer than tokens are", len(token) <= LONGEST, f"{len(token)} characters", Reason.MALFORMED)
    pieces = token.split(".")
    step("it has three parts", len(pieces) == 3, f"{len(pieces)}", Reason.MALFORMED)
    header, claims = map(_object, pieces[:2])
    step("its header is a JSON object", header is not None, "", Reason.MALFORMED)
    step("its claims are a JSON object", claims is not None, "", Reason.MALFORMED)
    assert header is not None
    assert claims is not None
    return _Parts(header, claims)


def _object(piece: str) -> Json | None:
    try:
        made = json.loads(urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return made if isinstance(made, dict) else None


def _seconds(value: Any) -> float | None:
    """A NumericDate."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e11:
        return None
    return float(value)


def _ago(seconds: float, was: str, will: str = "") -> str:
    """When something is or was, in words."""
    size = f"{abs(seconds):.0f} seconds" if abs(seconds) < 120 else f"{abs(seconds) / 60:.0f} minutes"
    return f"{was} {size} ago" if seconds >= 0 else f"{will or was} in {size}"


def _shown(value: Any) -> str:
    """A claim or header as the diagnosis shows it."""
    if value is None:
        return "none"
    said = value if isinstance(value, str) else json.dumps(value)
    said = said[:200]
    return said if said.isprintable() else "".join(c if c.isprintable() else "?" for c in said)
