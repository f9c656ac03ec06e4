"""FHIR dates and times as moments in the order's own offset."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from ivig.core.order import Moment


@lru_cache(maxsize=65536)
def moment(text: str, zone: tzinfo = UTC) -> Moment | None:
    """A date, partial date, dateTime or instant; None when it is none.

    A date without a time counts for its whole day in `zone`; a partial one from its first to its last day.
    """
    try:
        if len(text) > 10:
            at = datetime.fromisoformat(text)
            if at.tzinfo is None:
                at = at.replace(tzinfo=zone)
            day = at.astimezone(zone).date()
            return Moment(at.timestamp(), day, day, text, True)
        if len(text) == 10:
            first = last = date.fromisoformat(text)
        elif len(text) == 7 and text[4] == "-":
            year, month = int(text[:4]), int(text[5:])
            first, last = date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        elif len(text) == 4 and text.isdigit():
            first, last = date(int(text), 1, 1), date(int(text), 12, 31)
        else:
            return None
        return Moment(datetime(first.year, first.month, first.day, tzinfo=zone).timestamp(), first, last, text)
    except (ValueError, OverflowError, OSError):
        return None


def moment_at(at: datetime, zone: tzinfo) -> Moment:
    """A time with an offset, such as that of a call. No two are alike, so none is kept."""
    day = at.astimezone(zone).date()
    return Moment(at.timestamp(), day, day, at.isoformat(), True)


def span(start: str, end: str, zone: tzinfo) -> tuple[Moment | None, Moment | None]:
    return (moment(start, zone) if start else None, moment(end, zone) if end else None)


def offset_of(text: str) -> tzinfo | None:
    """The offset a dateTime is written in, or None when it has none."""
    if len(text) <= 10:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return timezone(at.utcoffset() or timedelta(0))
