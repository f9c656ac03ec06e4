"""Patients who have had a product for an indication several times without a reaction: what is older worries less."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from ivig.core.book import Book, Indication, Product
from ivig.core.dated import later
from ivig.core.facts.history import Given, of_indication
from ivig.core.facts.indication import kin
from ivig.core.facts.reactions import Reaction
from ivig.core.finding import INFORMATION, WARNING, Absent, Severity
from ivig.core.order import Moment, Order
from ivig.core.rule import Maybe, Seen, fact


class Habit(Struct, frozen=True):
    """How often the product was infused for the indication within the window, and the day of the last time."""

    infusions: int
    last: date


@fact
def established(
    order: Order,
    product: Maybe[Product],
    candidates: Maybe[tuple[Indication, ...]],
    before: Seen[Given],
    reactions: Seen[Reaction],
    starts: date,
    book: Book,
) -> Habit | None:
    """The habit of an established patient; None when the patient is not one, or it can't be seen."""
    if isinstance(product, Absent) or isinstance(candidates, Absent):
        return None
    if not before.items or before.lacking or reactions.lacking:
        return None
    since = later(starts, -book.policy("established.days").number)
    days = [
        g.day
        for g in of_indication(before.items, kin(candidates, book))
        if product.key in g.products and g.day >= since
    ]
    if len(days) < book.policy("established.infusions").number:
        return None
    reacted = any(r.sure and (r.since is None or r.since.day >= days[0]) for r in reactions.items)
    return None if reacted else Habit(len(days), days[-1])


def eased(severity: Severity, habit: Habit | None, evidence: Iterable[Moment | date | None]) -> Severity:
    """A warning becomes information where all it rests on is older than the last of an established run of infusions."""
    if severity != WARNING or habit is None:
        return severity
    days = [e.day if isinstance(e, Moment) else e for e in evidence]
    return INFORMATION if all(d is not None and d < habit.last for d in days) else severity


def habit_line(habit: Habit | None) -> tuple[str, ...]:
    """What was taken for granted when a warning was eased."""
    if habit is None:
        return ()
    return (f"{habit.infusions} infusions up to {habit.last} without a reaction on record: information only",)
