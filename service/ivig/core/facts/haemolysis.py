"""Haemolysis after a large course: the blood group, what makes it likelier, and the haemoglobin that would show it."""

from __future__ import annotations

from datetime import date

from ivig.core.book import Book
from ivig.core.facts.baseline import is_below
from ivig.core.facts.chart import of_set, section, unanswered
from ivig.core.facts.course import starts_on
from ivig.core.facts.history import Given
from ivig.core.facts.labs import lab_absent, lab_input, newest
from ivig.core.facts.limits import MAINTENANCE
from ivig.core.facts.load import Load, given_input
from ivig.core.facts.reactions import told
from ivig.core.facts.segment import Segment
from ivig.core.facts.signs import Sign
from ivig.core.finding import Input, plain
from ivig.core.order import Allergy, Condition, Order, Part, Procedure, Result
from ivig.core.rule import Seen, fact

SAFE_GROUP = "O"
_PLANNED = ("request", "appointment")
_FALLEN = ("completed", "fulfilled", "revoked", "cancelled")


@fact
def blood_group(results: dict[str, tuple[Result, ...]]) -> Result | None:
    """The newest ABO group."""
    return next((r for r in results.get("abo", ()) if r.words), None)


@fact
def haemolysis_loads(order: Order, blood_group: Result | None, loads: Seen[Load], book: Book) -> Seen[Load]:
    """Courses from the size on at which haemolysis was reported. Lacking: the group, only where there is such a course."""
    limit = book.policy("haemolysis.g_per_kg").number
    reaching = tuple(load for load in loads.items if load.total >= limit)
    if not reaching:
        return Seen((), loads.lacking)
    if blood_group is None:
        return Seen((), lab_absent(order, "abo", "lab-blood-group-unknown").roots)
    return Seen(reaching)


@fact
def haemolysis_grounds(
    haemolysis_loads: Seen[Load],
    segments: Seen[Segment],
    before: Seen[Given],
    conditions: Seen[Condition],
    all_allergies: Seen[Allergy],
    results: dict[str, tuple[Result, ...]],
    book: Book,
) -> tuple[Sign, ...]:
    """What makes haemolysis after such a course likelier, or graver: another course, a low haemoglobin, an earlier one."""
    found: list[Sign] = []
    if not haemolysis_loads.items:
        return ()
    for load in haemolysis_loads.items:
        found.extend(_second(load, haemolysis_loads.items, segments, before, book))
    limit = book.policy("haemolysis.hb_g_dl")
    hb = newest(results, "haemoglobin")
    if hb is not None and hb.value is not None and is_below(hb.value, hb.comparator, limit.number):
        what = f"haemoglobin {hb.comparator}{plain(hb.value)} g/dL"
        line = f"{what}, below {plain(limit.number)} g/dL"
        found.append(Sign(what, lab_input(hb, book), hb.when, True, (limit,), line))
    earlier: list[Condition | Allergy] = [*of_set(conditions, "haemolysis")]
    earlier += [a for a in all_allergies.items if a.immune_globulin and "haemolysis" in a.reactions]
    found.extend(Sign("earlier haemolysis", told(e, "earlier haemolysis"), _since(e), True) for e in earlier[:1])
    return tuple(found)


def _since(evidence: Condition | Allergy) -> date | None:
    moment = evidence.recorded if isinstance(evidence, Allergy) else evidence.onset or evidence.recorded
    return moment.day if moment is not None else None


def _second(
    load: Load, loads: tuple[Load, ...], segments: Seen[Segment], before: Seen[Given], book: Book
) -> list[Sign]:
    """Another course shortly before this one: given, ordered with it, or its own repetition."""
    window = book.policy("haemolysis.repeat_days")
    course = load.dose.course
    joined = {g.day for g in load.joined}
    past = next((g for g in reversed(before.items) if g.day not in joined and g.day < load.begins), None)
    found: list[Sign] = []
    if (
        past is not None
        and (days := (load.begins - past.day).days) <= window.number
        and not _regular(load, days, segments, book)
    ):
        line = f"An earlier course ended {days} days before ({past.day})"
        found.append(Sign(f"a course {days} days ago", given_input(past), past.day, True, (window,), line))
    gaps: list[int] = []
    if course.repeats and course.interval is not None and course.span is not None:
        gaps.append(int(course.interval) - course.span + 1)
    gaps += [
        gap
        for other in loads
        if other is not load
        and (gap := course.offset - other.dose.course.offset - (other.dose.course.span or 1) + 1) > 0
    ]
    for gap in sorted(gaps)[:1]:
        if gap <= window.number and not _regular(load, gap + (course.span or 1) - 1, segments, book):
            shown = Input("schedule", f"the next course {gap} days after", "", course.timing_path)
            line = f"Two such courses lie {gap} days apart in this order"
            found.append(Sign(f"another course in {gap} days", shown, None, True, (window,), line))
    return found


def _regular(load: Load, days: int, segments: Seen[Segment], book: Book) -> bool:
    """Whether courses of this size, about four weeks apart, are the page's own maintenance: each is a cycle, none a second course."""
    month = book.policy("dose.cumulative_days").number - book.policy("schedule.interval_tolerance_days").number
    limits = next((s.limits for s in segments.items if s.course is load.dose.course), None)
    if limits is None or limits.phases != (MAINTENANCE,) or limits.upper is None or limits.upper.upper is None:
        return False
    return days >= month and limits.upper.upper >= book.policy("haemolysis.g_per_kg").number


@fact
def later_haemoglobin(
    order: Order, procedures: Seen[Procedure], results: dict[str, tuple[Result, ...]], whole_parts: tuple[Part, ...]
) -> Seen[Procedure | Result]:
    """A haemoglobin planned for after the first dose, or measured after it.

    An order of a blood count without a day that still stands counts: nothing says that it was for before.
    """
    written = order.authored.day if order.authored is not None else order.day
    begun = min((day for p in whole_parts if (day := starts_on(p)) is not None), default=written)
    found: list[Procedure | Result] = [
        r for r in results.get("haemoglobin", ()) if r.when is not None and r.when.day > begun
    ]
    for planned in procedures.items:
        if planned.kind not in _PLANNED or not _is_blood_count(planned):
            continue
        if planned.when is not None:
            if planned.when.last > begun:
                found.append(planned)
        elif planned.status not in _FALLEN:
            found.append(planned)
    if found:
        return Seen(tuple(found))
    return Seen((), tuple(dict.fromkeys((*section(order, "procedures"), *unanswered(order, "haemoglobin")))))


def _is_blood_count(planned: Procedure) -> bool:
    return "haemoglobin" in planned.tests or "blood_count_panel" in planned.concept.sets
