"""Which tokens have been used. A token is good for one call."""

from __future__ import annotations

import heapq
from threading import Lock

_MOST = 1_000_000  # remembered; a token is short-lived, so that only a flood comes here


class Replay:
    """Remembers each token's `jti` until the token expires."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._used: set[tuple[str, str]] = set()
        self._until: list[tuple[float, tuple[str, str]]] = []
        self._lock = Lock()

    def first(self, client: str, jti: str, until: float, now: float) -> bool:
        """Whether this is the first use of a token, which is then remembered.

        Nothing is taken once there is no room: what cannot be remembered could be used again.
        """
        key = (client, jti)
        with self._lock:
            while self._until and self._until[0][0] < now:
                self._used.discard(heapq.heappop(self._until)[1])
            if key in self._used or len(self._used) >= self._most:
                return False
            self._used.add(key)
            heapq.heappush(self._until, (until, key))
            return True
