"""How alembic connects: with a connection of its own, one upgrade at a time, and each as a whole or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ivig.store.tables import metadata

_PATIENCE_S = 60  # for the upgrade of another process
_LOCK = 0x1F16  # of PostgreSQL, until the transaction ends


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True
    )  # SQLite too can take back the making of a table, if only it is told to begin
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        context.run_migrations()


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url)
    engine = create_async_engine(url, connect_args={"timeout": _PATIENCE_S})
    event.listen(engine.sync_engine, "connect", _leave_beginning_to_us)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _leave_beginning_to_us(connection: Any, _: Any) -> None:
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _connected() -> None:
    engine = _engine(context.config.attributes["url"])
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(_connected())
