"""What speaks for a thrombosis: an earlier event, and the factors that add up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import Value, later
from ivig.core.facts.course import Course
from ivig.core.facts.dose import UNTIMED, Kilos, capped
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.history import Given
from ivig.core.facts.patient import Age
from ivig.core.facts.signs import Sign, in_order, sign_of
from ivig.core.finding import INFORMATION, WARNING, Absent, Input, Root, Severity, plain
from ivig.core.order import Condition, Drug, Order, Procedure, Reason
from ivig.core.rule import Maybe, Seen, fact

_EVENTS = {"arterial_event": "arterial event", "venous_thrombosis": "venous thrombosis"}
# Value sets and the factor that they are: several sets of one factor count once.
_FACTORS = {
    "immobility": "immobility",
    "thrombophilia": "hypercoagulable state",
    "oestrogen": "systemic oestrogen",
    "central_line": "central line",
    "hyperviscosity": "hyperviscosity",
    "coronary_disease": "vascular disease",
    "stroke": "vascular disease",
    "peripheral_arterial_disease": "vascular disease",
    "hypertension": "hypertension/lipids/diabetes",
    "hyperlipidaemia": "hypertension/lipids/diabetes",
    "diabetes": "hypertension/lipids/diabetes",
}
_OESTROGEN, _LINE = "oestrogen", "central_line"
# What bears a name that holds one of the names above, and is not meant.
_NOT_MEANT = {"oestrogen": "vaginal_oestrogen", "hypertension": "hypertension_other", "diabetes": "diabetes_insipidus"}
_SETS = frozenset(_FACTORS)
_PLACES = {factor: place for place, factor in enumerate(dict.fromkeys(_FACTORS.values()))}
_EVENT_SETS = frozenset(_EVENTS)
_ANY = 99  # conditions that were not sent may hold an event, or any number of factors


class Clots(Struct, frozen=True):
    """Earlier events; the factors by name, each with its signs; what was not seen, and how many factors it may hold."""

    events: tuple[Sign, ...]
    factors: dict[str, list[Sign]]
    unseen: tuple[tuple[tuple[Root, ...], int], ...]

    def open_for(self, count: Decimal) -> tuple[Root, ...]:
        """What is lacking to tell whether there are so many factors, or an event."""
        held = len(self.factors)
        if not self.unseen or held + sum(may for _, may in self.unseen) < count:
            return ()
        return tuple(dict.fromkeys(root for roots, _ in self.unseen for root in roots))


class Thrombosis(Struct, frozen=True):
    """What risk-thrombosis says: its severity, and all signs."""

    severity: Severity
    clots: Clots
    cites: tuple[Value, ...]

    @property
    def signs(self) -> tuple[Sign, ...]:
        return (*self.clots.events, *(s for of in self.clots.factors.values() for s in of))


@fact
def clots(
    order: Order,
    conditions: Seen[Condition],
    active: Seen[Condition],
    reasons: tuple[Reason, ...],
    drugs: Seen[Drug],
    procedures: Seen[Procedure],
    age: Maybe[Age],
    courses: Seen[Course],
    kilos: Kilos,
    before: Seen[Given],
    book: Book,
) -> Clots:
    """Every event on record, over or not, and every factor of the day."""
    events = [
        sign_of(c, "earlier event", grave=True)
        for c in conditions.items
        if not c.concept.sets.isdisjoint(_EVENT_SETS) and (c.onset is None or c.onset.day <= order.day)
    ]
    factors: dict[str, list[Sign]] = {}
    unseen: list[tuple[tuple[Root, ...], int]] = []
    over = book.policy("thrombosis.age_over")
    if isinstance(age, Absent):
        unseen.append((age.roots, 1))
    elif age.years > over.number:
        said = Input("age", f"{age.years} years", order.chart.birth_said, order.chart.patient_path)
        name = f"age over {plain(over.number)}"
        factors[name] = [Sign(f"age {age.years}", said, date.min, cites=(over,), factor=name)]
    shown: list[Condition | Reason] = [*active.items, *reasons]
    for evidence in shown:
        if not evidence.concept.sets.isdisjoint(_SETS):
            kind = "condition" if isinstance(evidence, Condition) else "reason"
            for name in _names(evidence):
                factors.setdefault(name, []).append(sign_of(evidence, kind, factor=name))
    for drug in drugs.items:
        if _OESTROGEN in drug.concept.sets and _NOT_MEANT[_OESTROGEN] not in drug.concept.sets:
            factors.setdefault(_FACTORS[_OESTROGEN], []).append(sign_of(drug, "drug", factor=_FACTORS[_OESTROGEN]))
    for procedure in procedures.items:
        if _LINE in procedure.concept.sets and _recent(procedure, order, book):
            factors.setdefault(_FACTORS[_LINE], []).append(sign_of(procedure, "procedure", factor=_FACTORS[_LINE]))
    if conditions.lacking:
        unseen.append((conditions.lacking, _ANY))
    if drugs.lacking:
        unseen.append((drugs.lacking, 1))
    if procedures.lacking:
        unseen.append((procedures.lacking, 1))
    _day(courses, kilos, before, factors, unseen, order, book)
    if len(factors) > 1 or events:
        factors = {name: in_order(factors[name]) for name in sorted(factors, key=_place)}
        events = in_order(events)
    return Clots(tuple(events), factors, tuple(unseen))


def _place(factor: str) -> int:
    """Where a factor stands in the list: age first, the dose last."""
    return _PLACES.get(factor, -1 if factor.startswith("age") else len(_PLACES))


def _names(evidence: Condition | Reason) -> tuple[str, ...]:
    """The factors that a condition is, each once."""
    sets = evidence.concept.sets
    return tuple(
        dict.fromkeys(
            factor for name, factor in _FACTORS.items() if name in sets and _NOT_MEANT.get(name, "") not in sets
        )
    )


def _recent(procedure: Procedure, order: Order, book: Book) -> bool:
    """Whether a line was put in lately, so that it is still there as far as anyone knows."""
    if procedure.when is None:
        return procedure.kind == "procedure"
    days = (order.day - procedure.when.day).days
    return procedure.kind == "procedure" and days <= book.policy("history.unknown_end_days").number


def _day(
    courses: Seen[Course],
    kilos: Kilos,
    before: Seen[Given],
    factors: dict[str, list[Sign]],
    unseen: list[tuple[tuple[Root, ...], int]],
    order: Order,
    book: Book,
) -> None:
    """The factor of a day with many grams; as old as the first such day on record."""
    limit = book.policy("thrombosis.day_g")
    least = limit.number
    most, place, lacking = Decimal(0), "", courses.lacking
    open_days = False
    for course in courses.items:
        high = course.day_high
        if not course.day_known:
            open_days = True
            continue
        if course.unit != "g":
            if kilos.kg is None:
                lacking = (*lacking, *kilos.lacking)
                continue
            high = capped(high * kilos.kg, course.cap_day)
        if high > most:
            most, place = high, course.dose_path
    if most < least:
        roots = tuple(r for r in lacking if open_days or r != UNTIMED) if lacking else ()
        if roots:
            unseen.append((roots, 1))
        return
    had = [g.day for g in before.items if g.grams is not None and g.grams >= least]
    name = f"a day of {plain(least)} g or more"
    told = Input("dose of a day", f"{plain(most)} g", "", place)
    since = had[0] if had else later(order.day, 1)
    factors[name] = [Sign(f"{plain(most)} g in a day", told, since, cites=(limit,), factor=name)]


@fact
def thrombosis_finding(clots: Clots, book: Book) -> Seen[Thrombosis]:
    """An earlier event, or enough factors. Lacking: what might show either."""
    many, some = book.policy("thrombosis.factors"), book.policy("thrombosis.information_factors")
    count = len(clots.factors)
    if clots.events or count >= many.number:
        return Seen((Thrombosis(WARNING, clots, () if clots.events else (many,)),))
    if count >= some.number:
        return Seen((Thrombosis(INFORMATION, clots, (some, many)),))
    return Seen((), clots.open_for(some.number))


@fact
def thrombosis_severity(thrombosis_finding: Seen[Thrombosis], established: Habit | None) -> Severity | None:
    """The severity of the finding, eased by habit; None where there is none."""
    if not thrombosis_finding.items:
        return None
    (found,) = thrombosis_finding.items
    return eased(found.severity, established, (s.since for s in found.signs))
