"""Doses that would be in range: by dosing weight, rounded to whole vials, on as many days as the regimen has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication, Product
from ivig.core.change import Change
from ivig.core.dosage_change import DaysChange, DispenseChange, DoseChange
from ivig.core.facts.amount import Dose, dose_of
from ivig.core.facts.course import Course
from ivig.core.facts.dose import PerKg
from ivig.core.facts.limits import Limits, limits_for
from ivig.core.facts.segment import Segment
from ivig.core.facts.supply import Supply
from ivig.core.facts.vials import farthest, mixed, rounding, sizes_of
from ivig.core.facts.weighing import tenth
from ivig.core.facts.weight import Dosing
from ivig.core.finding import Absent, Finding, plain
from ivig.core.order import Order, Part, Result
from ivig.core.remedy import Candidate, clears
from ivig.core.rule import Maybe, Seen
from ivig.core.vials import best_mix, whole_sums

_MOST_DAYS = 31  # regimens spread over more days are tried up to here


class Scale(Struct, frozen=True):
    """What turns grams per kg into a dose: the weight it rests on and its name, the vials, and whose rounding holds."""

    kg: Decimal
    weight: str
    sizes: tuple[Decimal, ...]
    adult: Maybe[bool]
    book: Book


def scale_of(
    dosing: Maybe[Dosing], weight: Maybe[Result], product: Maybe[Product], adult: Maybe[bool], book: Book
) -> Scale | None:
    """By dosing weight where it can be told, else by the weight of the chart; without a weight None."""
    if not isinstance(dosing, Absent):
        kg, name = dosing.kg, f"{dosing.basis} weight"
    elif not isinstance(weight, Absent) and weight.value is not None:
        kg, name = weight.value, "actual weight"
    else:
        return None
    held = None if isinstance(product, Absent) else product.vials
    sizes = sizes_of(held.words) if held is not None and held.words else ()
    return Scale(kg, name, sizes, adult, book)


def doses_near(grams: Decimal, scale: Scale) -> Iterator[Decimal]:
    """Whole-vial doses near to `grams` within the policy's rounding, the nearest first; last what one can write down.

    Where the policy rounds an adult's doses to a step, the nearest multiple of it.
    """
    written = grams.quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    step = scale.book.maybe("rounding.step_g")
    if step is not None and scale.adult is True:
        yield (grams / step.number).to_integral_value(ROUND_HALF_EVEN) * step.number or step.number
    elif scale.sizes:
        most = farthest(grams, rounding(scale.adult, scale.book))
        sums = (s for s in whole_sums(scale.sizes, grams, grams) if s and abs(s - grams) <= most)
        yield from sorted(dict.fromkeys(sums), key=lambda s: (abs(s - grams), s))
    else:
        yield grams.quantize(Decimal(1), ROUND_HALF_EVEN)
    yield written


def regimens(course: Course, limits: Limits, now: Decimal, day_now: Decimal) -> Iterator[tuple[Decimal, int, Decimal]]:
    """Grams per kg in all, days, and grams per kg a day that the limits take: those nearest to what is ordered first."""
    lower = limits.lower.lower if limits.lower is not None else None
    upper = limits.upper.upper if limits.upper is not None else None
    totals = [now]
    if upper is not None and now > upper:
        totals = [upper]
    elif lower is not None and now < lower:
        totals = [lower]
    elif upper is not None and now:
        totals = [now, upper]
    days = course.days or 1
    spread = sorted(_days(course, limits, days), key=lambda d: (abs(d - days), -d))
    for total in totals:
        for many in spread:
            each, most = total / many, limits.day_limit(many)
            if each and (most is None or each <= most[0] or (many == days and each < day_now)):
                yield total, many, each
    for many in spread:  # as much as the days take
        most = limits.day_limit(many)
        if most is not None and most[0] * many < totals[0] and (lower is None or most[0] * many >= lower):
            yield most[0] * many, many, most[0]


def _days(course: Course, limits: Limits, days: int) -> set[int]:
    """The accepted numbers of days, with those ordered where no pair speaks against them."""
    accepted = {d for pair in limits.pairs for d in range(pair.least, min(pair.most, _MOST_DAYS) + 1)}
    if not limits.induction or limits.takes(days):
        accepted.add(days)
    return accepted


def own_part(order: Order, course: Course) -> Part | None:
    """The one instruction of this very order that makes the course; None where several do, or another order's."""
    if course.parts != 1 or (order.group_parts and len(order.group_parts) != len(order.parts)):
        return None
    return next((p for p in order.parts if p.path == course.path), None)


def concerned(finding: Finding, course: Course) -> bool:
    """Whether a finding points at this course."""
    places = {course.path, course.dose_path, course.timing_path, *(a.path for a in course.amounts)}
    return not places.isdisjoint(finding.at)


@clears(
    "dose-course-above-range",
    "dose-daily-above-range",
    "dose-course-below-range",
    "dose-implausible",
    "weight-wrong-basis",
    "schedule-days-off-regimen",
)
def in_range(
    finding: Finding,
    order: Order,
    segments: Seen[Segment],
    dosing: Maybe[Dosing],
    weight: Maybe[Result],
    product: Maybe[Product],
    adult: Maybe[bool],
    book: Book,
) -> Iterator[Candidate]:
    scale = scale_of(dosing, weight, product, adult, book)
    for held in segments.items:
        if not concerned(finding, held.course):
            continue
        part = own_part(order, held.course)
        if part is None:
            if held.dose is not None and scale is not None:
                yield from _scaled(order, held.course, held.limits, held.dose, scale)
            continue
        if held.course.days is not None and finding.rule.startswith("schedule"):
            yield from _only_days(part, held.course, held.limits)
        if held.dose is not None and scale is not None:
            yield from _by_weight(part, held.course, held.limits, held.dose, scale)
        elif held.dose is not None and held.course.unit == "g/kg":
            yield from _per_kg(part, held.course, held.limits, held.dose)


def _only_days(part: Part, course: Course, limits: Limits) -> Iterator[Candidate]:
    """The same dose on other days."""
    days = course.days or 1
    for many in sorted(_days(course, limits, days), key=lambda d: (abs(d - days), -d)):
        amount = part.amount
        if amount is not None and amount.each != "course" and (many != days or course.gap > 1):
            yield Candidate((DaysChange(part.path, many),), on_days(part, many))


def on_days(part: Part, days: int) -> str:
    """The dose as ordered, on so many days."""
    assert part.amount is not None
    said = part.amount.said.replace("{vial}", "vials")
    each = "" if part.amount.each == "day" else " a day"
    often = f"{part.doses_a_day} times " if part.doses_a_day > 1 else ""
    return f"{often}{said}{each} for {_for(days)}"


def _by_weight(part: Part, course: Course, limits: Limits, dose: PerKg, scale: Scale) -> Iterator[Candidate]:
    """Grams by the dosing weight, as whole vials."""
    whole = dose.grams_total if dose.grams_total is not None else dose.grams_day
    if whole is None:
        return
    day = dose.grams_day or whole
    for total, days, each in regimens(course, limits, whole / scale.kg, day / scale.kg):
        for grams in doses_near(each * scale.kg / part.doses_a_day, scale):
            yield Candidate(
                dosed(part, course, grams, days),
                _said(part, course, grams, days),
                _why(total, grams, days, part, course, scale),
            )


def _scaled(order: Order, course: Course, limits: Limits, dose: PerKg, scale: Scale) -> Iterator[Candidate]:
    """Several instructions that make one course: each dose in proportion."""
    parts = [p for p in order.parts if p.amount is not None]
    whole, single = dose.grams_total, len(parts) == course.parts and (not order.group_parts)
    upper, lower = limits.upper, limits.lower
    plainly = all(p.amount is not None and p.amount.each == "dose" and p.amount.unit == "g" for p in parts)
    if not (whole and single and plainly) or course.repeats:
        return
    now = whole / scale.kg
    wanted = now
    if upper is not None and upper.upper is not None:
        wanted = min(wanted, upper.upper)
    if lower is not None and lower.lower is not None:
        wanted = max(wanted, lower.lower)
    about = f"about {plain(round(wanted, 2))} g/kg by {scale.weight} {plain(tenth(scale.kg))} kg"
    ordered = [part.amount.high for part in parts if part.amount is not None]
    in_turn = [next(doses_near(grams * wanted / now, scale)) for grams in ordered]
    alike = next(doses_near(wanted * scale.kg / (course.days or 1), scale))
    for doses in (in_turn, [alike] * len(parts)):
        says = "doses of " + ", then ".join(f"{plain(grams)} g" for grams in doses)
        yield Candidate(
            tuple(DoseChange(p.path, g, "g") for p, g, was in zip(parts, doses, ordered, strict=True) if g != was),
            says,
            about,
        )


def _per_kg(part: Part, course: Course, limits: Limits, dose: PerKg) -> Iterator[Candidate]:
    """Ordered per kg, and no weight is known: another number of grams per kg."""
    whole = dose.total_high if dose.total_high is not None else dose.day_high
    for total, days, each in regimens(course, limits, whole, dose.day_high):
        per_kg = (each / part.doses_a_day).quantize(Decimal("0.001"))
        made = (DoseChange(part.path, per_kg, "g/kg"), *_days_changed(part, course, days))
        yield Candidate(made, f"{plain(per_kg)} g/kg a day for {_for(days)}", f"{plain(total)} g/kg")


def dosed(part: Part, course: Course, grams: Decimal, days: int) -> tuple[Change, ...]:
    changes: list[Change] = []
    amount = part.amount
    same = amount is not None and amount.each == "dose" and amount.unit == "g" and amount.low == amount.high == grams
    if not same:
        changes.append(DoseChange(part.path, grams, "g"))
    return (*changes, *_days_changed(part, course, days))


def _days_changed(part: Part, course: Course, days: int) -> tuple[Change, ...]:
    return (DaysChange(part.path, days),) if days != part.days or course.gap > 1 else ()


def _for(days: int) -> str:
    return f"{days} days" if days > 1 else "1 day"


def _said(part: Part, course: Course, grams: Decimal, days: int) -> str:
    each = f"{part.doses_a_day} times {plain(grams)} g" if part.doses_a_day > 1 else f"{plain(grams)} g"
    cycle = " in each cycle" if course.repeats else ""
    return f"{each} a day for {_for(days)}{cycle}" if days > 1 else f"{each} once{cycle}"


def _why(total: Decimal, grams: Decimal, days: int, part: Part, course: Course, scale: Scale) -> str:
    got = grams * part.doses_a_day * days / scale.kg
    said = f"{plain(round(got, 2))} g/kg by {scale.weight} {plain(tenth(scale.kg))} kg"
    if not scale.sizes:
        return said
    mix = best_mix(scale.sizes, grams)
    return f"{said}; vials {mixed(mix)}" + (f", {plain(mix.wasted)} g thrown away" if mix.wasted else "")


# -- doses that are not there, or are no sum of vials ------------------------------------------------------------------


@clears("dose-missing", "dose-unit-unusable")
def stated(
    order: Order,
    indication: Indication,
    phase: str,
    dosing_parts: tuple[Part, ...],
    strength: Maybe[Decimal],
    products: tuple[Product, ...],
    dosing: Maybe[Dosing],
    weight: Maybe[Result],
    product: Maybe[Product],
    adult: Maybe[bool],
    book: Book,
) -> Iterator[Candidate]:
    """The dose of the page, where it has one and no range: nothing is chosen for the prescriber."""
    scale = scale_of(dosing, weight, product, adult, book)
    bare = [p for p in dosing_parts if not isinstance(dose_of(p, strength, products), tuple)]
    if scale is None or len(bare) != 1 or len(dosing_parts) != 1 or bare[0] not in order.parts or not phase:
        return
    (part,), limits = (
        bare,
        limits_for(book, indication, (phase,), products if isinstance(product, Absent) else (product,)),
    )
    lower, upper = limits.lower, limits.upper
    if lower is None or upper is None or upper.upper is None or lower.lower != upper.upper:
        return
    ordered = [part.days] if part.days is not None and limits.takes(part.days) else []
    accepted = {d for pair in limits.pairs for d in range(pair.least, min(pair.most, _MOST_DAYS) + 1)}
    for days in ordered or sorted(accepted, reverse=True) or [1]:
        for grams in doses_near(upper.upper * scale.kg / days / part.doses_a_day, scale):
            changes: list[Change] = [DoseChange(part.path, grams, "g")]
            if days != part.days:
                changes.append(DaysChange(part.path, days))
            got = plain(round(grams * part.doses_a_day * days / scale.kg, 2))
            because = f"{limits.what}: {got} g/kg by {scale.weight} {plain(tenth(scale.kg))} kg"
            yield Candidate(tuple(changes), f"{plain(grams)} g a day for {_for(days)}", because)


@clears("dose-not-whole-vials")
def whole_vials(
    finding: Finding, order: Order, segments: Seen[Segment], product: Product, adult: bool, book: Book
) -> Iterator[Candidate]:
    """The nearest sums of vials, or multiple of the policy's step; the range of the page still has to hold."""
    if finding.measure is None or product.vials is None or not product.vials.words:
        return
    got, sizes = finding.measure.observed, sizes_of(product.vials.words)
    for held in segments.items:
        part = own_part(order, held.course) if concerned(finding, held.course) else None
        if part is None or held.course.days is None or len({(d.low, d.high) for d in held.course.plan}) > 1:
            continue
        step = book.maybe("rounding.step_g") if adult else None
        sums = [s for s in whole_sums(sizes, got, got) if s]
        if step is not None:
            below = (got // step.number) * step.number
            sums = [s for s in (below, below + step.number) if s]
        for grams in sorted(dict.fromkeys(sums), key=lambda s: (abs(s - got), s)):
            exact = grams / part.doses_a_day
            changes = dosed(part, held.course, exact, held.course.days)
            mix = mixed(best_mix(sizes, grams))
            yield Candidate(changes, _said(part, held.course, exact, held.course.days), f"vials {mix}")


@clears("dose-total-mismatch")
def dispensed(order: Order, supply: Seen[Supply]) -> Iterator[Candidate]:
    for item in supply.items:
        yield Candidate((DispenseChange(item.amount.path, item.nearest),), because=f"one {item.what} of the order")


def volumes_in_grams(
    order: Order, strength: Maybe[Decimal], products: tuple[Product, ...]
) -> Iterable[DoseChange] | None:
    """What keeps the grams where another product has another strength; None where the grams are not known."""
    found: list[DoseChange] = []
    for part in order.parts:
        if part.amount is None or part.amount.unit in ("g", "mg", "g/kg", "mg/kg"):
            continue
        made = dose_of(part, strength, products)
        if not isinstance(made, tuple) or not isinstance(made[1], Dose):
            return None
        dose = made[1]
        if dose.each != "dose" or dose.low != dose.high:
            return None
        found.append(DoseChange(part.path, dose.high, dose.unit))
    return found
