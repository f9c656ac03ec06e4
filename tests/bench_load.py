"""The load of the bench, as a process of its own: calls over connections that stay open, each with the next request of a file.

`python tests/bench_load.py PORT REQUESTS CONNECTIONS CALLS` prints one line of JSON: `seconds`, `p50_ms`, `p99_ms`. It ends with an error
at the first answer that is not a 200. As thin as can be, for it shares the processors with the service.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_PATIENCE_S = 20.0


def framed(requests: list[bytes]) -> bytes:
    """Requests as one file: each behind a line with its length."""
    return b"".join(b"%d\n%s" % (len(one), one) for one in requests)


def unframed(text: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(text):
        end = text.index(b"\n", at)
        length = int(text[at:end])
        found.append(text[end + 1 : end + 1 + length])
        at = end + 1 + length
    return found


def post(path: str, body: bytes, host: str, token: str = "") -> bytes:
    """The bytes of one request."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "\r\n"]).encode() + body


class Connection:
    """One connection with at most one call under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got, self.started = b"", 0.0

    def send(self, request: bytes) -> None:
        self.got, self.started = b"", time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The body of the answer; None while it is still coming.

        Raises:
            RuntimeError: it is not a 200, or the service hung up.
        """
        more = self.socket.recv(65536)
        if not more:
            raise RuntimeError("the service hung up")
        self.got += more
        head, end, body = self.got.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if end else None
        if length is None or len(body) < int(length[1]):
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head[:60]!r} {body[:300]!r}")
        return body


def load(port: int, requests: Iterator[bytes], connections: int) -> tuple[float, list[float]]:
    """Seconds in all and milliseconds of each call."""
    times: list[float] = []
    waiting = selectors.DefaultSelector()
    opened = [Connection(port) for _ in range(connections)]
    start = time.perf_counter()
    under_way = 0
    for one, request in zip(opened, requests, strict=False):
        waiting.register(one.socket, selectors.EVENT_READ, one)
        one.send(request)
        under_way += 1
    while under_way:
        ready = waiting.select(_PATIENCE_S)
        if not ready:
            raise RuntimeError("the service does not answer")
        for key, _ in ready:
            one = key.data
            if one.receive() is None:
                continue
            times.append((time.perf_counter() - one.started) * 1e3)
            request = next(requests, b"")
            if request:
                one.send(request)
            else:
                under_way -= 1
    seconds = time.perf_counter() - start
    for one in opened:
        one.socket.close()
    return seconds, times


def main() -> None:
    port, file, connections, calls = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    seconds, times = load(port, islice(cycle(unframed(file.read_bytes())), calls), connections)
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    print(json.dumps({"seconds": seconds, "p50_ms": cuts[49], "p99_ms": cuts[98]}))


if __name__ == "__main__":
    main()
