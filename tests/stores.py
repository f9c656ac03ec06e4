"""Real databases for the store: an SQLite file, and a PostgreSQL server that lives as long as the tests."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Table, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ivig.settings import Settings
from ivig.store import service
from ivig.store.database import FILE, engine_of
from ivig.store.migrate import upgrade
from ivig.store.service import StoreService
from recorded import DAY

T = TypeVar("T")
TEMPLATE = "upgraded"
_numbers = itertools.count()


class Postgres:
    """A server that answers on a socket in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        import pgserver  # noqa: PLC0415  (there is no wheel for every Python)

        self._server = pgserver.get_server(folder, cleanup_mode="stop")
        self.run(f"CREATE DATABASE {TEMPLATE}")
        upgrade(Settings(database_url=self.url(TEMPLATE), data_dir=str(folder)))

    def url(self, database: str) -> str:
        return make_url(self._server.get_uri()).set(database=database).render_as_string(hide_password=False)

    def run(self, *statements: str) -> None:
        """Run statements, each by itself."""

        async def done() -> None:
            engine = create_async_engine(make_url(self.url("postgres")).set(drivername="postgresql+asyncpg"))
            try:
                async with engine.connect() as connection:
                    outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    for statement in statements:
                        await outside.execute(text(statement))
            finally:
                await engine.dispose()

        asyncio.run(done())

    def database(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"store_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    pytest.importorskip("pgserver", reason="there is no PostgreSQL here: pgserver has no wheel for this Python")
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sqlite")
    upgrade(Settings(data_dir=str(folder)))
    return folder / FILE


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a store without tables."""
    if request.param == "sqlite":
        return Settings(data_dir=str(tmp_path))
    server: Postgres = request.getfixturevalue("postgres")
    return Settings(data_dir=str(tmp_path), database_url=server.url(server.database()))


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a store with the tables of this release, and nothing in them."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("upgraded_file"), tmp_path / FILE)
        return Settings(data_dir=str(tmp_path))
    server: Postgres = request.getfixturevalue("postgres")
    return Settings(data_dir=str(tmp_path), database_url=server.url(server.database(TEMPLATE)))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain that looks fifty times a second."""
    monkeypatch.setattr(service, "_EVERY_S", 0.02)
    monkeypatch.setattr(service, "_LONGEST_PAUSE_S", 0.1)


class Clock:
    """A time that stands still until it is told."""

    def __init__(self) -> None:
        self.now = DAY

    def __call__(self) -> Any:
        return self.now

    def on(self, days: float) -> None:
        self.now += timedelta(days=days)


def with_engine(settings: Settings, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """What comes of doing something with the database."""

    async def done() -> T:
        engine = engine_of(settings)
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    return asyncio.run(done())


def with_store(
    settings: Settings, work: Callable[[StoreService], Awaitable[T]], clock: Callable[[], Any] | None = None
) -> T:
    """What comes of doing something with a service that is started, and stopped afterwards."""

    async def done() -> T:
        store = StoreService(settings, clock or Clock())
        await store.start()
        try:
            return await work(store)
        finally:
            await store.stop()

    return asyncio.run(done())


async def until(store: StoreService, state: str = "up", lag: int | None = None) -> None:
    """Wait, ten seconds at most, for the store to be in a state, and behind by no more than so many bytes."""
    for _ in range(1_000):
        health = store.health()
        if health["store"] == state and (lag is None or health["journal_lag_bytes"] <= lag):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the store is not {state}: {store.health()}")


def count(settings: Settings, table: Table) -> int:
    async def counted(engine: AsyncEngine) -> int:
        async with engine.connect() as connection:
            return await connection.scalar(select(func.count()).select_from(table)) or 0

    return with_engine(settings, counted)


def rows(settings: Settings, table: Table) -> list[dict[str, Any]]:
    """All rows of a table in the order they were made."""

    async def read(engine: AsyncEngine) -> list[dict[str, Any]]:
        async with engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(select(table).order_by(*table.primary_key))]

    return with_engine(settings, read)
