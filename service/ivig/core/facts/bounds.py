"""Results against a limit. A comparator is a bound; one that does not decide leaves it open."""

from __future__ import annotations

from decimal import Decimal

from ivig.core.order import Result


def positive(result: Result) -> bool | None:
    """Whether a result is positive: by its words, or above the reference range of its report; None when neither tells."""
    if result.words in ("positive", "negative"):
        return result.words == "positive"
    if result.value is None or result.high is None:
        return None
    return above(result, result.high)


def at_least(result: Result, limit: Decimal) -> bool | None:
    """Whether a result is at or above `limit`; None when its comparator leaves that open."""
    assert result.value is not None
    if not result.comparator:
        return result.value >= limit
    match result.comparator:
        case ">" | ">=":
            return True if result.value >= limit else None
        case "<":
            return False if result.value <= limit else None
        case "<=":
            return False if result.value < limit else None
    return result.value >= limit


def above(result: Result, limit: Decimal) -> bool | None:
    """Whether a result is above `limit`; None when its comparator leaves that open."""
    assert result.value is not None
    match result.comparator:
        case ">":
            return True if result.value >= limit else None
        case ">=":
            return True if result.value > limit else None
        case "<" | "<=":
            return False if result.value <= limit else None
    return result.value > limit
