"""Plasma exchanges close to the order: done, running or planned, each day of a series that takes some time."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import later
from ivig.core.order import Order, Procedure
from ivig.core.rule import Seen, fact

AFTER, BEFORE = "after", "before"


class Exchange(Struct, frozen=True):
    """An exchange by its day nearest to the first dose. `undated`: asked for without a day, it lies ahead."""

    by: Procedure
    day: date
    lies: str
    undated: bool = False

    def said(self, first_day: date) -> str:
        """As part of a sentence: how it lies to the first dose."""
        days = abs((self.day - first_day).days)
        if self.undated:
            return "planned beside"
        return f"{days} {'day' if days == 1 else 'days'} {self.lies}" if days else "on the day of"


@fact
def exchanges(order: Order, procedures: Seen[Procedure], first_day: date, book: Book) -> Seen[Exchange]:
    """Those within the days after the first dose, or before it."""
    found = [p for p in procedures.items if "plasma_exchange" in p.concept.sets]
    if not found:
        return Seen((), procedures.lacking)
    after, before = int(book.policy("plex.after_days").number), int(book.policy("plex.before_days").number)
    near = (_near(p, order, first_day, after, before) for p in found)
    return Seen(tuple(e for e in near if e is not None), procedures.lacking)


def _near(procedure: Procedure, order: Order, first_day: date, after: int, before: int) -> Exchange | None:
    # One without a day that is in progress is done on the day.
    begun = procedure.when or procedure.asked or (order.moment if procedure.status == "in-progress" else None)
    if begun is None:
        return None
    over = procedure.kind == "procedure" or procedure.status == "completed"
    if procedure.when is None and not over and not procedure.standing:
        near = abs((begun.day - first_day).days) <= after
        return Exchange(procedure, begun.day, AFTER, True) if near else None
    last = _last(procedure, begun.day, order)
    if last >= first_day:
        day = max(begun.day, first_day)
        return Exchange(procedure, day, AFTER) if day <= later(first_day, after) else None
    return Exchange(procedure, last, BEFORE) if last >= later(first_day, -before) else None


def _last(procedure: Procedure, begun: date, order: Order) -> date:
    """The last day of a series; one that goes on is seen up to the day of judgement, a standing request without an end."""
    if procedure.end is not None:
        return max(begun, procedure.end.last)
    if procedure.standing:
        return date.max
    return max(begun, order.day) if procedure.kind == "procedure" and procedure.status == "in-progress" else begun
