"""A treatment that has stayed the same for long: the same grams at the same interval, and no scale worse."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.dated import Value
from ivig.core.facts.course import Course
from ivig.core.facts.dose import Kilos, PerKg
from ivig.core.facts.limits import MAINTENANCE
from ivig.core.facts.patient import share
from ivig.core.facts.response import better_by, is_higher_better, on_day, scored
from ivig.core.facts.treatment import Cycle, months_back, outline
from ivig.core.finding import Absent, Root
from ivig.core.order import Order, Part, Result
from ivig.core.rule import Maybe, Seen, fact


class Steady(Struct, frozen=True):
    """The same dose for as long as the policy asks.

    `since` is the cycle that was in force at the beginning, `dose` what is ordered now (by `ordered`) in `unit`, and
    `compared` the older and newer score of each scale that was measured.
    """

    since: Cycle
    cycles: tuple[Cycle, ...]
    dose: Decimal
    unit: str
    ordered: Course | None
    compared: tuple[tuple[Result, Result], ...]
    months: Value
    tolerance: Value


@fact
def steady(
    order: Order,
    indication: Indication,
    phase: str,
    treatment: Seen[Cycle],
    courses: Seen[Course],
    per_kg: Seen[PerKg],
    kilos: Kilos,
    whole_parts: tuple[Part, ...],
    repeating: Maybe[bool],
    results: dict[str, tuple[Result, ...]],
    first_day: date,
    book: Book,
) -> Seen[Steady]:
    """The treatment, where dose and interval have not changed and nothing got worse, be it for a time.

    A longer interval or another dose on the way shows that a taper was tried. Lacking: history, the ordered dose.
    """
    if phase not in (MAINTENANCE, ""):
        return Seen(())
    months = book.policy("course.taper_months")
    cutoff = months_back(first_day, months.number)
    begun = [c for c in treatment.items if c.first <= cutoff]
    if not begun:
        return Seen((), treatment.lacking)
    cycles = (begun[-1], *(c for c in treatment.items if c.first > cutoff))
    tolerance = book.policy("course.taper_grams_tolerance")
    ordered = courses.items[0] if courses.items else None
    if _stretched(cycles, _next_gap(cycles, repeating, outline(order, whole_parts, book), first_day), book):
        return Seen((), treatment.lacking)
    doses = _ordered(ordered, per_kg)
    told = next(((dose, unit) for dose, unit in doses if _same(cycles, dose, unit, tolerance)), None)
    if told is None:
        units = {"g", "g/kg"}.difference(unit for _, unit in doses)
        open_dose = any(_same(cycles, None, unit, tolerance) for unit in units)
        return Seen((), (*treatment.lacking, *_without(courses, per_kg, kilos)) if open_dose else treatment.lacking)
    compared = []
    for test in indication.scales:
        scores = scored(test, results)
        pair = _apart(scores, cutoff)
        if pair is None:
            continue
        change, higher = book.maybe(f"response.change.{test}"), is_higher_better(test, book)
        gains = [better_by(pair[0], r, higher) for r in scores if on_day(r) > on_day(pair[0])]
        loss = max((-g for g in gains if g is not None and g < 0), default=None)
        if loss is not None and (change is None or loss >= change.number):
            return Seen((), treatment.lacking)  # on a scale without a known change any loss counts
        compared.append(pair)
    found = Steady(begun[-1], cycles, *told, ordered, tuple(compared), months, tolerance)
    return Seen((found,), treatment.lacking)


def _without(courses: Seen[Course], per_kg: Seen[PerKg], kilos: Kilos) -> tuple[Root, ...]:
    """What would tell the grams of a cycle: the dose, when it is given, the weight for a dose per kg."""
    return tuple(dict.fromkeys((*courses.lacking, *per_kg.lacking, *kilos.lacking)))


def _next_gap(
    cycles: tuple[Cycle, ...], repeating: Maybe[bool], planned: tuple[Course, ...], first_day: date
) -> Decimal | None:
    """The interval the order goes on with: its own, or that from the last cycle; None where its timing is not known."""
    if isinstance(repeating, Absent):
        return None
    own = next((c.interval for c in planned if c.repeats and c.interval is not None), None)
    return own if own is not None else Decimal((first_day - cycles[-1].first).days)


def _stretched(cycles: tuple[Cycle, ...], following: Decimal | None, book: Book) -> bool:
    """Whether an interval on the way, or the next one, is longer than the shortest by more than the tolerance."""
    gaps = [Decimal((b.first - a.first).days) for a, b in pairwise(cycles)]
    if following is not None:
        gaps.append(following)
    return bool(gaps) and max(gaps) - min(gaps) > book.policy("schedule.interval_tolerance_days").number


def _ordered(course: Course | None, per_kg: Seen[PerKg]) -> list[tuple[Decimal, str]]:
    """What is ordered for a cycle: in grams, and per kg where it is so ordered."""
    if course is None or course.total_high is None:
        return []
    if course.unit == "g":
        return [(course.total_high, "g")]
    grams = next((p.grams_total for p in per_kg.items if p.course is course), None)
    return [(course.total_high, "g/kg"), *([(grams, "g")] if grams is not None else [])]


def _same(cycles: tuple[Cycle, ...], dose: Decimal | None, unit: str, tolerance: Value) -> bool:
    """Whether all cycles had the dose, within the tolerance; without one, all the same. The first has to be known."""
    known = [d for c in cycles if (d := c.grams if unit == "g" else c.per_kg) is not None]
    if not known or (cycles[0].grams if unit == "g" else cycles[0].per_kg) is None:
        return False
    middle = known[0] if dose is None else dose
    return all(abs(d - middle) <= middle * share(tolerance.number) for d in known)


def _apart(scores: tuple[Result, ...], cutoff: date) -> tuple[Result, Result] | None:
    """The score in force at the beginning (else the first after it), and the newest."""
    if len(scores) < 2 or on_day(scores[0]) <= cutoff:
        return None
    old = next((r for r in scores if on_day(r) <= cutoff), scores[-1])
    return (old, scores[0])
