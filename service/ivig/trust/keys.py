"""The public keys of the clients: from a file, or from addresses on their lists; kept for a while, fetched anew when a key is not known."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ivig import outbound
from ivig.trust.clients import Client

if TYPE_CHECKING:
    import httpx

_AGEING_S = 2_700.0  # a key set is fetched again after this, beside the calls
_FRESH_S = 3_600.0  # and waited for after this
_STALE_S = 86_400.0  # and used so long while its server is down
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 10.0, 900.0  # between two fetches of one set, growing while they fail
_MOST_BYTES = 512 * 1024
_MOST_KEYS = 100
_TIMEOUT_S = 3.0
_LEAST_BITS, _MOST_BITS = 2048, 8192  # a longer one takes long to verify with
_LONGEST_EXPONENT = 8  # characters; the same
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}  # members of a key that nobody but its owner may have
# The curve of each algorithm on curves: a key of another curve verifies nothing.
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


class Key(Struct, frozen=True):
    """A public key that is ready to verify.

    Args:
        kind: `RSA` or the name of its curve.
        algorithm: the only one that it is for, '' where its set does not say.
    """

    kid: str
    kind: str
    algorithm: str
    public: Any

    def fits(self, algorithm: str) -> bool:
        """Whether a signature by this algorithm can be this key's."""
        if self.algorithm and self.algorithm != algorithm:
            return False
        return self.kind == CURVES.get(algorithm, "RSA")


class KeyFault(Exception):
    """Why a key set gives no keys. `reason` is a word for the diagnosis."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoneUsable(KeyFault):
    """A key set without a usable key: what was in it before has been withdrawn."""

    def __init__(self) -> None:
        super().__init__("no usable key in the set")


def keys_in(text: bytes) -> dict[str, Key]:
    """The usable keys of a JWK set by their ids; those that are none of ours (secret, private, for encryption, too short) are passed over.

    Raises:
        KeyFault: it is no JWK set.
        NoneUsable: it is one, and holds no usable key.
    """
    import jwt  # noqa: PLC0415  (slow to import, and not needed to start)

    try:
        listed = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KeyFault("not a JWK set") from None
    if not isinstance(listed, list):
        raise KeyFault("not a JWK set")
    found: dict[str, Key] = {}
    for jwk in listed[:_MOST_KEYS]:
        if not isinstance(jwk, dict) or jwk.get("kty") not in ("RSA", "EC") or _PRIVATE & jwk.keys():
            continue
        if jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("kid"), str):
            continue
        uses = jwk.get("key_ops", ["verify"])
        if not isinstance(uses, list) or "verify" not in uses:
            continue
        kind = "RSA" if jwk["kty"] == "RSA" else str(jwk.get("crv"))
        of = "RS384" if kind == "RSA" else next((a for a, curve in CURVES.items() if curve == kind), "")
        try:
            public = jwt.PyJWK({k: v for k, v in jwk.items() if k != "alg"}, algorithm=of).key
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        if kind == "RSA" and (len(jwk["e"]) > _LONGEST_EXPONENT or not _LEAST_BITS <= public.key_size <= _MOST_BITS):
            continue
        found[jwk["kid"]] = Key(jwk["kid"], kind, str(jwk.get("alg", "")), public)
    if not found:
        raise NoneUsable
    return found


class _Set(Struct):
    """One key set as it was last fetched."""

    keys: Mapping[str, Key] = {}
    fetched: float = float("-inf")
    tried: float = float("-inf")
    pause: float = _FIRST_PAUSE_S
    why: str = ""
    running: Any = None


class Keys:
    """Finds the key that a token names.

    Args:
        private: whether key sets may lie at private addresses.
        transport: in the place of the network, for tests.
        clock: seconds, never going back.
        offline: fetches nothing: keys of files alone.
        log: called with an event and plain words when a key set cannot be had, and when it can be again.
    """

    def __init__(
        self,
        private: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        offline: bool = False,
        log: Callable[[str, str], None] | None = None,
    ) -> None:
        self._private, self._transport, self._clock = private, transport, clock
        self._offline, self._log = offline, log
        self._sets: dict[str, _Set] = {}
        self._client: httpx.AsyncClient | None = None

    async def find(self, client: Client, kid: str, jku: str = "") -> Key:
        """The key of this id, of the client's set.

        A set that is getting old is fetched anew beside the calls. They wait for it only when it is too old or lacks the key; a server that
        is known to be down is not waited for as long as the key at hand may be used.

        Args:
            jku: the address that the token names, '' for none. It is called only when it stands on the client's list, letter by letter.

        Raises:
            KeyFault: the address is not allowed, the set cannot be had, or holds no such key.
        """
        if jku and jku not in client.jwks_urls:
            raise KeyFault("jku is not on the client's list")
        place = jku or (client.jwks_file or next(iter(client.jwks_urls), ""))
        if not place:
            raise KeyFault("the client has no key set")
        held = self._sets.setdefault(place, _Set())
        now = self._clock()
        age, key = now - held.fetched, held.keys.get(kid)
        if key is not None and age < _AGEING_S:
            return key
        if held.running is None and now - held.tried >= held.pause:
            self._refresh(place, held, remote=bool(jku) or not client.jwks_file)
        usable = key is not None and (age < _FRESH_S or (bool(held.why) and age < _STALE_S))
        if held.running is not None and not usable:
            await asyncio.shield(held.running)
            key = held.keys.get(kid)
        if key is not None and now - held.fetched < _STALE_S:
            return key
        raise KeyFault(held.why if held.why and not held.keys else "no key of this id in the set")

    async def all_of(self, client: Client) -> tuple[Key, ...]:
        """Every usable key of a client's first set.

        Raises:
            KeyFault: the set cannot be had.
        """
        place = client.jwks_file or next(iter(client.jwks_urls), "")
        held = _Set()
        await self._fetched(place, held, remote=not client.jwks_file)
        if held.why:
            raise KeyFault(held.why)
        return tuple(held.keys.values())

    async def warm(self, clients: Iterable[Client]) -> None:
        """Fetch the first set of each client before its first call, which then need not wait. Raises nothing."""
        for client in clients:
            place = client.jwks_file or next(iter(client.jwks_urls), "")
            held = self._sets.setdefault(place, _Set())
            if place and held.running is None:
                await asyncio.shield(self._refresh(place, held, remote=not client.jwks_file))

    def _refresh(self, place: str, held: _Set, remote: bool) -> asyncio.Future[None]:
        """Begin to fetch a set; once, however many ask for it."""
        held.tried = self._clock()
        running = asyncio.ensure_future(self._renewed(place, held, remote))
        running.add_done_callback(lambda _: setattr(held, "running", None))
        held.running = running
        return running

    async def _renewed(self, place: str, held: _Set, remote: bool) -> None:
        before = held.why
        await self._fetched(place, held, remote)
        if self._log is not None and held.why != before:
            self._log("key set cannot be had" if held.why else "key set is there again", f"{place}: {held.why or 'ok'}")

    async def _fetched(self, place: str, held: _Set, remote: bool) -> None:
        try:
            text = await self._get(place) if remote else await asyncio.to_thread(Path(place).read_bytes)
            held.keys = keys_in(text)
        except NoneUsable as withdrawn:
            held.keys, held.why = {}, withdrawn.reason
        except KeyFault as fault:
            held.why = fault.reason
        except outbound.NotAllowed:
            held.why = "the key set's address may not be called"
        except outbound.TooLarge:
            held.why = "the key set is too large"
        except Exception as fault:  # noqa: BLE001  (whatever its server does, it is one that gives no keys)
            held.why = f"the key set cannot be had ({type(fault).__name__})"
        else:
            held.fetched, held.why, held.pause = self._clock(), "", _FIRST_PAUSE_S
            held.tried = held.fetched
            return
        held.pause = min(held.pause * 2, _LONGEST_PAUSE_S)

    async def _get(self, url: str) -> bytes:
        if self._offline:
            raise KeyFault("the key set is not fetched, for this is offline")
        if self._client is None:
            self._client = outbound.client(
                private=self._private, timeout_s=_TIMEOUT_S, most_bytes=_MOST_BYTES, transport=self._transport
            )
        async with asyncio.timeout(_TIMEOUT_S):
            response = await outbound.get(self._client, url, {"Accept": "application/json"}, _MOST_BYTES)
        if response.status_code != 200:
            raise KeyFault(f"the key set's server answers {response.status_code}")
        return response.content

    async def aclose(self) -> None:
        """End the fetches that run beside the calls, and close the connections."""
        running = [held.running for held in self._sets.values() if held.running is not None]
        for fetch in running:
            fetch.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
