"""Hearts and kidneys that may not cope with the volume of an infusion, and how much volume that is."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.facts.baseline import is_below
from ivig.core.facts.chart import of_set, on_dialysis, unanswered
from ivig.core.facts.course import Course
from ivig.core.facts.dose import PerKg, inputs_of
from ivig.core.facts.labs import lab_input, newest
from ivig.core.facts.reactions import told
from ivig.core.facts.signs import Sign, told_by
from ivig.core.finding import Absent, Input, plain
from ivig.core.order import Condition, Order, Procedure, Result
from ivig.core.rule import Maybe, Seen, fact

_CONDITIONS = ("heart_failure", "dialysis")
_SETS = frozenset(_CONDITIONS)


@fact
def overload_signs(
    order: Order,
    condition_sets: Seen[str],
    active: Seen[Condition],
    procedures: Seen[Procedure],
    results: dict[str, tuple[Result, ...]],
    book: Book,
) -> Seen[Sign]:
    """Heart failure, dialysis, a low ejection fraction."""
    found: list[Sign] = []
    if not _SETS.isdisjoint(condition_sets.items):
        for name in _CONDITIONS:
            what = book.set_title(name).lower()
            found.extend(Sign(what, told(c, "condition"), c.recorded or c.onset) for c in of_set(active, name)[:1])
    dialysed = next((p for p in procedures.items if on_dialysis(p, order, book)), None)
    if dialysed is not None and all(s.what != "dialysis" for s in found):
        found.append(Sign("dialysis", told_by(dialysed, "procedure"), dialysed.when or dialysed.asked))
    if "ejection_fraction" in results:
        limit, measured = book.policy("volume.ejection_fraction"), newest(results, "ejection_fraction")
        value = measured.value if measured is not None else None
        if measured is not None and value is not None and is_below(value, measured.comparator, limit.number):
            what = f"ejection fraction {measured.comparator}{plain(value)}%"
            line = f"{what}, below {plain(limit.number)}%"
            found.append(Sign(what, lab_input(measured, book), measured.when, False, (limit,), line))
    lacking = active.lacking or procedures.lacking
    if active.lacking and procedures.lacking:
        lacking = tuple(dict.fromkeys((*active.lacking, *procedures.lacking)))
    if "ejection_fraction" not in results and (failed := unanswered(order, "ejection_fraction")):
        lacking = tuple(dict.fromkeys((*lacking, *failed)))
    return Seen(tuple(found), lacking)


class Largest(Struct, frozen=True):
    """Grams of the largest day and of the largest course, as far as they can be told; what they rest on."""

    day: Decimal | None
    course: Decimal | None
    inputs: tuple[Input, ...]


@fact
def largest_grams(courses: Seen[Course], per_kg: Seen[PerKg], weight: Maybe[Result]) -> Largest:
    """In grams as ordered, or by the weight that an order per kg rests on."""
    days: list[Decimal] = []
    totals: list[Decimal] = []
    inputs: list[Input] = []
    known = {id(held.course): held for held in per_kg.items}
    for course in courses.items:
        held = known.get(id(course))
        ordered = course.unit == "g"
        day = held.grams_day if held is not None else course.day_high if ordered else None
        total = held.grams_total if held is not None else course.total_high if ordered else None
        if day is not None and course.day_known:
            days.append(day)
        if total is not None:
            totals.append(total)
        inputs.extend(held.inputs if held is not None else inputs_of(course, weight))
    return Largest(max(days, default=None), max(totals, default=None), tuple(dict.fromkeys(inputs)))


def volumes(grams: Decimal, strength: Maybe[Decimal], book: Book) -> str:
    """The volume of a dose in words; of unknown strength at both that products have."""
    if not isinstance(strength, Absent):
        return f"{round(grams / strength)} mL"
    low, high = book.policy("volume.ml_per_g.low"), book.policy("volume.ml_per_g.high")
    return f"{round(grams * low.number)} mL (10%) or {round(grams * high.number)} mL (5%)"
