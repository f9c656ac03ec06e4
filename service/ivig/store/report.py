"""What became of what was shown, rule by rule."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from ivig.store.tables import calls, cards, feedback, findings

SHOWN = "shown"


class RuleReport(Struct):
    """One rule.

    Args:
        shown: on how many cards its finding was shown.
        accepted, overridden: of how many of these a suggestion was accepted, or the card overridden, as last reported.
        reasons: why it was overridden, by system and code.
        others: what else became of its findings: shadow, off, repeat, folded, capped, withheld.
    """

    rule: str
    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def override_rate(self) -> float | None:
        """Overridden of shown, 0 to 1; None where nothing was shown."""
        return round(self.overridden / self.shown, 3) if self.shown else None

    @property
    def ignored(self) -> int:
        """Shown, and never heard of."""
        return max(0, self.shown - self.accepted - self.overridden)


class FeedbackReport(Struct):
    """All rules; and beside them the calls, the cards, and feedback on cards that the store does not know."""

    rules: list[RuleReport]
    calls: int
    cards: int
    unknown: int


async def feedback_report(
    engine: AsyncEngine, since: datetime | None = None, until: datetime | None = None, client: str = ""
) -> FeedbackReport:
    """The report of calls from `since` up to, and not with, `until`; of all clients or of one.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: the database cannot be reached.
    """
    within: list[ColumnElement[bool]] = []
    if since is not None:
        within.append(calls.c.at >= since)
    if until is not None:
        within.append(calls.c.at < until)
    if client:
        within.append(calls.c.client == client)
    rules: dict[str, RuleReport] = {}
    joined = findings.join(cards, findings.c.card_id == cards.c.id).join(calls, cards.c.call_id == calls.c.id)
    async with engine.connect() as connection:
        counted = (
            select(findings.c.rule, findings.c.shown, func.count(func.distinct(findings.c.card_id)))
            .select_from(joined)
            .where(*within)
            .group_by(findings.c.rule, findings.c.shown)
        )
        for rule, what, count in await connection.execute(counted):
            of = rules.setdefault(rule, RuleReport(rule))
            if what == SHOWN:
                of.shown = count
            else:
                of.others[what] = count
        for row in await connection.execute(_outcomes(joined, within)):
            of = rules.setdefault(row.rule, RuleReport(row.rule))
            if row.outcome == "accepted":
                of.accepted += row.count
            else:
                of.overridden += row.count
                if row.reason_code:
                    of.reasons[f"{row.reason_system}|{row.reason_code}"] += row.count
        all_calls = await connection.scalar(select(func.count()).select_from(calls).where(*within))
        shown_cards = select(func.count()).select_from(cards.join(calls)).where(*within, cards.c.uuid != "")
        all_cards = await connection.scalar(shown_cards)
        unknown = await connection.scalar(_unknown(since, until, client))
    listed = sorted(rules.values(), key=lambda r: (-r.shown, r.rule))
    return FeedbackReport(listed, all_calls or 0, all_cards or 0, unknown or 0)


def _unknown(since: datetime | None, until: datetime | None, client: str) -> Select[int]:
    """How many cards were reported, within that time, that were never shown to who reported them."""
    shown = select(cards.c.id).join(calls).where(cards.c.uuid == feedback.c.card, calls.c.client == feedback.c.client)
    pairs = select(feedback.c.client, feedback.c.card).where(~shown.exists()).distinct()
    if since is not None:
        pairs = pairs.where(feedback.c.outcome_at >= since)
    if until is not None:
        pairs = pairs.where(feedback.c.outcome_at < until)
    if client:
        pairs = pairs.where(feedback.c.client == client)
    return select(func.count()).select_from(pairs.subquery())


def _outcomes(joined: Any, within: list[ColumnElement[bool]]) -> Select[Any]:
    """What was last reported of each card, counted for each rule that it showed."""
    newest_first = (feedback.c.outcome_at.desc(), feedback.c.id.desc())
    place = func.row_number().over(partition_by=(feedback.c.client, feedback.c.card), order_by=newest_first)
    said = (feedback.c.card, feedback.c.client, feedback.c.outcome, feedback.c.reason_system, feedback.c.reason_code)
    ranked = select(*said, place.label("place")).subquery()
    of_card = (ranked.c.card == cards.c.uuid) & (ranked.c.client == calls.c.client) & (ranked.c.place == 1)
    pairs = (
        select(findings.c.rule, cards.c.uuid, ranked.c.outcome, ranked.c.reason_system, ranked.c.reason_code)
        .select_from(joined.join(ranked, of_card))
        .where(*within, findings.c.shown == SHOWN)
        .distinct()
        .subquery()
    )
    columns = (pairs.c.rule, pairs.c.outcome, pairs.c.reason_system, pairs.c.reason_code)
    return select(*columns, func.count().label("count")).group_by(*columns)
