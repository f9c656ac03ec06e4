"""A FHIR server on 127.0.0.1 that does what a test tells it, faults included, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

FHIR = "application/fhir+json"


class Asked(Struct, frozen=True):
    """A request: path and parameters as they were meant, headers in lower case."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


class Reply(Struct, frozen=True):
    """What is sent back.

    Args:
        cut: only so many bytes of the body, then the connection is closed.
        drip: seconds between single bytes of the body.
    """

    body: Any = None
    status: int = 200
    after: float = 0
    headers: dict[str, str] = {}
    cut: int | None = None
    drip: float = 0


Answers = Callable[[Asked], Reply]


class Ehr:
    """The server while it runs. `base` is its FHIR base; `asked` all requests in their order; `open` its open connections."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.asked, self.open, self.most_open = answers, list[Asked](), 0, 0
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        target = urlsplit(head[0].split(" ")[1])
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        asked = Asked(unquote(target.path.removeprefix("/fhir/")), parse_qs(target.query), headers)
        self.asked.append(asked)
        reply = self.answers(asked)
        await _waited(reader, reply.after)
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        said = {"Content-Type": FHIR, "Content-Length": str(len(body))} | reply.headers
        lines = [f"HTTP/1.1 {reply.status} Said", *(f"{k}: {v}" for k, v in said.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if reply.drip:
            for place in range(len(body)):
                writer.write(body[place : place + 1])
                await writer.drain()
                await asyncio.sleep(reply.drip)
        writer.write(body[: reply.cut])
        await writer.drain()
        return reply.cut is None


async def _waited(reader: asyncio.StreamReader, seconds: float) -> None:
    """Wait, but no longer than somebody is there who waits for the reply."""
    gone = asyncio.ensure_future(reader.read(1))
    done, _ = await asyncio.wait([gone], timeout=seconds)
    if done:
        raise ConnectionResetError
    gone.cancel()
    await asyncio.wait([gone])


@asynccontextmanager
async def ehr(answers: Answers) -> AsyncIterator[Ehr]:
    """A running server; it ends, with all its connections, when the block does."""
    made = Ehr(answers)
    tasks = set[asyncio.Task[None]]()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(made.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def run(body: Callable[[], Awaitable[None]]) -> None:
    """Run an asynchronous test; it is over in seconds, or it failed."""
    asyncio.run(asyncio.wait_for(_awaited(body), 20))


async def _awaited(body: Callable[[], Awaitable[None]]) -> None:
    await body()
