"""What a client reports of its cards, as the store takes it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class FeedbackItem(Struct, frozen=True):
    """What became of one card.

    Args:
        outcome: accepted or overridden.
        at: when, in UTC.
        suggestions: ids of those accepted.
        comment: free text of the user, '' unless it is kept.
    """

    card: str
    outcome: str
    at: datetime
    suggestions: tuple[str, ...] = ()
    reason_system: str = ""
    reason_code: str = ""
    comment: str = ""


class FeedbackResult(Struct, frozen=True):
    """How many items were kept, and how many of their cards the store did not know (yet)."""

    kept: int
    unknown: int
