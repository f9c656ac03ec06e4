"""Which tokens have been used. A token is good for one call."""

from __future__ import annotations

import heapq
from hashlib import blake2b
from threading import Lock

from msgspec import Struct, field

# Remembered for each client, in some 200 bytes each: an hour, the longest a token lives, of the calls that a client has by default.
_MOST = 400_000
_DIGEST = 16


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

    def first(self, client: str, jti: str, until: float, now: float) -> bool:
        """Whether this is the first use of a token, which is then remembered.

        Nothing is taken once there is no room: what cannot be remembered could be used again.
        """
        digest = blake2b(jti.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
        with self._lock:
            used = self._by_client.setdefault(client, _Used())
            while used.until and used.until[0][0] < now:
                used.digests.discard(heapq.heappop(used.until)[1])
            if digest in used.digests or len(used.digests) >= self._most:
                return False
            used.digests.add(digest)
            heapq.heappush(used.until, (until, digest))
            return True
