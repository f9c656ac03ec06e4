"""The tests that must be there before immune globulin, and whether they are recent enough on the first planned day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.dated import Value
from ivig.core.facts.chart import of_set
from ivig.core.facts.labs import Kidney, lab_absent, newest
from ivig.core.finding import Absent, Root, plain
from ivig.core.order import Condition, Order, Result
from ivig.core.rule import Maybe, Seen, fact

# What must be there before immune globulin, and the tests that show it.
BASELINE = {
    "haemoglobin": ("haemoglobin",),
    "platelets": ("platelets",),
    "creatinine": ("creatinine", "egfr"),
    "liver": ("alt", "ast"),
}
TITLES = {
    "haemoglobin": "haemoglobin",
    "platelets": "platelets",
    "creatinine": "creatinine or eGFR",
    "liver": "liver tests (ALT or AST)",
}
_SECONDS = {"h": 3600, "d": 86400}
_UNITS = {"d": "days", "h": "hours"}


class LabAge(Struct, frozen=True):
    """A baseline test whose newest result is older than its window."""

    test: str
    result: Result
    age: Decimal  # in the limit's unit
    limit: Value


def is_below(value: Decimal, comparator: str, limit: Decimal) -> bool | None:
    """Whether a result lies below `limit`; None when it is a bound (`<`, `>`) that does not decide."""
    if not comparator:
        return value < limit
    if comparator.startswith("<"):
        return True if value < limit or (value == limit and comparator == "<") else None
    return False if value >= limit else None


@fact
def baseline(results: dict[str, tuple[Result, ...]]) -> dict[str, Result | None]:
    """The newest result of each test that must be there."""
    return {test: newest(results, *shown_by) for test, shown_by in BASELINE.items()}


@fact
def renal_risk(egfr: Maybe[Kidney], active: Seen[Condition], book: Book) -> Seen[Kidney | Condition]:
    """What shows weak kidneys: a known kidney disease, or an eGFR below the warning limit."""
    found: list[Kidney | Condition] = list(of_set(active, "kidney_disease"))
    if isinstance(egfr, Absent):
        return Seen(tuple(found), (*active.lacking, *egfr.roots))
    below = is_below(egfr.value, egfr.comparator, book.policy("renal.warn").number)
    if below:
        found.append(egfr)
    return Seen(tuple(found), active.lacking if below is not None else (*active.lacking, Root("lab-missing", "egfr")))


def _age(result: Result, order: Order, to: date, unit: str) -> Decimal:
    """How old a result is on a day, never below nothing: in whole days, or in hours up to the order's own time of day.

    A result without a time of day counts as of the end of its day.
    """
    when = result.when
    assert when is not None
    if unit == "d":
        return Decimal(max((to - when.day).days, 0))
    then = when.instant + (0 if when.timed else _SECONDS["d"])
    until = order.moment.instant + (to - order.day).days * _SECONDS["d"]
    return Decimal(max(int(until - then), 0)) / _SECONDS["h"]


def _windows(
    test: str, first_course: bool, renal_risk: Seen[Kidney | Condition], indication: Maybe[Indication], book: Book
) -> tuple[list[Value], list[Root]]:
    """The window of a test; several, with what would decide between them, when that is not known."""
    found: list[Value] = []
    open_for: list[Root] = []
    if test == "platelets":
        if isinstance(indication, Absent):
            open_for.extend(indication.roots)
        if isinstance(indication, Absent) or (indication.family or indication.key) == "itp":
            found.append(book.policy("lab.itp_platelets_hours"))
            if not open_for:
                return found, open_for
    if first_course:
        group = "blood_count" if test in ("haemoglobin", "platelets") else test
        return [*found, book.policy(f"lab.first_days.{group}")], open_for
    if renal_risk.items or renal_risk.lacking:
        found.append(book.policy("lab.maintenance_days.renal_risk"))
    if not renal_risk.items:
        found.append(book.policy("lab.maintenance_days"))
        open_for.extend(renal_risk.lacking)
    return found, open_for


def _shortest(first_course: bool, book: Book) -> dict[str, Decimal] | None:
    """The shortest window in days that may hold for each test (but for platelets in immune thrombocytopenia).

    None when the policy does not have every window in days.
    """
    general = ("lab.maintenance_days.renal_risk", "lab.maintenance_days")
    groups = {test: "blood_count" if test in ("haemoglobin", "platelets") else test for test in BASELINE}
    found: dict[str, Decimal] = {}
    for test, group in groups.items():
        windows = [book.maybe(key) for key in ((f"lab.first_days.{group}",) if first_course else general)]
        numbers = [w.number for w in windows if w is not None and w.unit == "d"]
        if len(numbers) < len(windows):
            return None
        found[test] = min(numbers)
    return None if book.maybe("renal.warn") is None else found


def may_be_stale(
    baseline: dict[str, Result | None],
    first_course: bool,
    first_dose: Seen[date],
    indication: Maybe[Indication],
    book: Book,
) -> bool:
    """Whether some baseline test is missing, or older than the shortest window that may hold for it."""
    if first_dose.lacking or isinstance(indication, Absent) or (indication.family or indication.key) == "itp":
        return True
    shortest = book.memory(("shortest windows", first_course), lambda: _shortest(first_course, book))
    if shortest is None:
        return True
    first = first_dose.items[0]
    ages = {test: (first - r.when.day).days for test, r in baseline.items() if r is not None and r.when is not None}
    return len(ages) < len(baseline) or any(age > shortest[test] for test, age in ages.items())


@fact
def stale_labs(
    order: Order,
    baseline: dict[str, Result | None],
    first_course: bool,
    first_dose: Seen[date],
    renal_risk: Seen[Kidney | Condition],
    indication: Maybe[Indication],
    book: Book,
) -> Seen[LabAge]:
    """Baseline tests older on the first planned day than any window that may hold.

    Lacking: a test, or what decides between its windows.
    """
    found: list[LabAge] = []
    lacking: list[Root] = list(first_dose.lacking)
    for test, result in baseline.items():
        if result is None:
            lacking.extend(lab_absent(order, test).roots)
            continue
        windows, open_for = _windows(test, first_course, renal_risk, indication, book)
        ages = [_age(result, order, first_dose.items[0], w.unit) for w in windows]
        over = [age > w.number for age, w in zip(ages, windows, strict=True)]
        if all(over):
            found.append(LabAge(test, result, ages[-1], windows[-1]))
        elif any(over):
            lacking.extend(open_for)
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def ages_said(
    order: Order,
    baseline: dict[str, Result | None],
    first_course: bool,
    first_dose: Seen[date],
    renal_risk: Seen[Kidney | Condition],
    indication: Maybe[Indication],
    book: Book,
) -> str:
    """How old each baseline test is on the first planned day, and how old it may be."""
    found = []
    for test, result in baseline.items():
        if result is None:
            continue
        windows, _ = _windows(test, first_course, renal_risk, indication, book)
        window = min(windows, key=lambda w: (w.unit != "h", w.number))
        unit = _UNITS[window.unit]
        age = round(_age(result, order, first_dose.items[0], window.unit), 1)
        found.append(f"{TITLES[test]} {plain(age)} of {plain(window.number)} {unit}")
    return "; ".join(found)
