"""What belongs beside a course: aspirin in Kawasaki disease, the watch over breathing where it may fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import later
from ivig.core.facts.chart import UNAVAILABLE, of_set, section
from ivig.core.facts.medicines import use_of
from ivig.core.facts.signs import told_by
from ivig.core.finding import Input, Root
from ivig.core.order import Allergy, Condition, Drug, Moment, Order, Procedure, Result
from ivig.core.rule import Seen, fact

_ASPIRIN, _ALLERGY = "aspirin", "aspirin_allergy"
_NO_ORDER = ("proposal", "plan", "option")
_HALTED = ("stopped", "ended", "on-hold")
_SECONDS = 3600
_WATCH = "respiratory_monitoring"
_QUERIES = ("scales", "plans")
_NO_NUMBER = "no number"  # a value in a unit that is not read was measured all the same


class Sign(Struct, frozen=True):
    """What was found: `there` for what belongs beside the course, else what excuses that it is not."""

    there: bool
    what: str
    by: Drug | Condition | Allergy | Procedure | Result

    @property
    def input(self) -> Input:
        if isinstance(self.by, Result):
            return Input(self.what, self.by.said, self.by.when.text if self.by.when is not None else "", self.by.path)
        return told_by(self.by, self.what)


@fact
def aspirin(
    order: Order,
    all_drugs: Seen[Drug],
    active: Seen[Condition],
    allergies: Seen[Allergy],
    first_day: date,
    book: Book,
) -> Seen[Sign]:
    """Aspirin beside the order; where there is none, what speaks against it. Lacking: the medicines, when neither is seen."""
    since = later(first_day, -book.policy("course.join_days").number)
    runs_on = int(book.policy("history.unknown_end_days").number)
    taken = [Sign(True, d.kind, d) for d in all_drugs.items if _beside(d, order, since, runs_on)]
    taken += [Sign(True, "condition", c) for c in of_set(active, _ASPIRIN) if _in_use(c)]
    if taken:
        return Seen(tuple(taken))
    excuses = tuple(_against(order, all_drugs.items, active, allergies, runs_on))
    return Seen(excuses, () if excuses else all_drugs.lacking)


def _beside(drug: Drug, order: Order, since: date, runs_on: int) -> bool:
    """Whether aspirin is ordered, drafted or taken with the order, or was given in the days before it."""
    if _ASPIRIN not in drug.concept.sets or drug.intent in _NO_ORDER or drug.status in _HALTED:
        return False
    last = use_of(drug, runs_on).last
    stated = drug.end is not None and drug.kind in ("request", "statement")
    return last is None or last >= (order.day if stated else since)


def _in_use(condition: Condition) -> bool:
    """Whether a condition tells that aspirin is taken; its words may as well tell of an allergy to it."""
    return _ALLERGY not in condition.concept.sets or "use" in condition.concept.text.lower().split()


def _against(
    order: Order, drugs: Iterable[Drug], active: Seen[Condition], allergies: Seen[Allergy], runs_on: int
) -> Iterator[Sign]:
    for allergy in allergies.items:
        if _ALLERGY in allergy.concept.sets:
            yield Sign(False, "an allergy to aspirin or its kind", allergy)
    for condition in active.items:
        text = condition.concept.text.lower()
        if _ALLERGY in condition.concept.sets and ("allerg" in text or "intoleran" in text):
            yield Sign(False, "an allergy to aspirin or its kind", condition)
        elif "influenza_varicella" in condition.concept.sets:
            yield Sign(False, "influenza or varicella", condition)
    for drug in drugs:
        if "antiplatelet" in drug.concept.sets and drug.status not in _HALTED and drug.intent not in _NO_ORDER:
            last = use_of(drug, runs_on).last
            if last is None or last >= order.day:
                yield Sign(False, "another antiplatelet drug", drug)


@fact
def breathing(order: Order, active: Seen[Condition], procedures: Seen[Procedure], book: Book) -> Seen[Sign]:
    """The watch over breathing within hours of the order: measured, ordered, or out of the question on a ventilator."""
    hours = int(book.policy("adjunct.respiratory_hours").number * _SECONDS)
    since, until = order.moment.instant - hours, order.moment.instant + hours
    tests = book.tests_of("respiratory")
    for r in order.chart.results:
        if r.test in tests and r.when is not None and r.problem != _NO_NUMBER and _end(r.when) >= since:
            return Seen((Sign(True, r.test, r),))
    for p in procedures.items:
        if (_WATCH in p.concept.sets or not set(p.tests).isdisjoint(tests)) and _holds(p, since, until):
            return Seen((Sign(True, "ordered", p),))
    excuses = [Sign(False, "ventilated", c) for c in of_set(active, "ventilated")]
    excuses += [Sign(False, "ventilated", p) for p in procedures.items if _on_ventilator(p, order, book)]
    return Seen(tuple(excuses), () if excuses else _unanswered(order))


def _holds(procedure: Procedure, since: float, until: float) -> bool:
    """Whether it was done, asked for or is planned within the hours, or is a standing order. Without any date it is taken as one."""
    told = [m for m in (procedure.when, procedure.asked, procedure.end) if m is not None]
    if procedure.when is not None and procedure.when.instant > until:
        return False  # for a later day: nobody watches now
    return procedure.standing or not told or any(_end(m) >= since for m in told)


def _unanswered(order: Order) -> tuple[Root, ...]:
    """Queries that would have told and failed: then nothing is known to be missing."""
    failed = {what for what, _ in order.chart.unavailable}
    return (UNAVAILABLE,) if not failed.isdisjoint(_QUERIES) or UNAVAILABLE in section(order, "procedures") else ()


def _on_ventilator(procedure: Procedure, order: Order, book: Book) -> bool:
    if procedure.kind != "procedure" or "ventilated" not in procedure.concept.sets:
        return False
    if procedure.status == "in-progress":
        return True
    over = procedure.end or procedure.when
    if over is None:
        return False
    days = 0 if procedure.end is not None else book.policy("adjunct.ventilated_days").number
    return over.last >= later(order.day, -days)


def _end(moment: Moment) -> float:
    """The last instant that is meant: of a day without a time, its end."""
    return moment.instant if moment.timed else moment.instant + ((moment.last - moment.day).days + 1) * 24 * _SECONDS
