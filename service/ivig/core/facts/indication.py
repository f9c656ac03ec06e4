"""What the order is for: the page that covers its reason, the phase of each course, and the ranges that hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.book import Condition as When
from ivig.core.facts.chart import of_set
from ivig.core.facts.limits import INDUCTION, MAINTENANCE, Limits, at_least, fit, within
from ivig.core.facts.patient import Age
from ivig.core.facts.segment import Phased, Weighed, segments_of
from ivig.core.finding import Absent, Root, absent
from ivig.core.order import Concept, Condition, Drug, Moment, Order, Part, Procedure, Reason, Result
from ivig.core.rule import SECTION, Maybe, Seen, alternatives, fact

__all__ = ["INDUCTION", "MAINTENANCE", "Limits", "Phased", "at_least", "within"]

_STATUS = ("labelled", "guideline", "not_routine", "not_recommended")


@fact
def reasons(order: Order) -> tuple[Reason, ...]:
    """The order's own reasons, without refuted ones."""
    return tuple(r for r in order.reasons if not r.refuted)


@fact
def chart_indications(active: Seen[Condition], order: Order, book: Book) -> dict[str, tuple[Condition, ...]]:
    """Active chart conditions that immune globulin is used for, by family."""
    found: dict[str, list[Condition]] = {}
    used = book.memory("used families", lambda: _used(book))
    for condition in active.items:
        if condition.concept.excluded:
            continue
        for family in _families(condition.concept, book):
            if family in used:
                found.setdefault(family, []).append(condition)
    return {family: tuple(of) for family, of in found.items()}


def _used(book: Book) -> frozenset[str]:
    """Families with a page that supports immune globulin; rheumatoid arthritis in a chart is no reason for an order."""
    return frozenset(p.family or p.key for p in map(book.indication, book.indications()) if _supports(p))


def _supports(page: Indication) -> bool:
    return page.status is None or page.status.word in ("labelled", "guideline")


def _families(concept: Concept, book: Book) -> tuple[str, ...]:
    return tuple(dict.fromkeys(book.indication(k).family or k for k in concept.indications))


@fact
def inferred(reasons: tuple[Reason, ...], chart_indications: dict[str, tuple[Condition, ...]]) -> Condition | None:
    """The chart condition taken as the reason: there is none on the order, and exactly one in the chart."""
    if reasons or len(chart_indications) != 1:
        return None
    return next(iter(chart_indications.values()))[0]


@fact
def reason_known(
    reasons: tuple[Reason, ...], inferred: Condition | None, candidates: Maybe[tuple[Indication, ...]]
) -> Maybe[bool]:
    """Whether there is a reason to speak of: on the order, or the one taken from the chart."""
    return candidates if isinstance(candidates, Absent) and not reasons and inferred is None else True


@fact
def candidates(
    order: Order,
    reasons: tuple[Reason, ...],
    inferred: Condition | None,
    active: Seen[Condition],
    age: Maybe[Age],
    pregnant: Seen[Condition | Result],
    all_drugs: Seen[Drug],
    procedures: Seen[Procedure],
    results: dict[str, tuple[Result, ...]],
    repeats: Maybe[bool],
    book: Book,
) -> Maybe[tuple[Indication, ...]]:
    """The pages that cover the order's reasons, the best supported first."""
    concepts = [r.concept for r in reasons if not r.concept.excluded]
    if not concepts and inferred is not None:
        concepts = [inferred.concept]
    named = [r.concept for r in reasons]
    keys: dict[str, list[str]] = {}
    for concept in concepts:
        for key in concept.indications:
            keys.setdefault(book.indication(key).family or key, []).append(key)
    if not keys:
        if named:
            return absent("indication-unrecognised")
        roots = (Root("indication-missing"),) + (() if "conditions" in order.chart.sections else (SECTION,))
        return Absent(roots)
    told = Told(order, tuple(named), active, age, pregnant, all_drugs, procedures, results, repeats, book)
    found: list[Indication] = []
    lacking: list[Root] = []
    for family, of in keys.items():
        pages = [book.indication(k) for k in dict.fromkeys(of)]
        page = page_of(pages, told)
        if page is None and len(pages) == 1:
            whole = [p for p in map(book.indication, book.indications()) if p.family == family]
            page = page_of(whole, told) or pages[0]
        if isinstance(page, Absent):
            lacking.extend(page.roots)
        elif page is not None:
            found.append(page)
    if not found:
        return Absent(tuple(dict.fromkeys(lacking))) if lacking else absent("indication-unrecognised")
    found.sort(key=lambda p: _STATUS.index(p.status.word) if p.status is not None else 0)
    return tuple(found)


def accepted(candidates: tuple[Indication, ...]) -> tuple[Indication, ...]:
    """Of several pages the ones that support immune globulin, where there are any: one accepted reason suffices."""
    good = tuple(p for p in candidates if _supports(p))
    return good or candidates


def listed(names: Iterable[str], room: int = 70) -> str:
    """Names as part of a sentence of limited length: what does not fit is counted, a first that is too long is cut."""
    first, *rest = dict.fromkeys(names)
    said = first if len(first) <= room else first[: room - 3].rstrip() + "..."
    for place, name in enumerate(rest):
        if len(said) + len(name) + 2 > room:
            return f"{said} and {len(rest) - place} more"
        said += f", {name}"
    return said


class Told(Struct, frozen=True):
    """What the `when` of a page, and the exceptions of one, are held against."""

    order: Order
    named: tuple[Concept, ...]
    active: Seen[Condition]
    age: Maybe[Age]
    pregnant: Seen[Condition | Result]
    drugs: Seen[Drug]
    procedures: Seen[Procedure]
    results: dict[str, tuple[Result, ...]]
    repeats: Maybe[bool]
    book: Book


@fact
def repeats(whole_parts: tuple[Part, ...]) -> Maybe[bool]:
    """Whether the order repeats in cycles: by its timing alone, so that an absent dose does not change the page."""
    if not whole_parts or any(_untimed(p) for p in whole_parts):
        return absent("schedule-missing")
    return all(p.interval is not None and p.cycles != 1 for p in whole_parts)


def _untimed(part: Part) -> bool:
    """No timing, or a single dose that was only assumed for want of one."""
    if part.interval is not None or part.events:
        return False
    return part.days is None or (part.days == 1 and not part.said_timing)


@alternatives("repeats", roots=("schedule-missing",))
def _either(order: Order) -> tuple[bool, ...]:
    return (True, False)


def page_of(pages: list[Indication], told: Told) -> Indication | Absent | None:
    """The first page of a family, by rank, whose `when` holds (or that has none) and whose `unless` does not."""
    for page in sorted(pages, key=lambda p: p.rank):
        met = [holds(w, page, told) for w in page.when]
        if page.when and True not in met and not any(isinstance(m, Absent) for m in met):
            continue
        barred = [holds(w, page, told) for w in page.unless]
        if True in barred:
            continue
        unknown = [a for a in (*(() if True in met else met), *barred) if isinstance(a, Absent)]
        return unknown[0] if unknown else page
    return None


def holds(when: When, page: Indication, told: Told) -> bool | Absent:
    """Whether one line of a page's `when`, `unless` or `exceptions` holds."""
    number = when.value.number if when.value is not None else Decimal(0)
    day = told.order.day
    match when.kind:
        case "age-under" | "age-from":
            if isinstance(told.age, Absent):
                return told.age
            return (told.age.years < number) == (when.kind == "age-under")
        case "pregnant":
            return bool(told.pregnant.items) or any("pregnancy" in c.sets for c in told.named)
        case "postpartum":
            policy = told.book.maybe(f"{page.key}.postpartum_months")
            months = policy.number if policy is not None else number
            return any("postpartum" in c.sets for c in told.named) or postpartum(told.active, day, months)
        case "planned-surgery":
            planned = [p for p in told.procedures.items if "planned_surgery" in p.concept.sets]
            return any(planned_within(p, day, number) for p in planned)
        case "drug-begun":
            some = [d for d in told.drugs.items if not d.concept.sets.isdisjoint(when.sets)]
            return any(begun_within(d, day, number) and not _taken_before(d, some, day, number) for d in some)
        case "condition":
            return bool(of_set(told.active, *when.sets)) or any(not c.sets.isdisjoint(when.sets) for c in told.named)
        case "scale-at-least":
            scored = told.results.get(when.scale, ())
            recent = told.book.policy("indication.scale_days").number
            newest = next((r for r in scored if r.value is not None and r.when is not None), None)
            if newest is None or newest.value is None or newest.when is None:
                return False
            return newest.value >= number and (day - newest.when.day).days <= recent
        case "repeats":
            return told.repeats
    return False


def _taken_before(drug: Drug, others: list[Drug], day: date, days: Decimal) -> bool:
    """Whether the same drug was begun before the window and had not ended by then: the newer record is a renewal."""
    opens = day - timedelta(days=int(days))
    return any(
        o.start is not None
        and o.start.day < opens
        and (o.end is None or o.end.last >= opens)
        and o.status not in ("stopped", "ended")
        and (
            not set(o.concept.codes).isdisjoint(drug.concept.codes)
            or o.concept.text.lower() == drug.concept.text.lower()
        )
        for o in others
    )


def begun_within(drug: Drug, day: date, days: Decimal) -> bool:
    if drug.start is None or drug.status in ("stopped", "cancelled"):
        return False
    return abs((day - drug.start.day).days) <= days


def planned_within(procedure: Procedure, day: date, days: Decimal) -> bool:
    """An operation that lies ahead within `days`, or was asked for without a day within as many days before."""
    if procedure.kind == "procedure" and procedure.status in ("completed", "stopped"):
        return False
    when = procedure.when or procedure.asked
    if when is None:
        return True
    return when.last >= day and (when.day - day).days <= days if procedure.when else 0 <= (day - when.day).days <= days


def postpartum(active: Seen[Condition], day: date, months: Decimal) -> bool:
    """A birth on record within `months` (of 30 days) before the day."""
    for condition in of_set(active, "postpartum"):
        begun = condition.onset or condition.recorded
        if begun is None or (day - begun.day).days <= months * 30:
            return True
    return False


@fact
def indication(candidates: tuple[Indication, ...], weighed: Weighed) -> Indication:
    """The page the order is judged by: of several, the first its courses fit, else the nearest."""
    if len(candidates) == 1 or not weighed.courses:
        return candidates[0]

    def distance(page: Indication) -> Decimal:
        fits = (fit(s.course, s.dose, s.limits, weighed.bases, weighed.book) for s in segments_of(page, weighed).items)
        refused = page.status is not None and page.status.word == "not_recommended"
        return sum((f.distance for f in fits), Decimal(1000 if refused else 0))

    return min(candidates, key=distance)


@fact
def reason_onset(indication: Indication, reasons: tuple[Reason, ...], active: Seen[Condition]) -> Maybe[Moment]:
    """When the condition the order is for began."""
    return onset_of(indication, reasons, active) or absent("indication-criteria-unknown", "onset")


def onset_of(page: Indication, reasons: tuple[Reason, ...], active: Seen[Condition]) -> Moment | None:
    """Onset of the condition the order points to, else the latest of the active chart conditions of the page."""
    for reason in reasons:
        if page.key in reason.concept.indications and reason.onset is not None:
            return reason.onset
    of_page = [c for c in active.items if page.key in c.concept.indications and not c.concept.excluded]
    begun = [c.onset for c in of_page if c.onset is not None]
    return max(begun, key=lambda m: m.instant) if begun else None
