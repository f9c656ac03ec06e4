"""Which page of a family holds for this patient on this day, and which exceptions of a page."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.book import Condition as When
from ivig.core.dated import later
from ivig.core.facts.chart import of_set, unanswered
from ivig.core.facts.patient import Age
from ivig.core.finding import Absent, absent
from ivig.core.order import Concept, Condition, Drug, Order, Part, Procedure, Reason, Result
from ivig.core.rule import Maybe, Seen, alternatives, fact


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
def told(
    order: Order,
    reasons: tuple[Reason, ...],
    active: Seen[Condition],
    age: Maybe[Age],
    pregnant: Seen[Condition | Result],
    all_drugs: Seen[Drug],
    procedures: Seen[Procedure],
    results: dict[str, tuple[Result, ...]],
    repeats: Maybe[bool],
    book: Book,
) -> Told:
    """All of it at once."""
    named = tuple([r.concept for r in reasons])
    return Told(order, named, active, age, pregnant, all_drugs, procedures, results, repeats, book)


@fact
def repeats(whole_parts: tuple[Part, ...]) -> Maybe[bool]:
    """Whether the order repeats in cycles: by its timing alone, so that an absent dose does not change the page."""
    cyclic = True
    for part in whole_parts:
        if _untimed(part):
            return absent("schedule-missing")
        cyclic = cyclic and part.interval is not None and part.cycles != 1
    return cyclic if whole_parts else absent("schedule-missing")


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
    for page in pages if len(pages) == 1 else sorted(pages, key=lambda p: p.rank):
        if not (page.when or page.unless):
            return page
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
                failed = unanswered(told.order, when.scale)
                return Absent(failed) if failed else False
            return newest.value >= number and (day - newest.when.day).days <= recent
        case "repeats":
            return told.repeats
    return False


def _taken_before(drug: Drug, others: list[Drug], day: date, days: Decimal) -> bool:
    """Whether the same drug was begun before the window and had not ended by then: the newer record is a renewal."""
    opens = later(day, -days)
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
