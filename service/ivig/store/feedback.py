"""What became of the cards, kept so that the same word said twice is kept once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from ivig.store.items import FeedbackItem, FeedbackResult
from ivig.store.tables import cards, feedback


async def keep(engine: AsyncEngine, client: str, items: Sequence[FeedbackItem], now: datetime) -> FeedbackResult:
    """Keep all of it or nothing; it is committed when this returns.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: the database cannot be reached.
    """
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    async with engine.begin() as connection:
        uuids = list({item.card for item in items})
        found = set((await connection.execute(select(cards.c.uuid).where(cards.c.uuid.in_(uuids)))).scalars())
        for item in items:
            for suggestion in item.suggestions or ("",):
                row = _row(client, item, suggestion, now, item.card in found)
                statement = dialect.insert(feedback).values(**row)
                again = {
                    k: statement.excluded[k] for k in ("outcome", "reason_system", "reason_code", "comment", "known")
                }
                keys = ["client", "card", "suggestion", "outcome_at"]
                await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=again))
    return FeedbackResult(len(items), sum(1 for item in items if item.card not in found))


def _row(client: str, item: FeedbackItem, suggestion: str, now: datetime, known: bool) -> dict[str, Any]:
    return {
        "client": client,
        "card": item.card,
        "suggestion": suggestion,
        "outcome": item.outcome,
        "outcome_at": item.at.astimezone(UTC),
        "reason_system": item.reason_system,
        "reason_code": item.reason_code,
        "comment": item.comment,
        "received_at": now,
        "known": known,
    }
