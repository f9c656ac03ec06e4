"""How many calls of one client are taken in a minute."""

from __future__ import annotations

import math

from msgspec import Struct

_MINUTE = 60.0
_BURST = 0.25  # of a minute's calls may come at once


class _Bucket(Struct):
    left: float
    at: float


class Rate:
    """A bucket for each client, that fills as time goes by."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, client: str, per_minute: int, now: float) -> int:
        """Seconds to wait before the next call; 0 takes this one.

        Args:
            per_minute: 0 for no limit.
            now: seconds, never going back.
        """
        if per_minute <= 0:
            return 0
        room = max(1.0, per_minute * _BURST)
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(room, now)
        bucket.left = min(room, bucket.left + (now - bucket.at) * per_minute / _MINUTE)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0
        return max(1, math.ceil((1 - bucket.left) * _MINUTE / per_minute))
