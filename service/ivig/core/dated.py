"""Values that know since when they hold, where they come from and whether anyone saw them there."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from decimal import Decimal

from msgspec import Struct

CONFIRMED, UNCONFIRMED, HOUSE = "confirmed", "unconfirmed", "house"
_LAST = date.max.toordinal()


def later(day: date, days: int | Decimal) -> date:
    """`days` after `day`, and never off the calendar."""
    ordinal = day.toordinal() + int(days)
    return date.fromordinal(ordinal) if 0 < ordinal <= _LAST else date.min if ordinal < 1 else date.max


class Pair(Struct, frozen=True, gc=False):
    """An accepted way to spread a course: from `least` to `most` infusion days, at most `day` g/kg on each."""

    least: int
    most: int
    day: Decimal


class Value(Struct, frozen=True, kw_only=True):
    """One value of a knowledge page, from its first day on.

    `start` is None when the source's day is not known; such a value holds until a dated one replaces it.
    Exactly one of `amount`, `lower`/`upper`, `words`, `pairs` is filled.
    """

    key: str
    unit: str = ""
    start: date | None = None
    amount: Decimal | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None
    words: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    source: str
    at: str
    seen: str
    note: str = ""
    reason: str = ""  # of a policy's value: why it was decided so

    @property
    def number(self) -> Decimal:
        """The amount, for values that hold one."""
        assert self.amount is not None, self.key
        return self.amount

    @property
    def word(self) -> str:
        """The single word of a value that holds one."""
        return self.words[0]

    @property
    def unconfirmed(self) -> bool:
        return self.seen == UNCONFIRMED


class NotInForce(Exception):
    """No value of this key is in force on the day asked for."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Series(Struct, frozen=True):
    """All values a key has had, oldest first; `None` as a value ends the one before it."""

    key: str
    starts: tuple[date, ...]
    values: tuple[Value | None, ...]

    def on(self, day: date) -> Value | None:
        """The value in force on `day`, or None when there is none."""
        place = bisect_right(self.starts, day) - 1
        return self.values[place] if place >= 0 else None

    def before(self, other: Series) -> Series:
        """This series where it has a value, and `other` on the days on which it has none."""
        starts = tuple(sorted({*self.starts, *other.starts}))
        held = ((self.on(day), other.on(day)) for day in starts)
        return Series(self.key, starts, tuple(mine if mine is not None else theirs for mine, theirs in held))
