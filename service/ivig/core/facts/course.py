"""Instructions laid out as courses: which days, how much on each, and what belongs together.

Instructions with different `sequence` follow each other, equal ones run together, and what shares a date is one day's
dose. Infusion days not more than `course.join_days` apart are one course.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import pairwise

from msgspec import Struct

from ivig.core.dated import later
from ivig.core.facts.amount import Dose
from ivig.core.finding import plain
from ivig.core.order import Amount, Part

_MOST_DAYS = 400  # a longer run is told by its sums only; no course is that long


class Day(Struct, frozen=True, gc=False):
    """One infusion day: days after the course's first, and the dose in the course's unit."""

    offset: int
    low: Decimal
    high: Decimal


class Course(Struct, frozen=True):
    """A run of infusion days, or one cycle that repeats.

    `unit` is `g` or `g/kg`. `days` is None when it cannot be told; then `total_low` and `total_high` are None too,
    unless the dose is one for the whole course: then the day is not known (`day_known`), and `day_low` and `day_high`
    hold the whole.
    `gap` is the largest number of days from one infusion day to the next; `offset` that from the order's first day.
    `cap_day` and `cap_total` are the order's own maxima in the other unit: grams for a dose per kg, g/kg for grams.
    `tell` makes its sum, when someone asks.
    """

    path: str
    dose_path: str
    unit: str
    day_low: Decimal
    day_high: Decimal
    days: int | None
    span: int | None
    total_low: Decimal | None
    total_high: Decimal | None
    interval: Decimal | None
    cycles: int | None
    start: date | None
    amount: Amount
    tell: Callable[[], str]
    parts: int = 1
    day_known: bool = True
    gap: int = 1
    offset: int = 0
    plan: tuple[Day, ...] = ()
    amounts: tuple[Amount, ...] = ()
    cap_day: Decimal | None = None
    cap_total: Decimal | None = None
    timing_path: str = ""

    @property
    def repeats(self) -> bool:
        return self.interval is not None and self.cycles != 1

    @property
    def sum(self) -> str:
        return self.tell()


class Cap(Struct, frozen=True):
    """The most that the order allows, for a dose, a day or a course."""

    most: Decimal
    per_kg: bool
    each: str


class Placed(Struct, frozen=True):
    """A course of one instruction with the day it begins: a date where the order states one, else in sequence."""

    part: Part
    course: Course
    begin: int
    dated: bool

    @property
    def end(self) -> int:
        return self.begin + (self.course.span or 1) - 1


def single(part: Part, amount: Amount, dose: Dose, caps: tuple[Cap, ...], days: int | None, why: str = "") -> Course:
    """The course of one instruction with these infusion days."""
    times = part.doses_a_day if dose.each == "dose" else 1
    low, high = dose.low, dose.high

    total_low: Decimal | None
    total_high: Decimal | None
    if dose.each == "course":
        if caps:
            low, high = _most(low, "course", caps, dose), _most(high, "course", caps, dose)
        total_low, total_high = low, high
        if days:
            low, high = low / days, high / days
    else:
        if caps or times != 1:
            low = _most(_most(low, "dose", caps, dose) * times, "day", caps, dose)
            high = _most(_most(high, "dose", caps, dose) * times, "day", caps, dose)
        total_low = total_high = None
        if days is not None:
            total_low = _most(low * days, "course", caps, dose)
            total_high = total_low if low is high else _most(high * days, "course", caps, dose)
    offsets = _offsets(part, days)
    cap_day = cap_total = None
    if caps:
        other = [c for c in caps if c.per_kg != dose.per_kg]
        cap_day = min((c.most * (times if c.each == "dose" else 1) for c in other if c.each != "course"), default=None)
        cap_total = min((c.most for c in other if c.each == "course"), default=None)
    return Course(
        path=part.path,
        dose_path=amount.path,
        unit=dose.unit,
        day_low=low,
        day_high=high,
        days=days,
        span=offsets[-1] + 1 if offsets else None,
        total_low=total_low,
        total_high=total_high,
        interval=part.interval,
        cycles=part.cycles,
        start=starts_on(part),
        amount=amount,
        tell=partial(_line, dose, times, days, high, total_high, bool(caps)),
        day_known=dose.each != "course" or days is not None,
        gap=_gap(offsets),
        plan=tuple([Day(offset, low, high) for offset in offsets]) if len(offsets) == days else (),
        amounts=(amount,),
        cap_day=cap_day,
        cap_total=cap_total,
        timing_path=part.timing_path,
    )


def _most(end: Decimal, each: str, caps: tuple[Cap, ...], dose: Dose) -> Decimal:
    """An amount for a dose, a day or a course, cut at the order's own maximum in the same unit."""
    if not caps:
        return end
    return min((end, *(c.most for c in caps if c.each == each and c.per_kg == dose.per_kg)))


def _line(dose: Dose, times: int, days: int | None, high: Decimal, total_high: Decimal | None, is_capped: bool) -> str:
    """The sum of a course."""
    said = dose.sum
    if dose.each == "course":
        return f"{said} in all" + (f", over {days} days {plain(high)} {dose.unit} a day" if days and days > 1 else "")
    said += f" x {times} a day = {plain(high)} {dose.unit}" if times != 1 else ""
    said += "" if not is_capped or high == dose.high * times else f", at most {plain(high)} {dose.unit} a day"
    if days is not None and days > 1 and total_high is not None:
        said += f" x {days} days = {plain(total_high)} {dose.unit}"
    return said


def starts_on(part: Part) -> date | None:
    return min(part.events) if part.events else part.start.day if part.start is not None else None


def _gap(ordinals: Sequence[int]) -> int:
    """The largest number of days from one infusion day to the next."""
    if ordinals.__class__ is range:
        return 1  # day after day
    return max((b - a for a, b in pairwise(ordinals)), default=1)


def _offsets(part: Part, days: int | None) -> Sequence[int]:
    """Infusion days as days after the first. Of a very long run only the last."""
    if days is None or days < 1:
        return []
    if part.events:
        first = min(part.events)
        return sorted({(day - first).days for day in part.events})
    if days > _MOST_DAYS:
        return [int((days - 1) * part.step)]
    if part.step == 1:
        return range(days)
    return [int(i * part.step) for i in range(days)]


def owner(path: str) -> str:
    """The path of the order an instruction belongs to."""
    return path.partition(".dosageInstruction")[0]


def laid_out(items: list[tuple[Part, Course]], day: date, join_days: int) -> list[Course]:
    """The courses of all instructions together, in the order of their days."""
    if len(items) == 1 and (items[0][1].gap <= join_days or not items[0][1].plan):
        return [items[0][1]]
    placed = _placed(items, day)
    found = [p for p in placed if not p.course.plan]
    runs = [(p.begin, p.course) for p in found]
    base = min(p.begin for p in placed)
    for unit in ("g", "g/kg"):
        of_unit = [p for p in placed if p.course.plan and p.course.unit == unit]
        for group in _cycles([p for p in of_unit if p.course.repeats], join_days):
            ordinals = sorted({p.begin + d.offset for p in group for d in p.course.plan})
            runs.append((ordinals[0], _together(group, ordinals, base)))
        once = [p for p in of_unit if not p.course.repeats]
        for ordinals in _runs(once, join_days):
            held = set(ordinals)
            group = [p for p in once if any(p.begin + d.offset in held for d in p.course.plan)]
            runs.append((ordinals[0], _together(group, ordinals, base)))
    return [course for _, course in sorted(runs, key=lambda run: run[0])]


def _placed(items: list[tuple[Part, Course]], day: date) -> list[Placed]:
    """Every course with its first day: as dated, else together with the one before (equal sequence) or after it."""
    owners = list(dict.fromkeys(owner(part.path) for part, _ in items))
    items = sorted(items, key=lambda i: (owners.index(owner(i[0].path)), i[0].sequence or 0, i[1].start or date.min))
    base = min((c.start.toordinal() for _, c in items if c.start is not None), default=day.toordinal())
    made: list[Placed] = []
    key: tuple[str, int | None] | None = None
    group_begin = min(base, day.toordinal())  # what is not dated begins before what is dated later on
    for part, course in items:
        own = (owner(part.path), part.sequence)
        together = own == key and (part.sequence is not None or course.days == made[-1].course.days)
        if course.start is not None:
            begin = course.start.toordinal()
        elif together or not made:
            begin = group_begin
        else:
            begin = _after(made, course)
        group_begin, key = (group_begin if together else begin), own
        made.append(Placed(part, course, begin, course.start is not None))
    return made


def _after(made: list[Placed], course: Course) -> int:
    """The day on which an undated course begins: after those before it, an interval later when the first to repeat."""
    end = max(p.end for p in made)
    alike = any(p.course.interval == course.interval and p.course.cycles == course.cycles for p in made)
    return end + (int(course.interval) if course.repeats and course.interval is not None and not alike else 1)


def _cycles(repeating: list[Placed], join_days: int) -> list[list[Placed]]:
    """Repeating courses that are one cycle: the same interval, and begun within the days that join."""
    groups: list[list[Placed]] = []
    for p in sorted(repeating, key=lambda p: p.begin):
        for group in groups:
            first = group[0]
            if (first.course.interval, first.course.cycles) == (p.course.interval, p.course.cycles) and (
                p.begin - max(g.end for g in group) <= join_days
            ):
                group.append(p)
                break
        else:
            groups.append([p])
    return groups


def _runs(once: list[Placed], join_days: int) -> list[list[int]]:
    """The infusion days of all, parted where they are further apart than the days that join."""
    runs: list[list[int]] = []
    for day in sorted({p.begin + d.offset for p in once for d in p.course.plan}):
        if runs and day - runs[-1][-1] <= join_days:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _together(group: list[Placed], ordinals: list[int], base: int) -> Course:
    """One course of all that is given on these days; what shares a day is added up."""
    first = min(group, key=lambda p: p.begin)
    sums = {day: [Decimal(0), Decimal(0)] for day in ordinals}
    for p in group:
        for d in p.course.plan:
            if p.begin + d.offset in sums:
                sums[p.begin + d.offset][0] += d.low
                sums[p.begin + d.offset][1] += d.high
    plan = tuple(Day(day - ordinals[0], low, high) for day, (low, high) in sorted(sums.items()))
    whole = all(p.begin + d.offset in sums for p in group for d in p.course.plan)
    totals = [(p.course.total_low or Decimal(0), p.course.total_high or Decimal(0)) for p in group]
    low = sum((t[0] for t in totals), Decimal(0)) if whole else sum((d.low for d in plan), Decimal(0))
    high = sum((t[1] for t in totals), Decimal(0)) if whole else sum((d.high for d in plan), Decimal(0))
    made, unit = first.course, first.course.unit

    def tell() -> str:
        if len(group) == 1 and whole:
            return made.sum
        if len({d.high for d in plan}) == 1:
            return f"{plain(plan[0].high)} {unit} x {len(plan)} days = {plain(high)} {unit}"
        days = " + ".join(plain(d.high) for d in plan[:10])
        return f"{days}{' + ...' if len(plan) > 10 else ''} = {plain(high)} {unit}"

    caps_day, caps_total = {p.course.cap_day for p in group}, {p.course.cap_total for p in group}
    return Course(
        path=made.path,
        dose_path=made.dose_path,
        unit=unit,
        day_low=min(d.low for d in plan),
        day_high=max(d.high for d in plan),
        days=len(plan),
        span=ordinals[-1] - ordinals[0] + 1,
        total_low=low,
        total_high=high,
        interval=made.interval if made.repeats else None,
        cycles=made.cycles if made.repeats else 1,
        start=later(date.min, ordinals[0] - 1) if first.dated else None,
        amount=made.amount,
        tell=tell,
        parts=len(group),
        gap=_gap(ordinals),
        offset=ordinals[0] - base,
        plan=plan,
        amounts=tuple(p.course.amount for p in group[:10]),
        cap_day=next(iter(caps_day)) if len(caps_day) == 1 else None,
        cap_total=made.cap_total if len(group) == 1 and len(caps_total) == 1 else None,
        timing_path=made.timing_path,
    )
