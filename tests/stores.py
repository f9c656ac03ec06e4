"""What is kept in a store, made up; and databases of the PostgreSQL server that the tests share (`conftest.py`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from ivig.settings import Settings
from ivig.store.database import engine_of
from ivig.store.record import Shown, ShownCard, ShownFinding

T = TypeVar("T")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_databases = 0


def database_of(server: Any, like: str = "") -> str:
    """The address of a new database of the server, empty or like the one of another address."""
    global _databases  # noqa: PLW0603  (names have to differ)
    _databases += 1
    name = f"ivig{_databases}"
    template = f" TEMPLATE {make_url(like).database}" if like else ""
    server.psql(f"CREATE DATABASE {name}{template};")
    return str(server.get_uri(name))


def with_engine(settings: Settings, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    async def done() -> T:
        engine = engine_of(settings)
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    return asyncio.run(done())


def finding(rule: str = "lab-missing", shown: str = "shown", severity: str = "warning") -> ShownFinding:
    return ShownFinding(rule, severity, "flagged", shown)


def record(*findings: ShownFinding, uuid: str = "card-1", at: datetime = NOW, client: str = "ehr") -> Shown:
    card = ShownCard(uuid, "0" * 32, "advise", "full", "warning", findings or (finding(),), ("suggestion-1",))
    return Shown(
        at=at.isoformat().replace("+00:00", "Z"),
        client=client,
        hook="order-sign",
        instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        patient="a" * 32,
        user="b" * 32,
        cards=(card,),
        prefetch={"patient": "held"},
        took_ms=1.5,
    )
