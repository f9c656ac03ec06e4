"""A record of the journal as rows of the tables. Whatever stands in it, its rows can be kept: one that cannot would stop all that follow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import String, Table

from ivig.store.record import Shown, ShownCard, ShownFinding
from ivig.store.tables import calls, cards, findings

Row = dict[str, Any]


def moment(text: str) -> datetime:
    """The time of a record.

    Raises:
        ValueError: it is no time with an offset, or of no year that a database knows.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no offset")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("no year") from None


def call_row(source: str, place: int, shown: Shown) -> Row:
    """A call by the journal it stands in, and where."""
    return _fitted(
        calls,
        {
            "source": source,
            "offset": place,
            "at": moment(shown.at),
            "client": shown.client,
            "hook": shown.hook,
            "instance": shown.instance,
            "patient": shown.patient,
            "user_hash": shown.user,
            "encounter": shown.encounter,
            "knowledge": shown.knowledge,
            "policy": shown.policy,
            "service": shown.service,
            "prefetch": msgspec.json.encode(shown.prefetch).decode(),
            "took_ms": shown.took_ms,
        },
    )


def card_row(call: int, card: ShownCard) -> Row:
    return _fitted(
        cards,
        {
            "call_id": call,
            "uuid": card.uuid,
            "order_hash": card.order,
            "verdict": card.verdict,
            "judged": card.judged,
            "indicator": card.indicator,
            "suggestions": ",".join(card.suggestions),
        },
    )


def finding_row(card: int, finding: ShownFinding) -> Row:
    told = {"rule": finding.rule, "severity": finding.severity, "result": finding.result, "shown": finding.shown}
    return _fitted(findings, {"card_id": card, **told})


def _fitted(table: Table, row: Row) -> Row:
    """Texts as PostgreSQL takes them: no longer than their column, and without the character NUL."""
    lengths = _LENGTHS[table.name]
    return {
        name: value.replace("\x00", "")[: lengths[name]] if isinstance(value, str) else value
        for name, value in row.items()
    }


_LENGTHS: dict[str, dict[str, int | None]] = {
    table.name: {c.name: c.type.length for c in table.columns if isinstance(c.type, String)}
    for table in (calls, cards, findings)
}
