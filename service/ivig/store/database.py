"""The connection to the store: an embedded SQLite file, or PostgreSQL by its URL; and whether its tables are those of this release."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ivig.settings import Settings
from ivig.store.tables import REVISION

FILE = "store.sqlite3"
_DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
_PATIENCE_S = 5


class StoreFault(Exception):
    """The store cannot be used; the text says what to do, and holds no password."""


def url_of(settings: Settings) -> URL:
    """The address of the database.

    Raises:
        StoreFault: it is no address, or of another kind of database.
    """
    if not settings.database_url:
        return URL.create("sqlite+aiosqlite", database=str(Path(settings.data_dir).expanduser() / FILE))
    try:
        url = make_url(settings.database_url)
    except ArgumentError:
        raise StoreFault("IVIG_DATABASE_URL is no address such as postgresql://user@host/name") from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername not in _DRIVERS.values():
        raise StoreFault(f"IVIG_DATABASE_URL: {url.drivername} is not supported; SQLite and PostgreSQL are")
    return url


def engine_of(settings: Settings) -> AsyncEngine:
    """An engine of the store; nothing is connected yet.

    Raises:
        StoreFault: the address or its driver cannot be used.
    """
    url = url_of(settings)
    try:
        if url.get_backend_name() == "sqlite":
            if url.database and url.database != ":memory:":
                Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            engine = create_async_engine(url)
            event.listen(engine.sync_engine, "connect", _on_connect)
            return engine
        return create_async_engine(url, pool_pre_ping=True, connect_args={"timeout": _PATIENCE_S})
    except ModuleNotFoundError:
        raise StoreFault("PostgreSQL needs a driver: pip install 'ivig-order-check[postgres]'") from None
    except OSError as fault:
        raise StoreFault(f"the data directory cannot be made ({type(fault).__name__})") from None


def _on_connect(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={_PATIENCE_S * 1000}", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def revision(connection: AsyncConnection) -> str:
    """The revision of the tables, '' where there are none yet."""
    try:
        async with connection.begin_nested():
            found = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    except SQLAlchemyError:
        return ""
    return str(found or "")


async def prepare(engine: AsyncEngine, settings: Settings) -> bool:
    """Whether the tables are those of this release. Those of the embedded store are brought there; others are for their keeper.

    Raises:
        SQLAlchemyError, OSError: the database cannot be reached.
        StoreFault: the embedded store cannot be brought up to date.
    """
    async with engine.connect() as connection:
        held = await revision(connection)
    if held == REVISION:
        return True
    if settings.database_url:
        return False
    # In a process of its own: the service itself never loads what migrates.
    environment = {**os.environ, "IVIG_DATA_DIR": settings.data_dir, "IVIG_DATABASE_URL": ""}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ivig.store.migrate",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if await child.wait():
        raise StoreFault("the embedded store cannot be brought up to date; see ivig store upgrade")
    return True
