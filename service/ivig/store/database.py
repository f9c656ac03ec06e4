"""The connection to the store: an embedded SQLite file, or PostgreSQL by its URL; and whether its tables are those of this release."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ivig.settings import Settings
from ivig.store.tables import REVISION

FILE = "store.sqlite3"
_DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
_PATIENCE_S = 5  # for a connection, or for another's write
_LONGEST_S = 60  # of a statement: a server that went away without a word is not waited for


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
            make_file(url)
            engine = create_async_engine(url)
            event.listen(engine.sync_engine, "connect", _on_connect)
            return engine
        return create_async_engine(
            url, pool_pre_ping=True, connect_args={"timeout": _PATIENCE_S, "command_timeout": _LONGEST_S}
        )
    except ModuleNotFoundError:
        raise StoreFault("PostgreSQL needs a driver: pip install 'ivig-order-check[postgres]'") from None
    except OSError as fault:
        raise StoreFault(f"the data directory cannot be made ({type(fault).__name__})") from None


def make_file(url: URL) -> None:
    """Make the file of an embedded store, for its owner alone; SQLite's files beside it take after it.

    Raises:
        OSError: it cannot be made.
    """
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _on_connect(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={_PATIENCE_S * 1000}", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def insert_into(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say what is to be done where the row is there already."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


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
    await _upgrade_apart(settings)
    return True


async def _upgrade_apart(settings: Settings) -> None:
    """Upgrade the embedded store in a process of its own: the service itself never loads what migrates."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ivig.store.migrate",
        env={**os.environ, "IVIG_DATA_DIR": settings.data_dir, "IVIG_DATABASE_URL": ""},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        ended = await child.wait()
    finally:
        if child.returncode is None:  # the service ends meanwhile; an upgrade is done as a whole or not at all
            child.kill()
            await child.wait()
    if ended:
        raise StoreFault("the embedded store cannot be brought up to date; see ivig store upgrade")
