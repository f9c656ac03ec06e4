"""What became of the cards, kept so that the same word said twice is kept once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ivig.store.database import insert_into
from ivig.store.items import FeedbackItem, FeedbackResult
from ivig.store.tables import calls, cards, feedback

_KEY = ("client", "card", "suggestion", "outcome_at")
_SAID = ("outcome", "reason_system", "reason_code", "comment", "known")


async def keep(engine: AsyncEngine, client: str, items: Sequence[FeedbackItem], now: datetime) -> FeedbackResult:
    """Keep all of it or nothing; it is committed when this returns.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: the database cannot be reached.
    """
    async with engine.begin() as connection:
        found = await _known(connection, client, {item.card for item in items})
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        for item in items:
            for suggestion in item.suggestions or ("",):
                row = _row(client, item, suggestion, now, item.card in found)
                rows[tuple(row[name] for name in _KEY)] = row  # of two with one key the later word counts
        statement = insert_into(connection, feedback)
        again = {name: statement.excluded[name] for name in _SAID}
        ordered = [rows[key] for key in sorted(rows)]  # so that two calls at once do not wait for each other in a ring
        if ordered:
            await connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=again), ordered)
    return FeedbackResult(len(items), sum(1 for item in items if item.card not in found))


async def _known(connection: AsyncConnection, client: str, uuids: set[str]) -> set[str]:
    """Those of these cards that were shown to this client."""
    of_client = select(cards.c.uuid).join(calls).where(calls.c.client == client, cards.c.uuid.in_(sorted(uuids)))
    return set((await connection.execute(of_client)).scalars())


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
