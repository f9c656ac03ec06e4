"""What the chart shows on the day, section by section, beside the sections that were not sent."""

from __future__ import annotations

from ivig.core.book import Book
from ivig.core.finding import Root
from ivig.core.order import Allergy, Condition, Drug, Order, Procedure, Result
from ivig.core.rule import SECTION, Seen, fact

_OVER = ("resolved", "inactive", "remission")


UNAVAILABLE = Root("chart-unavailable")
# The keys of a prefetch that fill a section of another name.
_FILLS = {"administrations": "medications", "plans": "procedures"}
# The query that asks for a test: when it was asked and not answered, the test is not known to be missing.
_QUERY = {
    "weights": "weight weight_measured weight_estimated weight_stated dry_weight",
    "heights": "height",
    "lab-cbc": "haemoglobin platelets haematocrit white_cells ldh haptoglobin dat",
    "lab-renal": "creatinine egfr bun urea point_of_care_glucose",
    "lab-liver": "liver alt ast bilirubin hbsag anti_hbc anti_hcv",
    "lab-iga": "iga igg igm anti_iga viscosity",
    "lab-abo": "abo",
}
_ASKED_BY = {test: key for key, tests in _QUERY.items() for test in tests.split()}
_OTHERS = "scales"  # scores, and what stands alone: breathing, fever, pregnancy, reactions, the heart


def asked_by(test: str) -> str:
    """The key of the query that asks for a test's results; every test has one."""
    return _ASKED_BY.get(test, _OTHERS)


def unanswered(order: Order, *tests: str) -> tuple[Root, ...]:
    """What is lacking when a query that asks for one of these tests was asked, and not had in full."""
    if not order.chart.unavailable:
        return ()
    failed = {what for what, _ in order.chart.unavailable}
    return (UNAVAILABLE,) if any(asked_by(test) in failed for test in tests) else ()


def section(order: Order, *names: str) -> tuple[Root, ...]:
    """What is lacking when one of these sections was not sent, or was asked for and not had in full."""
    chart = order.chart
    lacking = () if chart.sections.issuperset(names) else (SECTION,)
    if chart.unavailable:
        failed = {_FILLS.get(what, what) for what, _ in chart.unavailable}
        sent = all(name in chart.sections or name in failed for name in names)
        lacking = (*((UNAVAILABLE,) if failed.intersection(names) else ()), *(() if sent else (SECTION,)))
    return lacking


def active_on_day(condition: Condition, order: Order) -> bool:
    """Dates decide: active from onset (else recorded) to abatement. Without an abatement day, the status as it stands."""
    begun = condition.onset or condition.recorded
    if begun is not None and begun.day > order.day:
        return False
    if condition.abated is not None:
        return condition.abated.last >= order.day
    return condition.clinical not in _OVER


@fact
def conditions(order: Order) -> Seen[Condition]:
    """Every condition known on the day, active or over. Refuted, erroneous and family history never get here."""
    return Seen(order.chart.conditions, section(order, "conditions"))


@fact
def active(order: Order, conditions: Seen[Condition]) -> Seen[Condition]:
    """The conditions active on the day."""
    return Seen(tuple([c for c in conditions.items if active_on_day(c, order)]), conditions.lacking)


@fact
def all_allergies(order: Order) -> Seen[Allergy]:
    """Every allergy of the chart, whatever has become of it: a reaction that happened stays an earlier reaction."""
    return Seen(order.chart.allergies, section(order, "allergies"))


@fact
def allergies(order: Order) -> Seen[Allergy]:
    """The allergies that the chart does not call over."""
    return Seen(tuple([a for a in order.chart.allergies if a.clinical not in _OVER]), section(order, "allergies"))


def _runs(drug: Drug, order: Order, runs_on: int) -> bool:
    """Whether a medicine runs on the day; what ended on an unknown day runs on for so many days."""
    if drug.start is None:
        return drug.end is None or drug.end.last >= order.day
    if drug.start.day > order.day:
        return False
    if drug.end is not None:
        return drug.end.last >= order.day
    over = drug.status in ("stopped", "completed", "cancelled", "ended") or drug.kind == "administration"
    return not over or (order.day - drug.start.day).days <= runs_on


@fact
def drugs(order: Order, book: Book) -> Seen[Drug]:
    """Other medicines that run on the day: from their start to their end; dates decide, not the status as it is now."""
    runs_on = int(book.policy("history.unknown_end_days").number)
    running = [drug for drug in order.chart.drugs if _runs(drug, order, runs_on)]
    return Seen(tuple(running), section(order, "medications"))


@fact
def all_drugs(order: Order) -> Seen[Drug]:
    """Every other medicine of the chart, running or not."""
    return Seen(order.chart.drugs, section(order, "medications"))


@fact
def procedures(order: Order) -> Seen[Procedure]:
    return Seen(order.chart.procedures, section(order, "procedures"))


def on_dialysis(procedure: Procedure, order: Order, book: Book) -> bool:
    """Whether a dialysis was done lately, goes on or is planned; one without a day counts."""
    if "dialysis" not in procedure.concept.sets:
        return False
    stands = procedure.kind == "request" and procedure.status == "active" and procedure.when is None
    last = procedure.end or procedure.when or procedure.asked
    if stands or procedure.standing or procedure.status == "in-progress" or last is None:
        return True
    return (order.day - last.last).days <= book.policy("history.unknown_end_days").number


@fact
def results(order: Order) -> dict[str, tuple[Result, ...]]:
    """Usable results by test, newest first. A result counts with a value, a date and a status that stands."""
    found: dict[str, tuple[Result, ...]] = {}
    several: dict[str, list[Result]] = {}
    for result in order.chart.results:
        if result.when is not None and not result.problem:
            test = result.test
            if test in found:
                several.setdefault(test, [*found[test]]).append(result)
            else:
                found[test] = (result,)
    for test, of in several.items():
        found[test] = tuple(sorted(of, key=_newest_first))
    return found


def _newest_first(result: Result) -> tuple[float, float]:
    return (-result.when.instant if result.when is not None else 0.0, -result.issued)


def of_set(seen: Seen[Condition], *sets: str) -> tuple[Condition, ...]:
    """The conditions that belong to one of these value sets."""
    return tuple([c for c in seen.items if c.concept.sets and not c.concept.sets.isdisjoint(sets)])
