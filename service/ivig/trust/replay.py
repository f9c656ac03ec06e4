"""Which tokens have been used. A token is good for one call."""

from __future__ import annotations

import heapq
import math
from hashlib import blake2b
from threading import Lock

from msgspec import Struct, field

# Remembered for each client, in some 200 bytes each: an hour, the longest a token lives, of the calls that a client has by default.
_MOST = 400_000
_DIGEST = 16


class Full(Exception):
    """There is no room for one more token of a client; there will be after so many seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class _Used(Struct):
    """The tokens of one client, as digests of their `jti`, with the second each is over."""

    digests: set[bytes] = field(default_factory=set)
    until: list[tuple[float, bytes]] = field(default_factory=list)


class Replay:
    """Remembers each token's `jti` until the token expires, within this process: each of several workers remembers its own calls.

    Args:
        most: how many are remembered for one client. One that floods us locks out nobody but itself.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._by_client: dict[str, _Used] = {}
        self._lock = Lock()

    def used(self, client: str, jti: str) -> bool:
        """Whether a token was used already; it is not remembered by this."""
        held = self._by_client.get(client)
        return held is not None and _digest(jti) in held.digests

    def first(self, client: str, jti: str, until: float, now: float) -> bool:
        """Whether this is the first use of a token, which is then remembered.

        Raises:
            Full: there is no room. What cannot be remembered could be used again, so it must not be taken.
        """
        digest = _digest(jti)
        with self._lock:
            used = self._by_client.setdefault(client, _Used())
            while used.until and used.until[0][0] < now:
                used.digests.discard(heapq.heappop(used.until)[1])
            if digest in used.digests:
                return False
            if len(used.digests) >= self._most:
                raise Full(max(1, math.ceil(used.until[0][0] - now)))
            used.digests.add(digest)
            heapq.heappush(used.until, (until, digest))
            return True


def _digest(jti: str) -> bytes:
    return blake2b(jti.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
