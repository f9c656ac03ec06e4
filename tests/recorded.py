"""Records of made-up calls, as the hook leaves them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from ivig.store.record import Shown, ShownCard, ShownFinding

DAY = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def finding(rule: str = "dose-high", shown: str = "shown") -> ShownFinding:
    return ShownFinding(rule, "warning", "flagged", shown)


def card(number: int = 1, *findings: ShownFinding) -> ShownCard:
    """A card with the uuid and the suggestion of this number."""
    return ShownCard(
        card_id(number), "0" * 32, "advise", "full", "warning", findings or (finding(),), (suggestion_id(number),)
    )


def call(*cards: ShownCard, at: datetime = DAY, client: str = "ehr", number: int = 0) -> Shown:
    """A call so many seconds after `at`."""
    return Shown(
        at=(at + timedelta(seconds=number)).isoformat().replace("+00:00", "Z"),
        client=client,
        hook="order-sign",
        instance=str(uuid.UUID(int=number)),
        patient="a" * 32,
        user="b" * 32,
        knowledge="2026.11",
        policy="us-default",
        service="0.5.0",
        cards=cards,
        prefetch={"patient": "found", "weight": "none"},
        took_ms=4.2,
    )


def card_id(number: int) -> str:
    return str(uuid.UUID(int=1_000_000 + number))


def suggestion_id(number: int) -> str:
    return str(uuid.UUID(int=2_000_000 + number))
