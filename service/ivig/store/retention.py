"""What is older than the site keeps is deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from ivig.store.drain import forget
from ivig.store.tables import calls, feedback


async def prune(engine: AsyncEngine, days: int, now: datetime) -> tuple[int, int]:
    """Delete calls, with their cards and findings, and feedback older than so many days; returns how many of each.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: the database cannot be reached.
    """
    before = now - timedelta(days=days)
    async with engine.begin() as connection:
        shown = await connection.execute(delete(calls).where(calls.c.at < before))
        told = await connection.execute(delete(feedback).where(feedback.c.received_at < before))
        await forget(connection, before)
    return shown.rowcount, told.rowcount
